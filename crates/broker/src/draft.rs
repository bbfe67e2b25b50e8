//! A new operation, whoever asks for it: the platform, the operator, or the broker itself.

use contract::{Change, InstanceId, Operation, OperationId, OperationKind, OperationState, Timestamp, Track};

use crate::Ports;
use crate::workflow::Step;

impl Ports {
    /// A new operation at the first step of its plan, due at once. A renewal is the broker's own; everything else is on the
    /// user's track. It has no name of a request yet.
    pub(crate) fn draft(
        &self,
        instance: &InstanceId,
        kind: OperationKind,
        change: Option<Change>,
        now: Timestamp,
    ) -> Operation {
        let mut operation = Operation {
            id: OperationId::new(self.fresh_id()),
            instance: instance.clone(),
            track: if kind == OperationKind::Renew { Track::Renewal } else { Track::User },
            kind,
            state: OperationState::Running,
            step: String::new(),
            attempt: 0,
            next_at: now,
            step_since: now,
            started_at: now,
            sentence: None,
            error: None,
            waits_for: None,
            request_identity: None,
            change,
        };
        let first = Step::plan(&operation).first();
        operation.step = first.map_or_else(String::new, |step| step.name().to_owned());
        operation
    }
}
