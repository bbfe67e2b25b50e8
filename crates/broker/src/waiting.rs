//! For whom an operation waits, as an operator's list shows it: read off the row alone.

use contract::{Operation, OperationState};

use crate::workflow::Step;

/// For whom or what an operation waits that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// For the operator, like all that needs the same.
    Operator,
    /// For the next try: the last one has failed.
    Retry,
    /// For room under the authority's limits, or for names that another instance has; its user reads which.
    Room,
    /// For its user, who has to prove control of a domain.
    User,
    /// For the CDN, which brings a change to its edges.
    Cdn,
    /// For a broker that is free.
    Broker,
}

/// All of them.
pub const WAITING: [Waiting; 6] =
    [Waiting::Operator, Waiting::Retry, Waiting::Room, Waiting::User, Waiting::Cdn, Waiting::Broker];

impl Waiting {
    /// For whom an operation waits; `None` when it has ended.
    pub fn of(operation: &Operation) -> Option<Self> {
        if operation.state != OperationState::Running {
            return None;
        }
        Some(match (&operation.waits_for, operation.attempt, Step::of(operation)) {
            (Some(_), ..) => Self::Operator,
            (None, 1.., _) => Self::Retry,
            (None, _, Some(Step::ObtainCertificate)) if operation.sentence.is_some() => Self::Room,
            (None, _, Some(Step::ObtainCertificate)) => Self::User,
            (None, _, Some(Step::AwaitDeployment | Step::AwaitDisabled)) => Self::Cdn,
            _ => Self::Broker,
        })
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Retry => "retry",
            Self::Room => "room",
            Self::User => "user",
            Self::Cdn => "cdn",
            Self::Broker => "broker",
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::testing::sample;
    use contract::{InstanceId, OperationKind, Timestamp};

    use super::*;

    fn at(step: Step) -> Operation {
        let id = InstanceId::new("9a4b0c1e");
        let operation = sample::operation("op", &id, OperationKind::Provision, Timestamp::default());
        Operation { step: step.name().to_owned(), ..operation }
    }

    #[test]
    fn whom_an_operation_waits_for_is_read_off_its_row() {
        let obtaining = at(Step::ObtainCertificate);
        let held_back = Operation { sentence: Some("No room.".to_owned()), ..obtaining.clone() };
        let failing = Operation { attempt: 2, ..held_back.clone() };
        let parked = Operation { waits_for: Some("vault/store".to_owned()), ..failing.clone() };
        let ended = Operation { state: OperationState::Failed, ..parked.clone() };
        for (operation, waiting) in [
            (obtaining, Some(Waiting::User)),
            (held_back, Some(Waiting::Room)),
            (failing, Some(Waiting::Retry)),
            (parked, Some(Waiting::Operator)),
            (ended, None),
            (at(Step::AwaitDeployment), Some(Waiting::Cdn)),
            (at(Step::StoreCertificate), Some(Waiting::Broker)),
        ] {
            assert_eq!(Waiting::of(&operation), waiting, "{operation:?}");
        }
    }
}
