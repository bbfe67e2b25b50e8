//! The broker's part of `docs/RETRIES.md`: what it does about each remedy, and how patient it is with each step. Computed
//! from what it goes by, so that it cannot say something else.

use std::time::Duration;

use contract::{OperationKind, Remedy};

use crate::Pace;
use crate::describe;
use crate::pace::back_off;
use crate::pace::patience::{Limit, TABLE};

/// What the broker does about errors that leave the same thing to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemedyRule {
    /// What can be done.
    pub remedy: &'static str,
    /// When it is tried again.
    pub again: String,
    /// When it is given up.
    pub until: &'static str,
    /// What the tenant reads, unless the error has a sentence of its own.
    pub tenant: &'static str,
    /// What the operator is told.
    pub operator: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// How patient the broker is with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRule {
    /// The steps.
    pub steps: String,
    /// The plans that they are in.
    pub plans: String,
    /// How long they are tried.
    pub deadline: String,
    /// Why.
    pub reason: &'static str,
}

/// How a remedy is called in tables.
pub fn remedy_name(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Retry { .. } => "retry",
        Remedy::AwaitTenant => "await tenant",
        Remedy::AwaitOperator => "await operator",
        Remedy::StartOver => "start over",
        Remedy::GiveUp => "give up",
    }
}

/// One row per remedy; two for what waits for the operator.
pub fn remedy_rules() -> Vec<RemedyRule> {
    [what_passes(), what_waits_for_the_operator(), what_ends()].concat()
}

/// What is tried again until its time is up.
fn what_passes() -> Vec<RemedyRule> {
    vec![
        RemedyRule {
            remedy: remedy_name(Remedy::Retry { after: None }),
            again: format!("after {}, not before the other side asks to", ladder(0)),
            until: "the step's deadline",
            tenant: "what is being done",
            operator: "when the deadline has passed",
            reason: "it passes; a crowd that failed together must not come back together, so up to a quarter is added by chance",
        },
        RemedyRule {
            remedy: remedy_name(Remedy::AwaitTenant),
            again: format!("after {}", ladder(3)),
            until: "the step's deadline",
            tenant: "what they have to change",
            operator: "when the deadline has passed",
            reason: "people are slower than networks, and it should go on by itself soon after they have acted",
        },
    ]
}

/// What is never given up.
fn what_waits_for_the_operator() -> Vec<RemedyRule> {
    vec![
        RemedyRule {
            remedy: "await operator, others would meet it too",
            again: "one call of the scope at a time, after STEP_TIMEOUT and then twice as long each time, at most 15 minutes; \
                    everything that waits as soon as one comes through"
                .to_owned(),
            until: "never; the time does not count against the deadline",
            tenant: "This waits for the operators of this service, who have been told.",
            operator: "once per breaker, and once when it is over",
            reason: "nobody's work is lost because a key has expired, and nobody needs to read it five hundred times",
        },
        RemedyRule {
            remedy: "await operator, about one thing alone",
            again: format!("every {}", describe::span(back_off(6, None, 0))),
            until: "never; the time does not count against the deadline",
            tenant: "what is being done",
            operator: "once per operation",
            reason: "others are not concerned",
        },
    ]
}

/// What is not tried again.
fn what_ends() -> Vec<RemedyRule> {
    vec![
        RemedyRule {
            remedy: remedy_name(Remedy::StartOver),
            again: "not by itself; `instances recreate` rebuilds what is lost".to_owned(),
            until: "at once",
            tenant: "what is gone",
            operator: "at once",
            reason: "somebody has removed it, perhaps on purpose",
        },
        RemedyRule {
            remedy: remedy_name(Remedy::GiveUp),
            again: "not by itself; `instances retry` resumes".to_owned(),
            until: "at once",
            tenant: "the cause, or which operation the operators were told about",
            operator: "at once",
            reason: "the same call would be refused again",
        },
    ]
}

/// One row per group of steps, in the order of precedence.
pub fn step_rules() -> Vec<StepRule> {
    let pace = Pace::default();
    let rule = |row: &crate::pace::patience::Patience| StepRule {
        steps: row.steps.iter().map(|step| format!("`{}`", step.name())).collect::<Vec<_>>().join(", "),
        plans: row.kinds.iter().map(|kind| plan(*kind)).collect::<Vec<_>>().join(", "),
        deadline: match row.limit {
            Limit::Never => "none".to_owned(),
            Limit::ProvisionProofWait => {
                format!("`PROVISION_PROOF_WAIT` ({})", describe::span(pace.provision_proof_wait))
            }
            Limit::UpdateProofWait => {
                format!("`UPDATE_PROOF_WAIT` ({})", describe::span(pace.update_proof_wait))
            }
            Limit::After(limit) => describe::span(limit),
        },
        reason: row.reason,
    };
    TABLE.iter().map(rule).collect()
}

fn plan(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Provision => "create",
        OperationKind::Update => "update",
        OperationKind::Renew => "renew",
        OperationKind::Recreate => "recreate",
        OperationKind::Deprovision => "delete",
    }
}

/// The waits from a first attempt on, as far as they grow.
fn ladder(first: i32) -> String {
    let waits: Vec<Duration> = (first..=6).map(|attempt| back_off(attempt, None, 0)).collect();
    let seconds: Vec<String> = waits.iter().map(|wait| wait.as_secs().to_string()).collect();
    format!("{} seconds and so on", seconds.join(", "))
}
