use std::error::Error;

use contract::{Breaker, PortError, Remedy, Timestamp, chain};

use crate::describe;

/// The cause of an error whose work waits for the operator: it has not failed.
#[derive(Debug, thiserror::Error)]
#[error("it waits for the operator ({scope}): {cause}")]
pub(crate) struct Parked {
    /// What it waits for.
    pub(crate) scope: String,
    /// When it makes sense to come back, unless it is called earlier.
    pub(crate) until: Timestamp,
    cause: String,
}

impl Parked {
    /// What the work that has met an error waits for; `None` when that is no matter of a breaker's.
    pub(crate) fn by(error: &PortError) -> Option<&Self> {
        error.source()?.downcast_ref()
    }
}

/// The same error for work that waits.
pub(super) fn park(error: &PortError, breaker: &Breaker) -> PortError {
    let cause = Parked { scope: breaker.scope.clone(), until: breaker.probe_at, cause: causes(error) };
    let sentence = error.tenant_sentence().map_or_else(describe::parked, str::to_owned);
    PortError::new(error.doing(), Remedy::AwaitOperator, cause)
        .for_tenant(sentence)
        .with_request_id(error.request_id())
}

/// The whole chain of causes, as the operator reads it.
fn causes(error: &PortError) -> String {
    error.source().map(chain).unwrap_or_default()
}
