//! The same thing at several tenants' is nobody's own problem.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    Alert, Alerts, Check, CheckFailure, CheckOutcome, CheckSchedule, CheckStore, Clock, InstanceId, Mishap,
    PortResult, Side, StepTimes, Timestamp, TroubleStore,
};
use serde::{Deserialize, Serialize};

use super::tell::likely;
use crate::describe;

/// Within this time the same thing at several tenants' is an incident; when nobody has met it for so long, it is over.
pub(super) const WINDOW: Duration = Duration::from_hours(1);

/// For how long mishaps are kept.
const KEPT: Duration = Duration::from_hours(24);

/// How many are looked at. More than this of one hour are an incident anyway.
const MOST: u32 = 5_000;

/// Where the check remembers which incidents are open.
const OPEN: &str = "several-tenants/open";

/// The check `several-tenants`: no two failures of different tenants are the same. Whatever goes wrong with single
/// instances is kept as a [`Mishap`]; this one looks whose they are, and opens an incident for each class that several
/// tenants have met within an hour. The problem of a single tenant opens none.
pub struct SeveralTenants {
    /// What has gone wrong with single instances.
    pub troubles: Arc<dyn TroubleStore>,
    /// Which incidents are open.
    pub store: Arc<dyn CheckStore>,
    /// Who tells the operator.
    pub alerts: Arc<dyn Alerts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How many tenants are several; at least 2.
    pub several: usize,
}

/// The incidents that are open, by class.
#[derive(Default, Serialize, Deserialize)]
struct Open(BTreeMap<String, Incident>);

#[derive(Serialize, Deserialize)]
struct Incident {
    since: Timestamp,
    last: Timestamp,
    side: Side,
}

impl SeveralTenants {
    async fn look(&self) -> PortResult<CheckOutcome> {
        let now = self.clock.now();
        let mishaps = self.troubles.mishaps(now - WINDOW, MOST).await?;
        self.troubles.forget_before(now - KEPT).await?;
        let known = self.store.recall(OPEN).await?;
        let mut open: Open = known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let classes = by_class(&mishaps);
        let mut failures = Vec::new();
        for (class, met) in &classes {
            if let Some(incident) = open.0.get_mut(*class) {
                incident.last = met.iter().map(|one| one.at).max().unwrap_or(now);
            } else if tenants(met).len() >= self.several {
                self.open(class, met, &mut open).await;
            }
            if open.0.contains_key(*class) {
                failures.push(failure(class, met));
            }
        }
        self.close(&mut open, &classes, now).await;
        // Texts and numbers can always be written.
        self.store.remember(OPEN, &serde_json::to_string(&open).unwrap_or_default()).await?;
        Ok(failures.into_iter().reduce(together).map_or(CheckOutcome::Ok, CheckOutcome::Failing))
    }

    async fn open(&self, class: &str, met: &[&Mishap], open: &mut Open) {
        let failure = failure(class, met);
        let since = met.iter().map(|one| one.at).min().unwrap_or_else(|| self.clock.now());
        let last = met.iter().map(|one| one.at).max().unwrap_or(since);
        open.0.insert(class.to_owned(), Incident { since, last, side: failure.side });
        let message = format!("{}. {}.", failure.sentence.trim_end_matches('.'), likely(failure.side));
        let alert = Alert::new(subject(class), message).on(failure.side).affecting(failure.affected);
        self.alerts.raise(alert).await;
    }

    /// Nobody has met it for an hour.
    async fn close(&self, open: &mut Open, classes: &BTreeMap<&str, Vec<&Mishap>>, now: Timestamp) {
        let over: Vec<String> =
            open.0.keys().filter(|class| !classes.contains_key(class.as_str())).cloned().collect();
        for class in over {
            let Some(incident) = open.0.remove(&class) else { continue };
            let lasted = describe::span(incident.last.since(incident.since));
            let quiet = describe::span(now.since(incident.last));
            let message =
                format!("nobody has met it for {quiet}. From the first to the last it was {lasted}.");
            self.alerts.resolve(Alert::new(subject(&class), message).on(incident.side)).await;
        }
    }
}

fn subject(class: &str) -> String {
    format!("the same failure at several tenants': {class}")
}

fn by_class(mishaps: &[Mishap]) -> BTreeMap<&str, Vec<&Mishap>> {
    let mut classes: BTreeMap<&str, Vec<&Mishap>> = BTreeMap::new();
    for mishap in mishaps {
        classes.entry(mishap.class.as_str()).or_default().push(mishap);
    }
    classes
}

fn tenants<'a>(met: &[&'a Mishap]) -> BTreeSet<&'a str> {
    met.iter().map(|one| one.tenant.as_str()).collect()
}

fn failure(class: &str, met: &[&Mishap]) -> CheckFailure {
    let (tenants, instances) = (tenants(met).len(), met.len());
    let (latest, side) = met
        .iter()
        .max_by_key(|one| one.at)
        .map_or(("", Side::Us), |latest| (latest.sentence.as_str(), whose(latest.side)));
    let sentence = format!(
        "{instances} instance(s) of {tenants} tenant(s) have met the same within an hour ({class}), so it is not one \
         tenant's own problem. The latest: {latest}"
    );
    let relies = "every instance that has the same step before it will meet it too";
    let affected: Vec<InstanceId> = met.iter().map(|one| one.instance.clone()).collect();
    CheckFailure { affected, ..CheckFailure::new(side, class, sentence, relies) }
}

/// What several tenants meet at once is hardly each one's own doing.
fn whose(side: Side) -> Side {
    if side == Side::Tenant { Side::Dns } else { side }
}

fn together(first: CheckFailure, second: CheckFailure) -> CheckFailure {
    CheckFailure {
        sentence: format!("{} Also: {}", first.sentence, second.sentence),
        affected: [first.affected, second.affected].concat(),
        ..first
    }
}

#[async_trait]
impl Check for SeveralTenants {
    fn name(&self) -> &'static str {
        "several-tenants"
    }

    fn stands_for(&self) -> &'static str {
        "no failure was met by several tenants within an hour, so whatever fails is one tenant's own"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(Duration::from_secs(30), Duration::from_secs(20))
    }

    /// Each class is an incident of its own.
    fn incident_after(&self) -> Option<u32> {
        None
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        let looked = steps.step("compare", self.look()).await;
        looked.unwrap_or_else(|error| super::unable(&error))
    }
}
