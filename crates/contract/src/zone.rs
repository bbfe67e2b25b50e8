use async_trait::async_trait;

use crate::{Page, PageToken, PortResult};

/// A record of the kinds that the broker makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRecord {
    /// Its owner name: absolute, lower case, with its trailing dot.
    pub owner: String,
    /// What it says.
    pub content: RecordContent,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordContent {
    /// The host name it leads to, without a trailing dot.
    Cname(String),
    /// Its values.
    Txt(Vec<String>),
}

/// A DNS zone of the operator's in which the broker may write, so that users can point at it once and for ever.
///
/// Owner names are absolute, lower case, with their trailing dot, and lie in the zone; the first label may be `*`, which
/// stands for every name that has no record of its own. A change is seen by the world a
/// little later; whoever needs to know looks at DNS.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ManagedZone: Send + Sync {
    /// Makes sure that `value` is one of the TXT values of `owner`, whatever the others are: a name and its wildcard
    /// share a label, and so do two instances of one organization.
    ///
    /// Errors: `Retry` (throttled, unreachable, contended for), `AwaitOperator` (access, credentials, quota, no such
    /// zone).
    async fn add_txt(&self, owner: &str, value: &str) -> PortResult<()>;

    /// Makes sure that `value` is not one of the TXT values of `owner`; the record goes with its last value. Removing
    /// what is gone is success.
    async fn remove_txt(&self, owner: &str, value: &str) -> PortResult<()>;

    /// Makes `owner` a CNAME to `target` (a host name), in place of whatever CNAME it was.
    async fn point(&self, owner: &str, target: &str) -> PortResult<()>;

    /// Takes the CNAME at `owner` away. Releasing what is gone is success.
    async fn release(&self, owner: &str) -> PortResult<()>;

    /// All CNAME and TXT records of the zone, page by page, whoever has made them.
    ///
    /// Errors: `Retry`, `AwaitOperator` (access, credentials, no such zone). After an error nothing can be said about what
    /// was not seen.
    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ZoneRecord>>;
}
