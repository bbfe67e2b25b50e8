use async_trait::async_trait;

use crate::{DomainName, PortResult};

/// What the platform knows of a name, as one of its organizations sees it. The closest domain counts: the name itself or
/// else its nearest parent that exists on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformDomain {
    /// The organization may use it: the closest domain is its own, shared with it, or shared with everybody.
    Usable,
    /// Neither the name nor a parent of it exists on the platform.
    Unknown,
    /// The closest domain belongs to an organization that does not share it with this one.
    OfOthers {
        /// That domain: the name or a parent of it.
        domain: String,
    },
}

/// What people call an organization and a space. `None` for what the platform does not know, or does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The name of the organization.
    pub organization: Option<String>,
    /// The name of the space.
    pub space: Option<String>,
}

/// The platform's own directory of domains, organizations and spaces. Reads only; each call is bounded in time and can be
/// repeated at will.
///
/// Errors: `Retry` when the platform does not answer; `AwaitOperator` when it does not let us in.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PlatformDirectory: Send + Sync {
    /// What the platform knows of each of these names, in their order. A wildcard is asked for by the name below its star.
    /// What was usable a minute ago may still be said to be; what was not is always asked anew.
    async fn domains(&self, organization: &str, names: &[DomainName]) -> PortResult<Vec<PlatformDomain>>;

    /// The names of an organization and a space, by their GUIDs. They may be some minutes old. That there is no such thing
    /// is no error.
    async fn place(&self, organization: &str, space: &str) -> PortResult<Place>;
}
