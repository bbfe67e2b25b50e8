use async_trait::async_trait;

use crate::{PortResult, Timestamp};

/// An account at a certificate authority, for the operator to look at. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityAccount {
    /// The directory URL of the authority.
    pub directory: String,
    /// Whether this is the authority that certificates are asked of now; others were configured earlier.
    pub is_current: bool,
    /// The account's URL; `None` as long as the authority has never been asked for it.
    pub url: Option<String>,
    /// When its first key was made.
    pub created_at: Timestamp,
    /// The kind of its key, in words.
    pub key_type: &'static str,
    /// The thumbprint of its key (RFC 7638).
    pub thumbprint: String,
    /// That of the key which is to follow on it, while an exchange of keys has not been brought to its end.
    pub next_thumbprint: Option<String>,
    /// The key identifier of the external account that it is bound to, as configured (RFC 8555, section 7.3.4).
    pub external_account: Option<String>,
    /// The e-mail address that is configured as its contact.
    pub contact_configured: Option<String>,
    /// What the authority says about it.
    pub at_authority: AccountStanding,
}

/// What an authority says about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountStanding {
    /// It was not asked: there is no account yet, or it is another authority than that of now.
    NotAsked,
    /// It could not be asked, and why.
    Unreachable(String),
    /// It knows no account of this key.
    Unknown,
    /// It knows it.
    Known {
        /// `valid`, `deactivated` or `revoked` (RFC 8555, section 7.1.2).
        status: String,
        /// Where it writes to, such as `mailto:` URLs.
        contact: Vec<String>,
        /// Whether its terms of service were agreed to; `None` when it does not say.
        terms_agreed: Option<bool>,
    },
}

/// The accounts at certificate authorities, and how the key of one is replaced. Brokers may run beside it.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait AuthorityAccounts: Send + Sync {
    /// All accounts that were ever made, in the order of their directories. The authority of now is asked about its own;
    /// nothing is changed.
    ///
    /// Errors: the store's.
    async fn accounts(&self) -> PortResult<Vec<AuthorityAccount>>;

    /// Replaces the key of the account at the authority of now (RFC 8555, section 7.3.5), and gives the account with its new key.
    /// The new key is stored before the authority is asked, so that whatever dies there is a key that works; a second call
    /// goes on with what the first one has left, and brokers find out which key counts.
    ///
    /// Errors: `GiveUp` (there is no account, or the authority refuses: nothing was changed), `Retry` (no answer came: call
    /// again), `AwaitOperator` (the authority knows the account under neither key).
    async fn rotate_key(&self) -> PortResult<AuthorityAccount>;
}
