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
    /// When the first key was made.
    pub created_at: Timestamp,
    /// The key that is to take the place of `key`, PKCS#8 DER, stored before the authority is asked to exchange them (RFC 8555,
    /// section 7.3.5). While it is here, the authority knows the account under one of the two. Sealed at rest.
    pub next_key: Option<Secret>,
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

    /// All accounts, in the order of their directories.
    async fn all(&self) -> PortResult<Vec<AccountRecord>>;

    /// Stores the key that is to follow on `key`, unless `key` is not the account's any more, or another one is to follow on it
    /// already. Gives what is stored then: of several who want to exchange keys at once, all go on with the same one. `None`
    /// when the directory has no account.
    async fn propose_key(
        &self,
        directory: &str,
        key: &Secret,
        next: &Secret,
    ) -> PortResult<Option<AccountRecord>>;

    /// Puts `next` in the place of the account's key, if that is the key which is to follow on it. A second time nothing
    /// happens.
    async fn adopt_key(&self, directory: &str, next: &Secret) -> PortResult<()>;

    /// Forgets that `next` is to follow on the account's key. Nothing happens when it is not.
    async fn drop_key(&self, directory: &str, next: &Secret) -> PortResult<()>;
}
