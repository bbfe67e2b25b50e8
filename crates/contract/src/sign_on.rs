use async_trait::async_trait;

use crate::{InstanceId, PortResult};

/// What somebody may do with a service instance, as the platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Change and delete it.
    pub manage: bool,
    /// See it.
    pub read: bool,
}

/// Signs people on with the platform, in their browsers (RFC 6749, section 4.1).
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait SignOn: Send + Sync {
    /// Where a browser is sent, in order to come back to `redirect_uri` with a code and this `state`.
    async fn url(&self, redirect_uri: &str, state: &str) -> PortResult<String>;

    /// What whoever has come back with `code` may do with an instance. `None` when the platform does not take the code (any
    /// more), or does not let them see the instance, or knows no such instance. A code is good once.
    async fn permissions(
        &self,
        code: &str,
        redirect_uri: &str,
        instance: &InstanceId,
    ) -> PortResult<Option<Permissions>>;
}
