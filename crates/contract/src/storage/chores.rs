use std::time::Duration;

use async_trait::async_trait;

use crate::{PortResult, Timestamp};

/// Something that the broker does by itself from time to time, one process at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chore {
    /// Its name.
    pub name: String,
    /// When it is due next.
    pub next_at: Timestamp,
    /// What it has found the last time, in words of its own; empty before the first time.
    pub found: String,
}

/// Keeps when chores are due, and what they have found.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ChoreStore: Send + Sync {
    /// The chore of this name; the given one is stored if there is none yet.
    async fn ensure(&self, chore: &Chore) -> PortResult<Chore>;

    /// Takes a chore whose `next_at` is not after `now`. It is given to one caller only, as it stood but for its `next_at`,
    /// which is `put_off` after `now`: if the caller dies it falls due again then. `None` when it is not due, or there is none.
    async fn take_due(&self, name: &str, now: Timestamp, put_off: Duration) -> PortResult<Option<Chore>>;

    /// Sets when a chore is due next. Nothing happens when there is none of this name.
    async fn put_off(&self, name: &str, next_at: Timestamp) -> PortResult<()>;

    /// Keeps what a chore has found. Nothing happens when there is none of this name.
    async fn note(&self, name: &str, found: &str) -> PortResult<()>;
}
