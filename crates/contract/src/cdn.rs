mod behaviour;
mod delivery;
mod names;
mod policies;
mod wish;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    DistributionId, DomainName, InstanceId, Page, PageToken, PortResult, Reference, StoredCertificate,
    Timestamp,
};

pub use behaviour::{Behaviour, Cookies};
pub use delivery::{Delivery, MinimumTls, PriceClass};
use names::names;
pub use policies::{CachePolicy, OriginRequestPolicy, Policies};
pub use wish::Wish;

/// The one desired state of a distribution. Names without a certificate cannot be said: since April 2019 CloudFront
/// refuses them, and so does this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionSpec {
    /// Whose distribution it is; also the name of its folder on the challenge site.
    pub instance: InstanceId,
    /// The names served and the certificate they are served under; `None` before there is one.
    pub serving: Option<Serving>,
    /// Where the content comes from.
    pub origin: Origin,
    /// How requests are passed on.
    pub behaviour: Behaviour,
    /// What it does towards viewers.
    pub delivery: Delivery,
    /// Whether requests pass the operator's web ACL first. A web ACL that somebody else has put there stays where none of
    /// ours is wanted.
    pub web_acl: bool,
    /// Tags, by name, for the operator's bills and searches.
    pub tags: BTreeMap<String, String>,
}

/// Names together with the certificate that covers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The aliases; never empty.
    pub names: Vec<DomainName>,
    /// The certificate, as the vault of the same provider gave it.
    pub certificate: StoredCertificate,
}

/// Where a distribution fetches content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The host that is asked.
    pub domain: DomainName,
    /// Put before the path of each request; empty, or with a leading and without a trailing slash.
    pub path: String,
    /// Whether plain HTTP is spoken to the origin (`insecure_origin`); otherwise HTTPS only.
    pub insecure: bool,
}

/// A distribution as the CDN sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its id.
    pub id: DistributionId,
    /// The host name that the CDN gave it, such as `d111111abcdef8.cloudfront.net`.
    pub domain: String,
    /// Whether the latest change has reached every edge.
    pub deployed: bool,
    /// Whether it answers at all.
    pub enabled: bool,
    /// The names it serves now.
    pub names: Vec<DomainName>,
    /// The certificate it serves them under, if any.
    pub certificate: Option<StoredCertificate>,
}

/// A distribution with what it takes to compare it with what it should be, and to know whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDistribution {
    /// The distribution.
    pub distribution: Distribution,
    /// The reference it was made under, which nobody can change; lists do not show it.
    pub reference: Option<Reference>,
    /// The instance that it says it is of. A hint and no proof: whoever may change the distribution can write it.
    pub instance: Option<InstanceId>,
    /// Where it fetches the user's content; `None` when that is gone, or is something that no [`Origin`] can be.
    pub origin: Option<Origin>,
    /// The folder of the challenge site that the authority's requests lead to; `None` when they lead elsewhere.
    pub folder: Option<String>,
    /// When it was changed last. Nobody remembers when it was made.
    pub changed_at: Timestamp,
}

/// A distribution in full, whoever has made it: what it would have to be asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeDistribution {
    /// The distribution, with its reference.
    pub listed: ListedDistribution,
    /// Where requests go that nothing else is said about; `None` when that is something that no [`Origin`] can be.
    pub origin: Option<Origin>,
    /// How they are passed on. What cannot be asked for, or was never asked for by anybody, is unsaid.
    pub behaviour: Behaviour,
    /// The pages that are shown in the place of the origin's answers with these status codes.
    pub error_pages: BTreeMap<u16, String>,
    /// Its tags, by name.
    pub tags: BTreeMap<String, String>,
}

/// A content delivery network.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Cdn: Send + Sync {
    /// Makes sure that the distribution named `reference` exists, and gives it. A new one gets the shape of `spec`;
    /// one that exists under this reference is adopted as it is. Twice is once: the reference is unique for ever, also
    /// beyond the life of its distribution.
    ///
    /// Errors: `Retry` (throttled, unreachable), `AwaitOperator` (quota, access, credentials), `GiveUp` (the
    /// reference belongs to somebody else's distribution, or the spec is refused).
    async fn ensure(&self, reference: &Reference, spec: &DistributionSpec) -> PortResult<Distribution>;

    /// Brings the distribution to `spec` in one update, leaving alone what the spec does not speak of. Sends nothing
    /// when nothing differs.
    ///
    /// Errors: as `ensure`; also `Retry` while the certificate is not yet known at the CDN, `AwaitTenant` when a name
    /// is in use elsewhere, `StartOver` when the distribution is gone.
    async fn apply(&self, id: &DistributionId, spec: &DistributionSpec) -> PortResult<Distribution>;

    /// The distribution as it is now; `None` when it does not exist.
    async fn find(&self, id: &DistributionId) -> PortResult<Option<Distribution>>;

    /// All distributions of the account, those of others too, page by page. What is made or deleted between two pages may be
    /// seen or missed; everything else is seen once.
    ///
    /// Errors: `Retry`, `AwaitOperator` (access, credentials). After an error nothing can be said about what was not seen.
    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ListedDistribution>>;

    /// One distribution as a list shows it, with its reference; `None` when it does not exist.
    async fn examine(&self, id: &DistributionId) -> PortResult<Option<ListedDistribution>>;

    /// One distribution in full, whoever has made it; `None` when it does not exist.
    async fn whole(&self, id: &DistributionId) -> PortResult<Option<WholeDistribution>>;

    /// Stops the distribution from answering, in its present shape. Disabling what is disabled or gone is success.
    async fn disable(&self, id: &DistributionId) -> PortResult<()>;

    /// Lets the distribution answer again, in its present shape. Enabling what is enabled changes nothing.
    ///
    /// Errors: `StartOver` when the distribution is gone.
    async fn enable(&self, id: &DistributionId) -> PortResult<()>;

    /// Deletes a disabled and deployed distribution. Removing what is gone is success.
    ///
    /// Errors: `Retry` while it is not yet disabled everywhere.
    async fn remove(&self, id: &DistributionId) -> PortResult<()>;

    /// Makes every edge fetch these paths anew when they are asked for next. A path begins with a slash; one that ends
    /// with `*` stands for all that begin like it. It is done once for each `reference`, however often it is called with
    /// the same paths; it takes effect within minutes, and nobody waits for that.
    ///
    /// Errors: `Retry` (throttled, too much of it at the same time), `StartOver` when the distribution is gone, `GiveUp`
    /// (a path is refused, or the reference stands for other paths).
    async fn invalidate(
        &self,
        id: &DistributionId,
        reference: &Reference,
        paths: &[String],
    ) -> PortResult<()>;
}
