//! All that a page shows of an instance, before it is written.

use std::time::Duration;

use contract::{
    DomainInstructions, DomainName, DomainRecord, DomainState, InstanceState, Lead, LogEntry, Operation,
    OperationKind, OperationState, ProofState, RenewalPlan, Sight, SiteFinding, Standing, Survey, Timestamp,
    Track,
};
use serde_json::{Value, json as object};

use crate::describe::{Sights, Told};
use crate::workflow::{Step, facts};
use crate::{Pace, json, words};

/// How often a page asks for news while something happens, and while nothing does.
const WHILE_BUSY: Duration = Duration::from_secs(3);
const WHILE_IDLE: Duration = Duration::from_secs(20);

/// How an instance stands.
pub(crate) struct View {
    pub(crate) now: Timestamp,
    pub(crate) pace: Pace,
    pub(crate) standing: Standing,
    /// The newest first.
    pub(crate) operations: Vec<Operation>,
    /// What was done in the operation whose steps are shown, the oldest first.
    pub(crate) log: Vec<LogEntry>,
    pub(crate) proofs: Vec<DomainInstructions>,
    pub(crate) domains: Vec<DomainRecord>,
    pub(crate) lapsed: Vec<DomainName>,
    pub(crate) served: Vec<DomainName>,
    pub(crate) renewal: Option<RenewalPlan>,
    /// Where the names led at the last look.
    pub(crate) survey: Option<Survey>,
    /// What visits have found, which the last look has not seen.
    pub(crate) findings: Vec<SiteFinding>,
    /// The zone of the operator's records, where there is one.
    pub(crate) zone: Option<String>,
    pub(crate) told: Told,
    /// What `cf service` shows.
    pub(crate) text: String,
}

/// How good things are, and what a person thinks of first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    /// Something goes on.
    Busy,
    /// The user has something to do.
    Waiting,
    Bad,
    Over,
}

/// One domain of an instance.
pub(crate) struct Domain<'a> {
    pub(crate) name: &'a DomainName,
    pub(crate) proof: Option<&'a DomainInstructions>,
    pub(crate) record: Option<&'a DomainRecord>,
    pub(crate) sight: Option<&'a Sight>,
    pub(crate) findings: Vec<&'a SiteFinding>,
    pub(crate) is_served: bool,
}

impl View {
    /// The domains that are shown: those that are wanted, and those that the served certificate has.
    pub(crate) fn all_domains(&self) -> Vec<Domain<'_>> {
        let settings = &self.standing.instance.settings.domains;
        let mut names: Vec<&DomainName> = settings.iter().collect();
        for more in self.proofs.iter().map(|one| &one.name) {
            if !names.contains(&more) {
                names.push(more);
            }
        }
        names.into_iter().map(|name| self.domain(name)).collect()
    }

    fn domain<'a>(&'a self, name: &'a DomainName) -> Domain<'a> {
        let is_ready = self.standing.instance.state == InstanceState::Ready;
        let seen = self.survey.iter().flat_map(|survey| &survey.sights);
        Domain {
            name,
            proof: self.proofs.iter().find(|one| one.name == *name),
            record: self.domains.iter().find(|one| one.name == *name),
            sight: seen.filter(|_| is_ready).find(|sight| sight.name == *name),
            findings: self.findings.iter().filter(|one| is_ready && one.name == *name).collect(),
            is_served: is_ready && self.served.contains(name),
        }
    }

    /// What is seen of names, in the words of `cf service`.
    pub(crate) fn sights(&self) -> Sights<'_> {
        let instance = &self.standing.instance;
        Sights {
            tenant: &instance.request.organization,
            target: instance.distribution_domain.as_deref().unwrap_or_default(),
            zone: self.zone.as_deref(),
            seen: self.survey.as_ref().map_or(&[], |survey| survey.sights.as_slice()),
            at: self.survey.as_ref().map_or(self.now, |survey| survey.at),
            patience: self.pace.look_time,
        }
    }

    /// The renewal that runs.
    pub(crate) fn renewing(&self) -> Option<&Operation> {
        self.operations.iter().find(|one| one.track == Track::Renewal && one.state == OperationState::Running)
    }

    fn latest(&self) -> Option<&Operation> {
        self.standing.latest.as_ref()
    }

    fn runs(&self) -> bool {
        self.latest().is_some_and(|latest| latest.state == OperationState::Running)
    }

    /// Whether the user is waited for, in whatever runs.
    pub(crate) fn waits_for_user(&self) -> bool {
        let obtains = |one: &Operation| {
            one.state == OperationState::Running && Step::of(one) == Some(Step::ObtainCertificate)
        };
        self.operations.iter().any(obtains) && self.proofs.iter().any(is_open)
    }

    /// Whether there is anything that can be looked at.
    pub(crate) fn can_look(&self) -> bool {
        self.waits_for_user()
            || (self.standing.instance.state == InstanceState::Ready
                && self.standing.instance.distribution_domain.is_some())
    }

    /// How it stands, in a word or three.
    pub(crate) fn badge(&self) -> (Tone, &'static str) {
        match self.standing.instance.state {
            InstanceState::Gone => (Tone::Over, "Deleted"),
            InstanceState::Deprovisioning => (Tone::Busy, "Being deleted"),
            InstanceState::DeprovisionFailed => (Tone::Bad, "Not deleted completely"),
            InstanceState::ProvisionFailed => (Tone::Bad, "Not created"),
            InstanceState::Provisioning if self.waits_for_user() => (Tone::Waiting, "Waiting for you"),
            InstanceState::Provisioning => (Tone::Busy, "Being created"),
            InstanceState::Ready => self.badge_while_serving(),
        }
    }

    fn badge_while_serving(&self) -> (Tone, &'static str) {
        let update_failed = self.latest().is_some_and(|latest| {
            latest.state == OperationState::Failed && latest.kind == OperationKind::Update
        });
        let astray = |sight: &Sight| sight.lead.as_ref().is_some_and(|lead| !lead.is_right());
        let is_astray = self.survey.iter().flat_map(|survey| &survey.sights).any(astray);
        match () {
            () if self.runs() && self.waits_for_user() => {
                (Tone::Waiting, "Serving; the update waits for you")
            }
            () if self.runs() => (Tone::Busy, "Serving; being changed"),
            () if self.waits_for_user() => (Tone::Waiting, "Serving; the renewal needs you"),
            () if update_failed => (Tone::Bad, "Serving; the last update failed"),
            () if !self.lapsed.is_empty() => (Tone::Bad, "Serving; not all domains"),
            () if is_astray => (Tone::Waiting, "Ready; point your domains here"),
            () if !self.findings.is_empty() => (Tone::Bad, "Serving; not all is well"),
            () => (Tone::Good, "Serving"),
        }
    }

    /// When a page asks for news again.
    pub(crate) fn again(&self) -> Duration {
        let runs = self.operations.iter().any(|one| one.state == OperationState::Running);
        let looks = self.standing.instance.state == InstanceState::Ready && self.survey.is_none();
        if runs || looks { WHILE_BUSY } else { WHILE_IDLE }
    }

    /// The certificate that is served.
    pub(crate) fn live(&self) -> Option<&contract::CertificateRecord> {
        facts::live(&self.standing.certificates)
    }

    /// The objects of docs/COMMANDS.md, without what is the operator's.
    pub(crate) fn json(&self) -> Value {
        let mut told = json::instance(&self.standing.instance);
        let more = object!({
            "at": words::rfc3339(self.now),
            "description": self.text,
            "operations": self.operations.iter().map(for_tenant).collect::<Vec<_>>(),
            "certificates": self.standing.certificates.iter().map(json::certificate).collect::<Vec<_>>(),
            "names": self.domains.iter().map(json::domain).collect::<Vec<_>>(),
            "proofs": self.proofs.iter().map(json::proof).collect::<Vec<_>>(),
            "renewal": self.renewal.as_ref().map(json::renewal),
            "log": self.log.iter().map(line_for_tenant).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(json::finding).collect::<Vec<_>>(),
            "sights": self.survey.as_ref().map(|survey| self.sights_json(survey)),
        });
        if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
            told.extend(more);
        }
        told
    }

    fn sights_json(&self, survey: &Survey) -> Value {
        let sight = |one: &Sight| {
            object!({
                "name": one.name.as_str(),
                "right": one.lead.as_ref().map(Lead::is_right),
                "saw": self.sights().lead(one),
                "renewal": self.sights().renewal_of(one).map(|(_, text)| text),
            })
        };
        object!({"at": words::rfc3339(survey.at), "names": survey.sights.iter().map(sight).collect::<Vec<_>>()})
    }
}

/// Whether the user has something to do for a domain.
pub(crate) fn is_open(one: &DomainInstructions) -> bool {
    one.state == ProofState::Open && one.proven_by.is_none()
}

/// What went wrong upstream is the operator's.
fn for_tenant(operation: &Operation) -> Value {
    json::operation(&Operation { error: None, waits_for: None, ..operation.clone() })
}

fn line_for_tenant(entry: &LogEntry) -> Value {
    let sentence = if entry.outcome == "done" { entry.sentence.clone() } else { String::new() };
    json::line(&LogEntry { sentence, request_id: None, ..entry.clone() })
}

impl Domain<'_> {
    /// How it stands, in a word or three.
    pub(crate) fn badge(&self) -> (Tone, &'static str) {
        let state = self.record.map(|record| record.state);
        match (self.proof.map(|proof| (proof.state, proof.proven_by)), state) {
            (Some((ProofState::Open, None)), _) => (Tone::Waiting, "To be proven by you"),
            (Some((ProofState::Open, Some(_))), _) => (Tone::Busy, "Seen; to be checked"),
            (Some((ProofState::Answered, _)), _) => (Tone::Busy, "Seen; being checked"),
            (_, Some(DomainState::Lapsed)) => (Tone::Bad, "Not served any more"),
            (Some((ProofState::Proven, _)), _) | (None, Some(DomainState::Proven)) => (Tone::Good, "Proven"),
            (None, None) => (Tone::Busy, "What to do follows in a moment"),
        }
    }
}
