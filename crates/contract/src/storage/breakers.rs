use async_trait::async_trait;

use crate::{PortResult, Timestamp};

/// Something that only the operator can remove and that stops every call of a scope. All brokers on one database share
/// it: one of them tells the operator, and one call at a time tries whether it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// What it stops, such as `vault/store`. There is at most one per scope.
    pub scope: String,
    /// When it was met first.
    pub since: Timestamp,
    /// The refusal, for the operator.
    pub cause: String,
    /// When the next call may try whether it is gone.
    pub probe_at: Timestamp,
    /// How many calls have been let through to try.
    pub probes: i32,
    /// How many operations went on when it gave way.
    pub waited: i32,
    /// Since when it seems to be gone; `None` while it stands in the way.
    pub gone_since: Option<Timestamp>,
    /// Whether the operator was told of it.
    pub told: bool,
    /// When to tell the operator how it stands, for whoever comes first then; `None` when there is nothing to be told.
    pub tell_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i32,
}

/// Keeps what stands in the way. Nobody locks anything: whoever writes says what it has seen.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait BreakerStore: Send + Sync {
    /// All there are, by scope. There are never more than a handful.
    async fn all(&self) -> PortResult<Vec<Breaker>>;

    /// Stores a new one. `false` when there is one of its scope: nothing was changed.
    async fn open(&self, breaker: &Breaker) -> PortResult<bool>;

    /// Puts `next` in the place of `seen`, with a version of its own. `false` when `seen` is not what is there any more:
    /// nothing was changed.
    async fn change(&self, seen: &Breaker, next: &Breaker) -> PortResult<bool>;

    /// Removes `seen`. `false` when it is not what is there any more: nothing was changed.
    async fn close(&self, seen: &Breaker) -> PortResult<bool>;
}
