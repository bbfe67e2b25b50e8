use async_trait::async_trait;

use crate::{CertificateBundle, DomainName, InstanceId, PortResult, StoredCertificate};

/// The instance that this broker keeps for itself, to see for itself that all is well. It is an instance like any other:
/// its certificate is obtained and renewed as everybody's is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The instance; also whose folder of the challenge site is its.
    pub instance: InstanceId,
    /// The name that it serves. Its certificate covers this name and all that are one label below it.
    pub name: DomainName,
    /// The host name that the CDN gave its distribution.
    pub host: String,
    /// Its live certificate, as the CDN knows it.
    pub stored: StoredCertificate,
    /// The same certificate with its key.
    pub bundle: CertificateBundle,
}

/// Knows the canary.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CanarySource: Send + Sync {
    /// The canary as it serves now; `None` when there is none yet, and where the operator has no managed zone.
    ///
    /// Errors: the store's.
    async fn canary(&self) -> PortResult<Option<Canary>>;
}
