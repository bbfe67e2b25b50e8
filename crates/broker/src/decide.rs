//! What follows from the result of a step: the new cursor, what is written into the history, who is told.

use std::time::Duration;

use contract::{
    Alert, Cursor, InstanceState, LogEntry, Operation, OperationKind, OperationState, PortError, PortResult,
    Remedy, Timestamp,
};

use crate::describe;
use crate::pace::{Pace, back_off};
use crate::workflow::{Outcome, Step};

/// What was held back is asked about again after this long at the latest: room may come earlier than expected.
const LONGEST_HOLD: Duration = Duration::from_hours(6);
/// Over how long those are spread that were held back until the same moment.
const JITTER: Duration = Duration::from_mins(1);

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
        let wait = match error.remedy() {
            Remedy::GiveUp | Remedy::StartOver => return self.failed(error),
            // The operator may need longer than any deadline; nothing of the user's is given up for that.
            Remedy::AwaitOperator => back_off(6, None, self.chance),
            _ if self.is_overdue() => return self.too_late(error),
            Remedy::AwaitTenant => back_off(self.operation.attempt + 3, None, self.chance),
            Remedy::Retry { after } => back_off(self.operation.attempt, after, self.chance),
        };
        self.later(error, wait)
    }

    /// An update that the CDN has been told of is not given up for taking long: it will be everywhere in the end, and what
    /// the instance shows is to be what it serves.
    fn too_late(&self, error: &PortError) -> Decision {
        if !self.is_told() {
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
        Decision { cursor, log: Some(log), alert: (!unanswered).then(|| self.alert(&text)) }
    }

    fn is_update(&self) -> bool {
        self.operation.kind == OperationKind::Update
    }

    /// Whether the CDN has been told what the operation changes.
    fn is_told(&self) -> bool {
        let plan = Step::plan(self.operation);
        let tells = |step: &Step| matches!(step, Step::AttachCertificate | Step::ApplySettings);
        let told = plan.iter().position(tells);
        self.is_update() && plan.iter().position(|step| *step == self.step) > told
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
        Alert {
            subject: format!("operation {} of instance {}", self.operation.id, self.operation.instance),
            message: format!("step {}: {text}", self.step.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::testing::sample;
    use contract::{Change, InstanceId, OperationId, Track};

    use super::*;

    fn operation(kind: OperationKind, step: Step) -> Operation {
        Operation {
            id: OperationId::new("op"),
            instance: InstanceId::new("i"),
            track: Track::User,
            kind,
            state: OperationState::Running,
            step: step.name().to_owned(),
            attempt: 0,
            next_at: Timestamp::from_secs(0),
            step_since: Timestamp::from_secs(0),
            started_at: Timestamp::from_secs(0),
            sentence: None,
            error: None,
            change: None,
        }
    }

    fn decide(operation: &Operation, now: i64, result: PortResult<Outcome>) -> Decision {
        let step = Step::of(operation).expect("a step of the plan");
        Situation { operation, step, pace: &Pace::default(), now: Timestamp::from_secs(now), chance: 0 }
            .decide(result)
    }

    #[test]
    fn the_last_step_ends_the_operation_and_moves_the_instance() {
        let provision = operation(OperationKind::Provision, Step::WithdrawProofs);
        let decision = decide(&provision, 1, Ok(Outcome::Done));
        assert_eq!(decision.cursor.state, OperationState::Succeeded);
        assert_eq!(decision.cursor.instance_state, Some(InstanceState::Ready));
        let deprovision = operation(OperationKind::Deprovision, Step::Forget);
        let decision = decide(&deprovision, 1, Ok(Outcome::Done));
        assert_eq!(decision.cursor.instance_state, Some(InstanceState::Gone));
    }

    #[test]
    fn a_user_who_does_not_come_is_told_so_in_the_end() {
        let op = operation(OperationKind::Provision, Step::ObtainCertificate);
        let waiting = decide(&op, 6 * 86_400, Ok(Outcome::Wait(Duration::from_secs(2))));
        assert_eq!(waiting.cursor.state, OperationState::Running);
        assert_eq!(waiting.cursor.step_since, op.step_since);
        let over = decide(&op, 6 * 86_400 + 1, Ok(Outcome::Wait(Duration::from_secs(2))));
        assert_eq!(over.cursor.state, OperationState::Failed);
        assert!(over.cursor.sentence.is_some_and(|s| s.contains("6 days")));
        assert!(over.alert.is_some());
    }

    #[test]
    fn what_is_held_back_says_why_once_and_is_never_given_up() {
        let mut op = operation(OperationKind::Provision, Step::ObtainCertificate);
        let held = || Ok(Outcome::HeldBack(Duration::from_hours(1), "No room this week.".into()));
        let first = decide(&op, 7 * 86_400, held());
        assert_eq!(first.cursor.state, OperationState::Running);
        assert_eq!(first.cursor.next_at, Timestamp::from_secs(7 * 86_400 + 3600));
        assert_eq!(first.cursor.sentence.as_deref(), Some("No room this week."));
        assert_eq!(first.cursor.step_since, op.step_since);
        assert!(first.log.is_some());
        op.sentence = first.cursor.sentence;
        assert!(decide(&op, 7 * 86_400 + 3600, held()).log.is_none());
    }

    /// What the CDN has not been told is not shown, and what it has been told is.
    #[test]
    fn a_refused_update_is_taken_over_only_behind_the_step_that_tells_the_cdn() {
        let instance = sample::instance("i", &["www.example.gov"]);
        for needs_certificate in [false, true] {
            let change = Change { needs_certificate, ..sample::change(&instance, &["new.example.gov"]) };
            let mut update = operation(OperationKind::Update, Step::ApplySettings);
            update.change = Some(change);
            let mut told = false;
            for step in Step::plan(&update) {
                step.name().clone_into(&mut update.step);
                let refused = PortError::new("change", Remedy::GiveUp, "InvalidArgument");
                let decision = decide(&update, 1, Err(refused));
                assert_eq!(decision.cursor.state, OperationState::Failed, "{step:?}");
                assert_eq!(
                    (decision.cursor.adopt, decision.cursor.instance_state),
                    (told, Some(InstanceState::Ready)),
                    "{step:?}"
                );
                told |= matches!(step, Step::AttachCertificate | Step::ApplySettings);
            }
        }
    }

    #[test]
    fn an_expired_credential_parks_the_work_and_is_said_once() {
        let mut op = operation(OperationKind::Provision, Step::CreateDistribution);
        let refused = || PortError::new("create", Remedy::AwaitOperator, "ExpiredToken");
        let first = decide(&op, 1_000_000, Err(refused()));
        assert_eq!(first.cursor.state, OperationState::Running);
        assert!(first.alert.is_some() && first.log.is_some());
        op.error = first.cursor.error;
        let second = decide(&op, 1_000_060, Err(refused()));
        assert!(second.alert.is_none() && second.log.is_none());
    }

    #[test]
    fn a_refusal_for_good_fails_at_once_and_a_passing_one_is_retried_until_the_deadline() {
        let op = operation(OperationKind::Provision, Step::CreateDistribution);
        let refused =
            PortError::new("create", Remedy::GiveUp, "InvalidArgument").for_tenant("Mend the origin.");
        let decision = decide(&op, 1, Err(refused));
        assert_eq!(decision.cursor.state, OperationState::Failed);
        assert_eq!(decision.cursor.sentence.as_deref(), Some("Mend the origin."));
        let throttled = || PortError::new("create", Remedy::Retry { after: None }, "Throttling");
        assert_eq!(decide(&op, 1, Err(throttled())).cursor.state, OperationState::Running);
        assert_eq!(decide(&op, 5 * 3600, Err(throttled())).cursor.state, OperationState::Failed);
    }
}
