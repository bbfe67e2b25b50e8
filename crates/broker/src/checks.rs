//! What the service relies on, tried out from time to time: when, by whom, and what follows.
//!
//! How each check stands is kept in the store, once for all brokers on it: one of them runs it at a time, under a lease
//! that outlives its time limit. A failure is repeated soon; the second one in a row opens an incident, the first success
//! closes it. A run has a task of its own and touches no operation, so it delays nobody's work.

mod acme_issue;
mod course;
mod expiry;
mod live_sites;
mod run;
mod several;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use contract::{
    Alerts, Check, CheckFailure, CheckOutcome, CheckRecord, CheckRun, CheckSchedule, CheckStore, Clock,
    PortError, PortResult, Randomness, Side, Timestamp,
};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use self::acme_issue::AcmeIssue;
use self::course::{is_due, lease};
pub use self::expiry::Expiry;
pub use self::live_sites::LiveSites;
pub use self::several::SeveralTenants;

/// What checks are run with.
#[derive(Clone)]
pub struct CheckPorts {
    /// How they stand, and what became of their runs.
    pub store: Arc<dyn CheckStore>,
    /// Who tells the operator.
    pub alerts: Arc<dyn Alerts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, so that many brokers do not ask at the same moment.
    pub randomness: Arc<dyn Randomness>,
}

/// The checks of this broker. A clone is the same.
#[derive(Clone)]
pub struct Checks(Arc<Inner>);

struct Inner {
    checks: Vec<Arc<dyn Check>>,
    ports: CheckPorts,
    every: BTreeMap<String, Duration>,
    by_themselves: WhichChecks,
}

/// Which checks run by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WhichChecks {
    /// All.
    #[default]
    All,
    /// None: they are run by hand alone.
    None,
    /// Those of these names.
    Named(Vec<String>),
}

impl WhichChecks {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Named(names) => names.iter().any(|one| one == name),
        }
    }
}

/// A check and how it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// How it stands, as it is stored.
    pub record: CheckRecord,
    /// What is true as long as it succeeds; `None` for one that this broker does not run.
    pub stands_for: Option<String>,
    /// How often it is run, more or less; `None` for one that this broker does not run by itself.
    pub every: Option<Duration>,
    /// Its last run, if there was one.
    pub last: Option<CheckRun>,
}

/// What became of a run that was asked for by hand.
#[derive(Clone, Debug)]
pub enum ByHand {
    /// It has ended.
    Ran(Box<CheckRun>),
    /// Somebody else runs it at this moment, until then at the latest.
    Busy(Timestamp),
    /// This broker has no check of this name.
    Unknown,
}

/// The longest time without a look: another broker may have died in the middle of a run.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// The shortest, when a check is due that somebody else runs.
const SHORTEST_NAP: Duration = Duration::from_secs(1);

/// Within which time of the start of the first broker its checks are run for the first time.
const FIRST: Duration = Duration::from_mins(1);

impl Checks {
    /// These checks, on these ports.
    pub fn new(checks: Vec<Arc<dyn Check>>, ports: CheckPorts) -> Self {
        Self::paced(checks, ports, BTreeMap::new())
    }

    /// The same; those whose names are given run so often instead of as often as they say.
    pub fn paced(checks: Vec<Arc<dyn Check>>, ports: CheckPorts, every: BTreeMap<String, Duration>) -> Self {
        Self(Arc::new(Inner { checks, ports, every, by_themselves: WhichChecks::All }))
    }

    /// The same, of which only these run by themselves.
    #[must_use]
    pub fn only(self, which: &WhichChecks) -> Self {
        let Inner { checks, ports, every, .. } = self.0.as_ref();
        let (checks, ports, every) = (checks.clone(), ports.clone(), every.clone());
        Self(Arc::new(Inner { checks, ports, every, by_themselves: which.clone() }))
    }

    fn by_themselves(&self) -> impl Iterator<Item = &Arc<dyn Check>> {
        self.0.checks.iter().filter(|check| self.0.by_themselves.has(check.name()))
    }

    fn schedule(&self, check: &dyn Check) -> CheckSchedule {
        let own = check.schedule();
        match self.0.every.get(check.name()) {
            Some(every) => CheckSchedule::new(*every, own.limit),
            None => own,
        }
    }

    /// Runs what is due, whenever it is, until `stop` turns true. Runs are broken off then, and fall due again.
    pub async fn serve(&self, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        let mut busy = BTreeSet::new();
        loop {
            let (due, nap) = self.due(&busy).await;
            for check in due {
                busy.insert(check.name().to_owned());
                running.spawn(self.clone().turn(check, stop.clone()));
            }
            tokio::select! {
                // A sender that is gone has stopped as well.
                _ = stop.wait_for(|stopped| *stopped) => break,
                Some(ended) = running.join_next() => match ended {
                    Ok(name) => drop(busy.remove(&name)),
                    // Whose run it was cannot be told. The leases tell who is busy.
                    Err(_) => busy.clear(),
                },
                () = nap_for(nap) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Runs everything that is due now, one after the other, and says how many were.
    ///
    /// Errors: the store's.
    pub async fn run_due(&self) -> PortResult<usize> {
        let mut ran = 0;
        for check in self.by_themselves() {
            let record = self.record(check.as_ref()).await?;
            let now = self.0.ports.store.now().await?;
            if is_due(&record, self.schedule(check.as_ref()), now)
                && self.take_and_run(check.as_ref(), &record, now).await?.is_some()
            {
                ran += 1;
            }
        }
        Ok(ran)
    }

    /// Runs a check now, whenever it would be due.
    ///
    /// Errors: the store's.
    pub async fn run_now(&self, name: &str) -> PortResult<ByHand> {
        let Some(check) = self.0.checks.iter().find(|check| check.name() == name) else {
            return Ok(ByHand::Unknown);
        };
        let record = self.record(check.as_ref()).await?;
        let now = self.0.ports.store.now().await?;
        if let Some(until) = lease(&record, self.schedule(check.as_ref()), now) {
            return Ok(ByHand::Busy(until));
        }
        let ran = self.take_and_run(check.as_ref(), &record, now).await?;
        Ok(ran.map_or(ByHand::Busy(now), |run| ByHand::Ran(Box::new(run))))
    }

    /// All checks that this broker runs, in its order, and behind them those that others have run on this database.
    ///
    /// Errors: the store's.
    pub async fn list(&self) -> PortResult<Vec<Standing>> {
        let mut list = Vec::new();
        for check in &self.0.checks {
            let record = self.record(check.as_ref()).await?;
            list.push(self.standing(record, Some(check.as_ref())).await?);
        }
        for record in self.0.ports.store.all().await? {
            if !list.iter().any(|known: &Standing| known.record.name == record.name) {
                list.push(self.standing(record, None).await?);
            }
        }
        Ok(list)
    }

    /// The latest runs of a check, the newest first; `None` when nobody has ever heard of it.
    ///
    /// Errors: the store's.
    pub async fn history(&self, name: &str, most: u32) -> PortResult<Option<Vec<CheckRun>>> {
        let runs = self.0.ports.store.history(name, most).await?;
        let known = !runs.is_empty() || self.0.checks.iter().any(|check| check.name() == name);
        Ok(known.then_some(runs))
    }

    async fn standing(&self, record: CheckRecord, check: Option<&dyn Check>) -> PortResult<Standing> {
        let last = self.0.ports.store.history(&record.name, 1).await?.pop();
        let stands_for = check.map(|check| check.stands_for().to_owned());
        Ok(Standing {
            record,
            stands_for,
            every: check
                .filter(|check| self.0.by_themselves.has(check.name()))
                .map(|check| self.schedule(check).every),
            last,
        })
    }

    /// What is due and not being run by us already, and how long nothing else is.
    async fn due(&self, busy: &BTreeSet<String>) -> (Vec<Arc<dyn Check>>, Duration) {
        self.look(busy).await.unwrap_or_else(|error| {
            tracing::error!(%error, "could not look which checks are due");
            (Vec::new(), LONGEST_NAP)
        })
    }

    async fn look(&self, busy: &BTreeSet<String>) -> PortResult<(Vec<Arc<dyn Check>>, Duration)> {
        let store = &self.0.ports.store;
        let (known, now) = (store.all().await?, store.now().await?);
        let (mut due, mut nap) = (Vec::new(), LONGEST_NAP);
        for check in self.by_themselves().filter(|check| !busy.contains(check.name())) {
            let record = known.iter().find(|record| record.name == check.name()).cloned();
            let record = match record {
                Some(record) => record,
                None => self.record(check.as_ref()).await?,
            };
            if is_due(&record, self.schedule(check.as_ref()), now) {
                due.push(check.clone());
            } else {
                nap = nap.min(record.next_at.since(now).max(SHORTEST_NAP));
            }
        }
        Ok((due, nap))
    }

    /// One run, unless somebody else was faster. Gives the name back.
    async fn turn(self, check: Arc<dyn Check>, stop: watch::Receiver<bool>) -> String {
        let name = check.name().to_owned();
        let result = async {
            let record = self.record(check.as_ref()).await?;
            let now = self.0.ports.store.now().await?;
            if is_due(&record, self.schedule(check.as_ref()), now) {
                self.run_until_stopped(check.as_ref(), &record, now, stop).await?;
            }
            PortResult::Ok(())
        };
        if let Err(error) = result.await {
            tracing::error!(%error, check.name = name, "could not run a check");
        }
        name
    }

    /// How a check stands. One that was never run begins at a moment of its own.
    async fn record(&self, check: &dyn Check) -> PortResult<CheckRecord> {
        let store = &self.0.ports.store;
        let first = FIRST.min(self.schedule(check).every);
        let next_at = store.now().await? + first * u32::from(self.chance()) / 256;
        store.ensure(&CheckRecord::new(check.name(), next_at)).await
    }

    fn chance(&self) -> u8 {
        let [chance, ..] = self.0.ports.randomness.bytes();
        chance
    }
}

/// Sleeping is how a tick of the timer is waited for.
#[expect(clippy::disallowed_methods, reason = "the timer of what is tried out from time to time")]
async fn nap_for(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// What a check says when it could not look at all.
fn unable(error: &PortError) -> CheckOutcome {
    let (side, class) = error.class().unwrap_or((Side::Us, "error"));
    let relies = "without this check nobody knows of what it looks for before users do";
    CheckOutcome::Failing(CheckFailure::new(side, class, error.to_string(), relies))
}

/// Writes down how a run went, once.
fn log(run: &CheckRun) {
    let name = &run.check;
    match &run.outcome {
        CheckOutcome::Ok => tracing::debug!(check.name = name, "a check has succeeded"),
        CheckOutcome::Skipped { why } => tracing::info!(check.name = name, "a check was skipped: {why}"),
        CheckOutcome::Underway { waits_for, .. } => {
            tracing::debug!(check.name = name, "a check waits: {waits_for}");
        }
        CheckOutcome::Failing(failure) => tracing::warn!(
            check.name = name,
            check.side = failure.side.word(),
            check.class = failure.class,
            "a check has failed: {}",
            failure.sentence
        ),
    }
}
