//! What follows from the result of a step: the new cursor, what is written into the history, who is told.

#[cfg(test)]
mod tests;

use std::time::Duration;

use contract::{
    Alert, Cursor, InstanceState, LogEntry, Operation, OperationKind, OperationState, PortError, PortResult,
    Remedy, Timestamp,
};

use crate::alerts::subject;
use crate::breakers::Parked;
use crate::describe;
use crate::pace::{Pace, back_off};
use crate::workflow::{Outcome, Step};

/// What was held back is asked about again after this long at the latest: room may come earlier than expected.
const LONGEST_HOLD: Duration = Duration::from_hours(6);
/// Over how long those are spread that were held back until the same moment.
const JITTER: Duration = Duration::from_mins(1);
/// What waits for the operator does not come back sooner than this, unless it is called.
const SHORTEST_PARK: Duration = Duration::from_secs(1);

/// The consequences of one run of a step.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) cursor: Cursor,
    pub(crate) log: Option<LogEntry>,
    pub(crate) alert: Option<Alert>,
}

/// Everything a decision depends on.
pub(crate) struct Situation<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) step: Step,
    pub(crate) pace: &'a Pace,
    pub(crate) now: Timestamp,
    /// A number from 0 to 255, for jitter.
    pub(crate) chance: u8,
}

impl Situation<'_> {
    /// Decides what follows.
    pub(crate) fn decide(&self, result: PortResult<Outcome>) -> Decision {
        match result {
            Ok(Outcome::Done) => self.done(),
            Ok(Outcome::Wait(_)) if self.is_overdue() => self.too_late(&self.overdue()),
            Ok(Outcome::Wait(wait)) => self.wait(wait),
            Ok(Outcome::HeldBack(_, why)) if self.is_update() && self.is_overdue() => {
                self.failed(&self.overdue().for_tenant(why))
            }
            Ok(Outcome::HeldBack(wait, why)) => self.held_back(wait, why),
            Ok(Outcome::BackTo(earlier)) => self.back_to(earlier),
            Err(error) => self.error(&error),
        }
    }

    fn done(&self) -> Decision {
        let cursor = match self.step.after(self.operation) {
            Some(next) => self.at(next, Duration::ZERO),
            None => Cursor {
                state: OperationState::Succeeded,
                instance_state: match self.operation.kind {
                    OperationKind::Provision | OperationKind::Update | OperationKind::Recreate => {
                        Some(InstanceState::Ready)
                    }
                    OperationKind::Renew => None,
                    OperationKind::Deprovision => Some(InstanceState::Gone),
                },
                adopt: self.is_update(),
                ..self.at(self.step, Duration::ZERO)
            },
        };
        Decision {
            cursor,
            log: Some(self.entry("done", format!("{} is done", self.step.name()), None)),
            alert: None,
        }
    }

    fn wait(&self, wait: Duration) -> Decision {
        let cursor = Cursor { step_since: self.operation.step_since, ..self.at(self.step, wait) };
        Decision { cursor, log: None, alert: None }
    }

    /// Never given up, whatever the deadline: nobody here can do anything about it, and it goes on by itself.
    fn held_back(&self, wait: Duration, why: String) -> Decision {
        let is_news = self.operation.sentence.as_ref() != Some(&why);
        let log = is_news.then(|| self.entry("held-back", why.clone(), None));
        let wait = wait.min(LONGEST_HOLD) + wait.min(JITTER) * u32::from(self.chance) / 256;
        let cursor =
            Cursor { step_since: self.operation.step_since, sentence: Some(why), ..self.at(self.step, wait) };
        Decision { cursor, log, alert: None }
    }

    /// Not at once: what was undone behind our back may be undone again.
    fn back_to(&self, earlier: Step) -> Decision {
        let cursor = self.at(earlier, self.pace.deployment_poll);
        let sentence = format!("back to {}", earlier.name());
        Decision { cursor, log: Some(self.entry("back", sentence, None)), alert: None }
    }

    fn error(&self, error: &PortError) -> Decision {
        if let Some(parked) = Parked::by(error) {
            return self.park(error, parked);
        }
        let wait = match error.remedy() {
            Remedy::GiveUp | Remedy::StartOver => return self.failed(error),
            Remedy::AwaitOperator => return self.await_operator(error),
            _ if self.is_overdue() => return self.too_late(error),
            Remedy::AwaitTenant => back_off(self.operation.attempt + 3, None, self.chance),
            Remedy::Retry { after } => back_off(self.operation.attempt, after, self.chance),
        };
        self.later(error, wait)
    }

    /// The work has not failed, and what it waits for has been told to the operator already. Whatever time that takes is
    /// not the user's: the step's deadline moves along.
    fn park(&self, error: &PortError, parked: &Parked) -> Decision {
        let wait = parked.until.since(self.now).max(SHORTEST_PARK);
        let wait = wait + wait * u32::from(self.chance) / 1024;
        let is_news = self.operation.waits_for.as_ref() != Some(&parked.scope);
        let text = error.to_string();
        let log = is_news.then(|| self.entry("parked", text.clone(), error.request_id()));
        let cursor = Cursor {
            attempt: self.operation.attempt,
            step_since: self.operation.step_since + wait,
            sentence: error.tenant_sentence().map(str::to_owned),
            error: Some(text),
            waits_for: Some(parked.scope.clone()),
            ..self.at(self.step, wait)
        };
        Decision { cursor, log, alert: None }
    }

    /// Something about this one operation that only the operator can mend, who may need longer than any deadline: nothing
    /// of the user's is given up for that.
    fn await_operator(&self, error: &PortError) -> Decision {
        let wait = back_off(6, None, self.chance);
        let decision = self.later(error, wait);
        let cursor = Cursor { step_since: self.operation.step_since + wait, ..decision.cursor };
        Decision { cursor, ..decision }
    }

    /// An update that the CDN has been told of is not given up for taking long: it will be everywhere in the end, and what
    /// the instance shows is to be what it serves.
    fn too_late(&self, error: &PortError) -> Decision {
        if !self.is_told() && !self.may_be_told(error) {
            return self.failed(error);
        }
        let late = PortError::new(self.step.name(), Remedy::AwaitOperator, error.to_string());
        self.later(&late, back_off(6, None, self.chance))
    }

    /// The same step again, after `wait`.
    fn later(&self, error: &PortError, wait: Duration) -> Decision {
        let text = error.to_string();
        let is_news = self.operation.error.as_ref() != Some(&text);
        let alert = (is_news && error.remedy() == Remedy::AwaitOperator).then(|| self.alert(&text));
        let log = is_news.then(|| self.entry("retry", text.clone(), error.request_id()));
        let cursor = Cursor {
            attempt: self.operation.attempt.saturating_add(1),
            step_since: self.operation.step_since,
            sentence: error.tenant_sentence().map(str::to_owned),
            error: Some(text),
            ..self.at(self.step, wait)
        };
        Decision { cursor, log, alert }
    }

    fn failed(&self, error: &PortError) -> Decision {
        let text = error.to_string();
        let cursor = Cursor {
            state: OperationState::Failed,
            attempt: self.operation.attempt.saturating_add(1),
            step_since: self.operation.step_since,
            sentence: error.tenant_sentence().map(str::to_owned),
            error: Some(text.clone()),
            instance_state: match self.operation.kind {
                OperationKind::Provision => Some(InstanceState::ProvisionFailed),
                // What was served is served still.
                OperationKind::Update => Some(InstanceState::Ready),
                // What could not be rebuilt is what it was.
                OperationKind::Renew | OperationKind::Recreate => None,
                OperationKind::Deprovision => Some(InstanceState::DeprovisionFailed),
            },
            // The CDN has taken the change, so the instance shows it, whatever has failed behind it.
            adopt: self.is_told() && error.remedy() == Remedy::GiveUp,
            ..self.at(self.step, Duration::ZERO)
        };
        let log = self.entry("failed", text.clone(), error.request_id());
        // A user who does not come for an update is no matter of the operator's: nothing has changed.
        let unanswered = self.is_update() && self.step == Step::ObtainCertificate && self.is_overdue();
        Decision { cursor, log: Some(log), alert: (!unanswered).then(|| self.alert(&text).worse(true)) }
    }

    fn is_update(&self) -> bool {
        self.operation.kind == OperationKind::Update
    }

    /// Whether the CDN has been told what the operation changes.
    fn is_told(&self) -> bool {
        let plan = Step::plan(self.operation);
        let told = plan.iter().position(|step| tells(*step));
        self.is_update() && plan.iter().position(|step| *step == self.step) > told
    }

    /// Whether the CDN may have been told, and only the answer was lost. The same call finds out, once it comes through.
    fn may_be_told(&self, error: &PortError) -> bool {
        self.is_update() && tells(self.step) && matches!(error.remedy(), Remedy::Retry { .. })
    }

    fn is_overdue(&self) -> bool {
        self.now.since(self.operation.step_since) > self.deadline()
    }

    fn deadline(&self) -> Duration {
        self.pace.deadline(self.operation.kind, self.step)
    }

    fn overdue(&self) -> PortError {
        let limit = describe::span(self.deadline());
        let error = PortError::new(self.step.name(), Remedy::GiveUp, format!("not done within {limit}"));
        match (self.step, self.operation.kind) {
            (Step::ObtainCertificate, OperationKind::Update) => {
                error.for_tenant(describe::update_unproven(&limit))
            }
            (Step::ObtainCertificate, OperationKind::Recreate) => {
                error.for_tenant(describe::recreation_unproven(&limit))
            }
            (Step::ObtainCertificate, _) => error.for_tenant(describe::provision_unproven(&limit)),
            _ => error,
        }
    }

    /// A running cursor at `step`, reached now, with a clean slate.
    fn at(&self, step: Step, wait: Duration) -> Cursor {
        Cursor {
            state: OperationState::Running,
            step: step.name().to_owned(),
            attempt: 0,
            next_at: self.now + wait,
            step_since: self.now,
            sentence: None,
            error: None,
            waits_for: None,
            instance_state: None,
            adopt: false,
        }
    }

    fn entry(&self, outcome: &str, sentence: String, request_id: Option<&str>) -> LogEntry {
        LogEntry {
            operation: self.operation.id.clone(),
            step: self.step.name().to_owned(),
            outcome: outcome.to_owned(),
            sentence,
            request_id: request_id.map(str::to_owned),
            at: self.now,
        }
    }

    fn alert(&self, text: &str) -> Alert {
        let Operation { id, instance, .. } = self.operation;
        Alert::new(subject::operation(id, instance), format!("step {}: {text}", self.step.name()))
            .affecting([instance.clone()])
    }
}

/// Whether a step tells the CDN what an update changes.
fn tells(step: Step) -> bool {
    matches!(step, Step::AttachCertificate | Step::ApplySettings)
}
