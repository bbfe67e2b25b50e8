use async_trait::async_trait;

use crate::{PortResult, Secret, Timestamp};

/// The account at one ACME directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// The directory URL; there is one account per directory.
    pub directory: String,
    /// The account key, PKCS#8 DER, made and stored before the account is asked for. Sealed at rest.
    pub key: Secret,
    /// The account's URL, once the authority has given it (RFC 8555, section 7.3).
    pub url: Option<String>,
    /// When the key was made.
    pub created_at: Timestamp,
}

/// Keeps ACME accounts.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// The account of a directory.
    async fn find(&self, directory: &str) -> PortResult<Option<AccountRecord>>;

    /// Stores `candidate` unless its directory has an account, and gives the one that is stored: of several brokers
    /// that start at once, all get the same.
    async fn ensure(&self, candidate: &AccountRecord) -> PortResult<AccountRecord>;

    /// Keeps the URL that the authority gave to the directory's account.
    async fn record_url(&self, directory: &str, url: &str) -> PortResult<()>;
}
