use async_trait::async_trait;

use crate::PortResult;

/// Whether the database can be worked with.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Says nothing when the database answers and has every table that this version works with. One that is ahead of this
    /// version will do: versions run side by side while one replaces another. Changes nothing.
    ///
    /// Errors: `Retry` when it does not answer, and while it is behind.
    async fn ready(&self) -> PortResult<()>;
}
