use async_trait::async_trait;

use crate::{CertificateBundle, Page, PageToken, PortResult, StoredCertificate, Timestamp, VaultName};

/// A certificate as a list of the vault shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCertificate {
    /// The name it is kept under.
    pub name: VaultName,
    /// How the CDN calls it.
    pub stored: StoredCertificate,
    /// What the whole cloud calls it, if it calls it anything: an ARN.
    pub arn: Option<String>,
    /// When it was put there.
    pub since: Timestamp,
}

/// Where certificates are kept for the CDN to use: the IAM server certificates of an AWS account.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CertificateVault: Send + Sync {
    /// Makes sure that this very certificate is kept under `name`, and says how the CDN calls it. Called again after
    /// a lost answer it finds and adopts what is there: there is never a second copy.
    ///
    /// Errors: `Retry` (throttled, unreachable), `AwaitOperator` (quota, access, credentials), `GiveUp` (another
    /// certificate is kept under that name, or this one is refused).
    async fn ensure(&self, name: &VaultName, bundle: &CertificateBundle) -> PortResult<StoredCertificate>;

    /// How the CDN calls the certificate kept under `name`; `None` when there is none.
    async fn find(&self, name: &VaultName) -> PortResult<Option<StoredCertificate>>;

    /// The chain kept under `name`, PEM, leaf first; `None` when there is none. Its key stays where it is.
    async fn chain(&self, name: &VaultName) -> PortResult<Option<String>>;

    /// All certificates in the broker's part of the vault, page by page: those of another broker that was given the same
    /// part as well.
    ///
    /// Errors: `Retry`, `AwaitOperator` (access, credentials). After an error nothing can be said about what was not seen.
    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<KeptCertificate>>;

    /// Removes the certificate kept under `name`. Removing what is gone is success.
    ///
    /// Errors: `Retry` while the CDN still uses it.
    async fn remove(&self, name: &VaultName) -> PortResult<()>;
}
