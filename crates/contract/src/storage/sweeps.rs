use std::time::Duration;

use async_trait::async_trait;

use crate::{InstanceId, PortResult, Timestamp, VaultName};

/// A certificate that nobody needs and that the vault would not let go of: it is removed in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The name it is kept under.
    pub vault_name: VaultName,
    /// The instance it was for; there may be nothing left of it.
    pub instance: InstanceId,
    /// When it was given up for the background.
    pub since: Timestamp,
    /// When to try next.
    pub next_at: Timestamp,
    /// Whether the operator was told that it takes long.
    pub told: bool,
}

/// Keeps what is still to be removed from the vault.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SweepStore: Send + Sync {
    /// Stores a removal. Does nothing when that name is stored already.
    async fn add(&self, sweep: &Sweep) -> PortResult<()>;

    /// Takes at most `most` removals whose `next_at` is not after `now`, the longest due first. Each is given to one
    /// caller only; its `next_at` is `put_off` after `now`, here and in the store.
    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<Sweep>>;

    /// Writes back when to try next and whether the operator was told. Nothing happens when it is done.
    async fn keep(&self, sweep: &Sweep) -> PortResult<()>;

    /// Removes what has been done. Removing what is gone is success.
    async fn done(&self, name: &VaultName) -> PortResult<()>;

    /// Whether this name is stored.
    async fn knows(&self, name: &VaultName) -> PortResult<bool>;

    /// When the next removal falls due; `None` when there is none.
    async fn next_try(&self) -> PortResult<Option<Timestamp>>;
}
