use std::time::Duration;

use async_trait::async_trait;

use crate::{InstanceState, LeaseToken, LogEntry, Operation, OperationState, PortResult, Timestamp};

/// The right to run steps of one operation, for as long as the lease of its *instance* lasts. Both tracks of an
/// instance share that lease, so no two steps of one instance ever run at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The operation, as it stood when it was claimed.
    pub operation: Operation,
    /// The proof of holding the lease.
    pub token: LeaseToken,
}

/// Where an operation stands after a step: what is written back in one compare-and-set on the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The operation's state.
    pub state: OperationState,
    /// The next step.
    pub step: String,
    /// Failed attempts at it.
    pub attempt: i32,
    /// When to go on.
    pub next_at: Timestamp,
    /// When that step was reached.
    pub step_since: Timestamp,
    /// The sentence for the tenant.
    pub sentence: Option<String>,
    /// The error for the operator.
    pub error: Option<String>,
    /// The scope of the [`Breaker`](crate::Breaker) that it waits for, if it does.
    pub waits_for: Option<String>,
    /// The instance's new stage of life, when the operation ended.
    pub instance_state: Option<InstanceState>,
    /// Whether the instance takes over, in this same write, what the operation's [`Change`](crate::Change) says: its
    /// settings, plan and parameters, and the context if one was sent.
    pub adopt: bool,
}

/// Shares work between workers, in this process and in others on the same database.
///
/// Claims are compare-and-set on a lease; no lock is held while a step runs. Calls are at least once: a worker that
/// loses its lease may have finished its step, so every step bears to be run twice.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Takes an operation that is running and due, of an instance that nobody else holds, the longest due first.
    /// `token` must be fresh; the lease lasts `lease` from now by the store's clock. `None` when there is nothing.
    async fn claim(&self, token: &LeaseToken, lease: Duration) -> PortResult<Option<Claim>>;

    /// Writes the cursor back, if `claim` still holds the lease and the operation is still running, and extends the
    /// lease by `lease`. `false` when either is lost: nothing was changed. The token is the fence: a lease that has run
    /// out but that nobody has taken still counts.
    async fn save(&self, claim: &Claim, cursor: &Cursor, lease: Duration) -> PortResult<bool>;

    /// Gives the lease back, if it is still held.
    async fn release(&self, claim: &Claim) -> PortResult<()>;

    /// When the next running operation falls due; `None` when none is running.
    async fn next_due(&self) -> PortResult<Option<Timestamp>>;

    /// Makes every running operation that waits for the breaker of `scope` due: none later than it would be anyway, and
    /// spread over `spread` from `at` on, so that a crowd does not come back together. What an operation was to wait
    /// longer is taken off its `step_since` again. Says how many there were.
    async fn wake(&self, scope: &str, at: Timestamp, spread: Duration) -> PortResult<usize>;

    /// Adds a line to an operation's history.
    async fn log(&self, entry: &LogEntry) -> PortResult<()>;
}
