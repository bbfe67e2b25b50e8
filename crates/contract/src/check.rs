use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Clock, InstanceId, Side, Timestamp};

/// Something that the service relies on and that is tried out from time to time, so that its operator knows before its
/// users do.
///
/// A check may be run at any moment, also by hand, and never by two at once: all brokers on one database share the runs. A
/// run may be broken off at any instant; what it leaves behind in the world is removed by the next one, which it tells
/// about it by [`CheckStore::remember`](crate::CheckStore::remember), before it makes anything.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name, such as `acme-directory`: lower-case words with hyphens. It is stored, so it stays what it is.
    fn name(&self) -> &'static str;

    /// One sentence: what is true as long as it succeeds.
    fn stands_for(&self) -> &'static str;

    /// When it is run, and for how long at most.
    fn schedule(&self) -> CheckSchedule;

    /// How many failures in a row make an incident; `None` when it tells the operator by itself.
    fn incident_after(&self) -> Option<u32> {
        Some(2)
    }

    /// Tries it out once. It panics, or takes longer than its schedule allows: then it has failed.
    async fn run(&self, steps: &StepTimes) -> CheckOutcome;
}

/// When a check is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckSchedule {
    /// From the end of one run to the next, more or less: a tenth of it is left to chance.
    pub every: Duration,
    /// From a failure to the next run; twice as long after each further one, up to `every`.
    pub retry: Duration,
    /// A run that takes longer is broken off, and has failed.
    pub limit: Duration,
}

impl CheckSchedule {
    /// So often, tried again after a tenth of that, or after five minutes if that is sooner.
    pub fn new(every: Duration, limit: Duration) -> Self {
        let retry = (every / 10).clamp(Duration::from_secs(1), Duration::from_mins(5));
        Self { every, retry: retry.min(every), limit }
    }
}

/// How a check went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "verdict")]
pub enum CheckOutcome {
    /// All is as it should be.
    Ok,
    /// Something is not.
    Failing(CheckFailure),
    /// It is not over: it waits for something that takes its time, and holds nothing meanwhile. Whoever runs it next, after
    /// this long, goes on with it. Nothing is said yet, and no run is counted.
    Underway {
        /// When it makes sense to go on.
        again: Duration,
        /// A sentence: what it waits for.
        waits_for: String,
    },
    /// It could not be tried out, which says nothing about what it stands for: for example because the authority's limits
    /// leave no room for it now.
    Skipped {
        /// A sentence: why.
        why: String,
    },
}

/// What a check has found wanting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFailure {
    /// On whose side the cause lies, as far as can be told.
    pub side: Side,
    /// What kind of failure it is, in a few words that are the same whenever it is the same: `terms-changed`, or the
    /// upstream's own code. No names, no numbers.
    pub class: String,
    /// A sentence for the operator: what is wrong, with the upstream's request id, and what can be done. No secrets.
    pub sentence: String,
    /// A sentence: what the broker does that relies on what has failed.
    pub relies: String,
    /// The instances that are affected, if they can be told.
    pub affected: Vec<InstanceId>,
}

impl CheckFailure {
    /// A failure that affects no instance in particular.
    pub fn new(
        side: Side,
        class: impl Into<String>,
        sentence: impl Into<String>,
        relies: impl Into<String>,
    ) -> Self {
        Self {
            side,
            class: class.into(),
            sentence: sentence.into(),
            relies: relies.into(),
            affected: Vec::new(),
        }
    }
}

impl From<Result<(), CheckFailure>> for CheckOutcome {
    fn from(result: Result<(), CheckFailure>) -> Self {
        result.map_or_else(Self::Failing, |()| Self::Ok)
    }
}

/// How long one step of a run took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTime {
    /// What was done: a few words, the same in every run.
    pub name: String,
    /// How long it took, in milliseconds; for a step that did not end, until the run was broken off.
    pub millis: u64,
    /// Whether it ended.
    pub ended: bool,
}

/// Measures the steps of a run, also of one that is broken off: what has taken how long, and where it was stuck.
pub struct StepTimes {
    clock: Arc<dyn Clock>,
    steps: Mutex<Vec<Measured>>,
}

struct Measured {
    name: String,
    began: Timestamp,
    ended: Option<Timestamp>,
}

impl StepTimes {
    /// No steps yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, steps: Mutex::default() }
    }

    /// Does one step of the run.
    pub async fn step<T>(&self, name: &str, work: impl Future<Output = T>) -> T {
        let began = self.clock.now();
        let number = self.with(|steps| {
            steps.push(Measured { name: name.to_owned(), began, ended: None });
            steps.len() - 1
        });
        let result = work.await;
        let ended = Some(self.clock.now());
        self.with(|steps| steps.get_mut(number).map(|step| step.ended = ended));
        result
    }

    /// Notes a step that was measured elsewhere: one that began in an earlier run.
    pub fn note(&self, name: &str, took: Duration) {
        let ended = self.clock.now();
        let (name, began) = (name.to_owned(), ended - took);
        self.with(|steps| steps.push(Measured { name, began, ended: Some(ended) }));
    }

    /// What was measured so far, in the order in which the steps began.
    pub fn taken(&self) -> Vec<StepTime> {
        let now = self.clock.now();
        let taken = |step: &Measured| StepTime {
            name: step.name.clone(),
            millis: u64::try_from(step.ended.unwrap_or(now).since(step.began).as_millis())
                .unwrap_or(u64::MAX),
            ended: step.ended.is_some(),
        };
        self.with(|steps| steps.iter().map(taken).collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Measured>) -> T) -> T {
        work(&mut self.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    #[tokio::test]
    async fn steps_are_measured_also_when_they_do_not_end() {
        let clock = ManualClock::new();
        let times = StepTimes::new(Arc::new(clock.clone()));
        let first = times.step("ask", async { clock.advance(Duration::from_millis(250)) });
        first.await;
        let stuck = times.step("wait", std::future::pending::<()>());
        let stuck = tokio::time::timeout(Duration::ZERO, stuck).await;
        assert!(stuck.is_err());
        clock.advance(Duration::from_secs(1));
        let step = |name: &str, millis, ended| StepTime { name: name.to_owned(), millis, ended };
        assert_eq!(times.taken(), [step("ask", 250, true), step("wait", 1000, false)]);
    }

    #[test]
    fn a_failure_is_retried_soon() {
        let schedule =
            |every, limit| CheckSchedule::new(Duration::from_secs(every), Duration::from_secs(limit));
        assert_eq!(schedule(900, 30).retry, Duration::from_secs(90));
        assert_eq!(schedule(86_400, 30).retry, Duration::from_mins(5));
        assert_eq!(schedule(1, 1).retry, Duration::from_secs(1));
    }
}
