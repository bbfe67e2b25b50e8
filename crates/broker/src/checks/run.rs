//! One run: under a lease and a time limit, whatever the check does.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use contract::{
    Check, CheckFailure, CheckOutcome, CheckRecord, CheckRun, PortResult, Side, StepTimes, Timestamp,
};
use futures_util::FutureExt as _;
use tokio::sync::watch;

use super::course::{Course, MARGIN};
use super::{Checks, log};

impl Checks {
    /// Takes a check and runs it to its end. `None` when somebody else was faster, or has taken it over.
    pub(super) async fn take_and_run(
        &self,
        check: &dyn Check,
        record: &CheckRecord,
        now: Timestamp,
    ) -> PortResult<Option<CheckRun>> {
        let Some(taken) = self.take(check, record, now).await? else { return Ok(None) };
        let run = self.run(check, &taken).await;
        self.settle(check, &taken, run).await
    }

    /// The same, but when `stop` turns true the run is broken off, and the check is left to whoever comes next.
    pub(super) async fn run_until_stopped(
        &self,
        check: &dyn Check,
        record: &CheckRecord,
        now: Timestamp,
        mut stop: watch::Receiver<bool>,
    ) -> PortResult<()> {
        let Some(taken) = self.take(check, record, now).await? else { return Ok(()) };
        let run = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => None,
            run = self.run(check, &taken) => Some(run),
        };
        match run {
            Some(run) => self.settle(check, &taken, run).await.map(drop),
            None => self.give_back(&taken).await,
        }
    }

    async fn take(
        &self,
        check: &dyn Check,
        record: &CheckRecord,
        now: Timestamp,
    ) -> PortResult<Option<CheckRecord>> {
        if record.leased_until.is_some() {
            tracing::warn!(check.name = record.name, "a run of a check was broken off; it is run again");
        }
        let leased_until = Some(now + check.schedule().limit + MARGIN);
        self.0.ports.store.change(record, &CheckRecord { leased_until, ..record.clone() }).await
    }

    async fn give_back(&self, taken: &CheckRecord) -> PortResult<()> {
        let free = CheckRecord { leased_until: None, ..taken.clone() };
        self.0.ports.store.change(taken, &free).await.map(drop)
    }

    async fn run(&self, check: &dyn Check, taken: &CheckRecord) -> CheckRun {
        let clock = &self.0.ports.clock;
        let (steps, began) = (StepTimes::new(clock.clone()), clock.now());
        let limit = check.schedule().limit;
        let run = AssertUnwindSafe(check.run(&steps)).catch_unwind();
        let outcome = match tokio::time::timeout(limit, run).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => CheckOutcome::Failing(panicked(panic.as_ref())),
            Err(_) => CheckOutcome::Failing(too_long(check, limit, &steps)),
        };
        let number = taken.runs.saturating_add(1);
        let took = clock.now().since(began);
        CheckRun { check: taken.name.clone(), number, began, took, outcome, steps: steps.taken() }
    }

    /// Tells the operator first: twice is better than never.
    async fn settle(
        &self,
        check: &dyn Check,
        taken: &CheckRecord,
        run: CheckRun,
    ) -> PortResult<Option<CheckRun>> {
        log(&run);
        let now = self.0.ports.store.now().await?;
        let schedule = self.schedule(check);
        let incident_after = check.incident_after();
        let course = Course { schedule, incident_after, taken, run: &run, now, chance: self.chance() };
        let next = course.next();
        if matches!(run.outcome, CheckOutcome::Underway { .. }) {
            return Ok(self.0.ports.store.change(taken, &next).await?.map(|_| run));
        }
        self.tell(taken, &next, &run).await;
        Ok(self.0.ports.store.finish(taken, &next, &run).await?.then_some(run))
    }
}

const BY_ITSELF: &str = "the broker tries out what it relies on, so that its operator knows first";

/// A check that panics has failed; the service goes on.
fn panicked(panic: &(dyn Any + Send)) -> CheckFailure {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why");
    let sentence = format!("the check itself is broken: it has panicked ({text}). Please report it.");
    CheckFailure::new(Side::Us, "panic", sentence, BY_ITSELF)
}

fn too_long(check: &dyn Check, limit: Duration, steps: &StepTimes) -> CheckFailure {
    let stuck = steps.taken().into_iter().find(|step| !step.ended);
    let stuck = stuck.map_or_else(String::new, |step| format!(", stuck at `{}`", step.name));
    let sentence = format!("it was not done within {} seconds{stuck}", limit.as_secs());
    CheckFailure::new(Side::Us, "too-long", sentence, check.stands_for())
}
