use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{
    Alert, Claim, Cursor, InstanceState, KeyType, LeaseToken, Meter, Mishap, NoMeter, Operation,
    OperationState, PortError, PortResult, Remedy, Side, Timestamp,
};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::alerts::subject;
use crate::decide::{Decision, Situation};
use crate::mishap;
use crate::service::of_operation;
use crate::workflow::{Run, Step};
use crate::{Pace, Plans, Ports};

/// What the worker is told by the operator.
#[derive(Clone, Debug, Default)]
pub struct WorkSettings {
    /// How long things may take.
    pub pace: Pace,
    /// The kind of key for new certificates.
    pub key_type: KeyType,
    /// What goes with each plan.
    pub plans: Plans,
}

/// Runs the steps of operations that are due. Several workers, in one process or in many, share one database.
#[derive(Clone)]
pub struct Worker {
    ports: Ports,
    settings: Arc<WorkSettings>,
    meter: Arc<dyn Meter>,
    wake: Arc<Notify>,
    /// The claims that are being worked on, to be given back when the process stops in the middle.
    held: Arc<Mutex<Vec<Claim>>>,
}

/// How many operations one process works on at once. A step mostly waits for an answer from far away, so this bounds
/// calls in flight upstream, not processor time.
const CONCURRENCY: usize = 8;

/// The longest time without a look at the queue: another process may have put work there.
const LONGEST_NAP: Duration = Duration::from_secs(2);

/// The shortest, when the next operation is overdue because somebody else holds its instance.
const SHORTEST_NAP: Duration = Duration::from_millis(250);

impl Worker {
    /// A worker on these ports.
    pub fn new(ports: Ports, settings: WorkSettings) -> Self {
        let (settings, meter) = (Arc::new(settings), Arc::new(NoMeter));
        Self { ports, settings, meter, wake: Arc::default(), held: Arc::default() }
    }

    /// The same worker, whose work is counted.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<dyn Meter>) -> Self {
        self.meter = meter;
        self
    }

    /// The bell that makes the worker look at once.
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Works until `stop` turns true; then takes on nothing new, and gives what is running `grace` to finish. What
    /// does not finish is given back, for another process to go on with.
    pub async fn serve(&self, mut stop: watch::Receiver<bool>, grace: Duration) {
        let mut running = JoinSet::new();
        while !*stop.borrow() {
            let nap = self.fill(&mut running).await;
            tokio::select! {
                _ = stop.changed() => {}
                () = self.wake.notified() => {}
                Some(_) = running.join_next() => {}
                () = nap_for(nap) => {}
            }
        }
        let drained = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, drained).await.is_err() {
            tracing::warn!("stopping in the middle of steps; another process will repeat them");
            running.shutdown().await;
            self.give_back_everything().await;
        }
    }

    /// Runs everything that is due now, one after another, and says how many operations it took on.
    ///
    /// Errors: the store's, when work could not even be claimed.
    pub async fn run_due(&self) -> PortResult<usize> {
        let mut count = 0;
        while let Some(claim) = self.claim().await? {
            self.work(claim).await;
            count += 1;
        }
        Ok(count)
    }

    /// Takes on what is due, up to the limit, and says how long there is nothing else to do.
    async fn fill(&self, running: &mut JoinSet<()>) -> Duration {
        while running.len() < CONCURRENCY {
            match self.claim().await {
                Ok(Some(claim)) => {
                    let worker = self.clone();
                    running.spawn(async move { worker.work(claim).await });
                }
                Ok(None) => return self.nap().await,
                Err(error) => {
                    tracing::error!(%error, "could not look for work");
                    return LONGEST_NAP;
                }
            }
        }
        LONGEST_NAP
    }

    async fn claim(&self) -> PortResult<Option<Claim>> {
        let token = LeaseToken::new(self.ports.fresh_id());
        let mut claim = self.ports.queue.claim(&token, self.settings.pace.lease()).await?;
        if let Some(claim) = &mut claim {
            excuse(&mut claim.operation, self.ports.clock.now());
        }
        Ok(claim)
    }

    async fn nap(&self) -> Duration {
        match self.ports.queue.next_due().await {
            Ok(Some(due)) => due.since(self.ports.clock.now()).clamp(SHORTEST_NAP, LONGEST_NAP),
            Ok(None) | Err(_) => LONGEST_NAP,
        }
    }

    /// Works on one claimed operation. Every line that is logged on the way names it, its instance and the request that has
    /// begun it (R14).
    async fn work(&self, claim: Claim) {
        let span = of_operation(&claim.operation);
        self.work_on(claim).instrument(span).await;
    }

    /// Runs steps of one claimed operation for as long as one follows the other without a wait.
    async fn work_on(&self, mut claim: Claim) {
        self.held().push(claim.clone());
        loop {
            let cursor = match self.step(&claim.operation).await {
                Ok(cursor) => cursor,
                Err(error) => {
                    tracing::error!(%error, operation.id = %claim.operation.id, "could not read the instance");
                    break;
                }
            };
            match self.ports.queue.save(&claim, &cursor, self.settings.pace.lease()).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, operation.id = %claim.operation.id, "could not save the cursor");
                    break;
                }
            }
            move_to(&mut claim.operation, cursor);
            self.meter.ended(claim.operation.kind, claim.operation.state);
            let due = claim.operation.next_at <= self.ports.clock.now();
            if claim.operation.state != OperationState::Running || !due {
                break;
            }
        }
        self.held().retain(|held| held.token != claim.token);
        self.release(&claim).await;
    }

    async fn give_back_everything(&self) {
        let held = std::mem::take(&mut *self.held());
        for claim in held {
            self.release(&claim).await;
        }
    }

    async fn release(&self, claim: &Claim) {
        if let Err(error) = self.ports.queue.release(claim).await {
            tracing::warn!(%error, operation.id = %claim.operation.id, "could not release the lease; it will expire");
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Claim>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the step at the cursor and decides what follows. The error is the store's: nothing was run.
    async fn step(&self, operation: &Operation) -> PortResult<Cursor> {
        let Some(instance) = self.ports.instances.find(&operation.instance).await? else {
            return Err(PortError::new("work on an operation", Remedy::GiveUp, "its instance has no row"));
        };
        let Some(step) = Step::of(operation) else {
            return Ok(self.unknown_step(operation).await);
        };
        let run = Run::prepare(&self.ports, &self.settings, operation, &instance).await?;
        let (limit, begun) = (self.settings.pace.step_timeout, self.ports.clock.now());
        let result = match tokio::time::timeout(limit, Box::pin(run.step(step))).await {
            Ok(result) => result,
            Err(_) => Err(PortError::new(
                step.name(),
                Remedy::Retry { after: None },
                format!("no answer within {} s", limit.as_secs()),
            )),
        };
        if let Err(error) = &result {
            self.note(operation, step, error).await;
        }
        let [chance, ..] = self.ports.randomness.bytes();
        let now = self.ports.clock.now();
        self.meter.step(operation.kind, step.name(), now.since(begun).as_secs_f64());
        let decision = Situation { operation, step, pace: &self.settings.pace, now, chance }.decide(result);
        Ok(self.publish(operation, decision).await)
    }

    /// Keeps what an instance has met, so that it can be seen when several tenants' have.
    async fn note(&self, operation: &Operation, step: Step, error: &PortError) {
        let Some(class) = mishap::class(operation, step, error) else { return };
        let noted = async {
            let Some(instance) = self.ports.instances.find(&operation.instance).await? else { return Ok(()) };
            let mishap = Mishap {
                class,
                instance: operation.instance.clone(),
                tenant: instance.request.organization,
                side: mishap::side(error),
                sentence: error.to_string(),
                at: self.ports.clock.now(),
            };
            self.ports.troubles.note(&mishap).await
        };
        if let Err(error) = noted.await {
            tracing::error!(%error, operation.id = %operation.id, "could not keep what an instance has met");
        }
    }

    /// Writes the history and tells the operator, before the cursor moves: twice is better than never.
    async fn publish(&self, operation: &Operation, decision: Decision) -> Cursor {
        if let Some(entry) = &decision.log {
            tracing::info!(
                operation.id = %operation.id, instance.id = %operation.instance, step = %entry.step,
                outcome = %entry.outcome, upstream.request_id = entry.request_id, "{}", entry.sentence
            );
            if let Err(error) = self.ports.queue.log(entry).await {
                tracing::error!(%error, operation.id = %operation.id, "could not write the history");
            }
        }
        if let Some(alert) = decision.alert {
            self.ports.alerts.raise(alert).await;
        }
        decision.cursor
    }

    /// The row was written by a version of this program that knew other steps. Left alone for that version.
    async fn unknown_step(&self, operation: &Operation) -> Cursor {
        let message = format!("step `{}` is not one of this version's", operation.step);
        let subject = subject::operation(&operation.id, &operation.instance);
        let alert = Alert::new(subject, &message).on(Side::Us).affecting([operation.instance.clone()]);
        self.ports.alerts.raise(alert).await;
        Cursor {
            state: OperationState::Running,
            step: operation.step.clone(),
            attempt: operation.attempt,
            next_at: self.ports.clock.now() + Duration::from_mins(5),
            step_since: operation.step_since,
            sentence: operation.sentence.clone(),
            error: Some(message),
            waits_for: operation.waits_for.clone(),
            instance_state: None::<InstanceState>,
            adopt: false,
        }
    }
}

/// Work that waits for the operator has not become late because nobody came when it was due.
fn excuse(operation: &mut Operation, now: Timestamp) {
    if operation.waits_for.is_some() {
        operation.step_since = operation.step_since + now.since(operation.next_at);
    }
}

fn move_to(operation: &mut Operation, cursor: Cursor) {
    operation.state = cursor.state;
    operation.step = cursor.step;
    operation.attempt = cursor.attempt;
    operation.next_at = cursor.next_at;
    operation.step_since = cursor.step_since;
    operation.sentence = cursor.sentence;
    operation.error = cursor.error;
    operation.waits_for = cursor.waits_for;
}

/// Sleeping is the worker's alone: it is how a tick of the timer is waited for.
#[expect(clippy::disallowed_methods, reason = "the worker's timer; every wait of a step ends up here")]
async fn nap_for(duration: Duration) {
    tokio::time::sleep(duration).await;
}
