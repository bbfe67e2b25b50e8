use std::time::Duration;

use crate::{ErrorCode, LastOperation, OperationId, Response};

/// An operation that the broker remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOperation {
    /// Its id.
    pub id: OperationId,
    /// How long ago it has deleted the instance; `None` for any other operation, and for one that still runs or has
    /// failed.
    pub deleted_for: Option<Duration>,
}

/// What to answer to a poll.
#[derive(Clone, Debug, PartialEq)]
pub enum LastOperationDecision<'a> {
    /// Answer [`Response::last_operation`] for this operation.
    Report {
        /// The operation to report.
        operation: &'a KnownOperation,
        /// Whether it is the one that was asked about. If not, the question named none or an unknown one: worth a line in
        /// the log, no more.
        as_asked: bool,
    },
    /// This is the answer: `404` for an unknown instance, `410` for one that was deleted some time ago.
    Answer(Response),
}

/// Decides about a poll (OSB 2.17, "Polling Last Operation for Service Instances").
///
/// `known` are operations of this instance, the latest first; the latest and the one asked about are enough. An
/// operation that is asked about by name is reported; otherwise the latest one is, because a `400` would make Cloud
/// Controller give the instance up. A finished deletion is reported as succeeded for `retention` (an hour or more),
/// then as `410`; both mean success to a platform.
pub fn decide_last_operation<'a>(
    request: &LastOperation,
    known: &'a [KnownOperation],
    retention: Duration,
) -> LastOperationDecision<'a> {
    let asked = request.operation.as_deref();
    let named = known.iter().find(|operation| Some(operation.id.as_str()) == asked);
    let Some(operation) = named.or(known.first()) else {
        return LastOperationDecision::Answer(Response::error(
            ErrorCode::NotFound,
            "There is no service instance with this id. Create it first.",
        ));
    };
    match operation.deleted_for {
        Some(age) if age >= retention => LastOperationDecision::Answer(Response::gone()),
        _ => LastOperationDecision::Report { operation, as_asked: named.is_some() },
    }
}
