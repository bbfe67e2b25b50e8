use std::collections::BTreeMap;
use std::time::Duration;

use contract::{DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::plan::{Contract, Step};

/// What takes longer than this between two looks says nothing about AWS.
const BLINK: Duration = Duration::from_mins(5);

/// Where a walk stands: everything that whoever goes on with it has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    /// Never used twice; the names of everything that the walk makes are made of it.
    pub(super) id: String,
    pub(super) step: Step,
    /// When it came to this step.
    pub(super) since: Timestamp,
    /// When it was looked last whether it is over.
    pub(super) looked: Timestamp,
    /// How often the step has found its rule broken.
    pub(super) tries: u32,
    /// The name below which the canary's certificate is good; without a canary, what needs it is left out.
    pub(super) base: Option<DomainName>,
    /// What it has made, as far as that is known.
    pub(super) things: Things,
    /// Whether the name's record has been led to the distribution.
    #[serde(default)]
    pub(super) led: bool,
    /// The fingerprint of the certificate that the edge is to present.
    pub(super) fingerprint: Option<String>,
    /// An `ETag` that is not the newest any more.
    pub(super) stale_tag: Option<String>,
    /// What was found, in words.
    pub(super) broken: BTreeMap<Step, String>,
    /// What could not be looked at.
    pub(super) left_out: Vec<Step>,
    /// How long what took long has taken, in milliseconds.
    pub(super) measured: BTreeMap<String, u64>,
}

/// What a walk has in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Things {
    /// The id of the distribution.
    pub(super) distribution: Option<String>,
    /// Its host name.
    pub(super) host: Option<String>,
    /// The name of the certificate.
    pub(super) certificate: Option<String>,
    /// IAM's id of it.
    pub(super) stored: Option<String>,
    /// The name whose record leads to the distribution.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// The folder and the token of the answer.
    pub(super) answer: Option<(String, String)>,
}

/// What the store holds for a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) walk: Option<Walk>,
    /// What walks have left behind that would not go.
    #[serde(default)]
    pub(super) leftovers: Vec<Things>,
}

impl Walk {
    pub(super) fn begin(contract: Contract, id: String, base: Option<DomainName>, now: Timestamp) -> Self {
        Self {
            id,
            step: contract.steps().first().copied().unwrap_or(Step::Create),
            since: now,
            looked: now,
            tries: 0,
            base,
            things: Things::default(),
            led: false,
            fingerprint: None,
            stale_tag: None,
            broken: BTreeMap::new(),
            left_out: Vec::new(),
            measured: BTreeMap::new(),
        }
    }

    /// Goes on to the next step that can be looked at. `false` at the end.
    pub(super) fn pass_on(&mut self, contract: Contract, now: Timestamp) -> bool {
        if self.broken.contains_key(&self.step) && self.step.is_everything() {
            return false;
        }
        let steps = contract.steps().iter().copied().skip_while(|step| *step != self.step).skip(1);
        for next in steps {
            if next.rests_on().iter().any(|earlier| self.broken.contains_key(earlier)) {
                self.left_out.push(next);
                continue;
            }
            (self.step, self.since, self.looked, self.tries) = (next, now, now, 0);
            return true;
        }
        false
    }

    /// Keeps how long the step has taken that is over now, unless nobody has looked for so long that it says nothing.
    pub(super) fn measure(&mut self, now: Timestamp) {
        if let Some(name) = self.step.measured_as().filter(|_| now.since(self.looked) <= BLINK) {
            let took = u64::try_from(now.since(self.since).as_millis()).unwrap_or(u64::MAX);
            self.measured.insert(name.to_owned(), took);
        }
    }

    pub(super) fn has_lost_patience(&self, now: Timestamp) -> bool {
        now.since(self.since) >= self.step.patience()
    }

    pub(super) fn times(&self) -> Vec<(String, Duration)> {
        self.measured.iter().map(|(name, took)| (name.clone(), Duration::from_millis(*took))).collect()
    }

    /// The name that is added to the distribution.
    pub(super) fn alias(&self) -> Option<String> {
        let label = self.id.get(..16)?;
        self.base.as_ref().map(|base| format!("contract-{label}.{}", base.base()))
    }
}

impl Things {
    pub(super) fn is_empty(&self) -> bool {
        let rest = [&self.certificate, &self.record].into_iter().all(Option::is_none);
        rest && self.distribution.is_none() && self.answer.is_none()
    }
}

impl Kept {
    /// What was written before; nothing when it is not understood.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        // Texts, numbers and lists can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}
