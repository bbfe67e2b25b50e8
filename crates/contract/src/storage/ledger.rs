use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{PortResult, Timestamp};

/// Keeps moments by key: how far an authority's limits are used up. All brokers on one database share them.
///
/// No lock is held between a look and a write: whoever writes says what it has seen.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// The moments under these keys; where there is none, the key is left out.
    async fn moments(&self, keys: &[String]) -> PortResult<BTreeMap<String, Timestamp>>;

    /// Puts `next` under the key if what is there is still `seen` (`None`: nothing). `false` when it is not: nothing was
    /// changed.
    async fn swap(&self, key: &str, seen: Option<Timestamp>, next: Timestamp) -> PortResult<bool>;

    /// Of the keys that begin like this, at most so many whose moments come after `after`, each with its moment, the last
    /// one first.
    async fn furthest(
        &self,
        prefix: &str,
        after: Timestamp,
        most: u32,
    ) -> PortResult<Vec<(String, Timestamp)>>;

    /// At most `most` moments behind the key `after`, with their keys, in the order of the keys, which is the database's own for
    /// texts, and always the same.
    async fn list(&self, after: Option<String>, most: u32) -> PortResult<Vec<(String, Timestamp)>>;

    /// Forgets every moment before this one.
    async fn forget_before(&self, moment: Timestamp) -> PortResult<()>;
}
