use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{DomainName, InstanceId, PortResult, Side, Timestamp};

/// Something that has gone wrong with one instance and may go wrong with others: the refusal of a step, what a check has
/// found at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// What kind of thing it is, the same for all instances that meet it; no names, no numbers.
    pub class: String,
    /// The instance.
    pub instance: InstanceId,
    /// Whose the instance is: the organization.
    pub tenant: String,
    /// On whose side the cause lies, as far as can be told.
    pub side: Side,
    /// For the operator: what happened.
    pub sentence: String,
    /// When it happened last.
    pub at: Timestamp,
}

/// What is wrong with a name that is served, as the last look has found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteFinding {
    /// The name.
    pub name: DomainName,
    /// What kind of thing is wrong: `certificate`, `dns`, `caa`, `challenge-path`, `delegation`.
    pub kind: String,
    /// A sentence that its user may read too: what is wrong and what to do.
    pub sentence: String,
    /// When it was found first.
    pub since: Timestamp,
    /// When it was found last.
    pub last: Timestamp,
    /// How many looks in a row have found it.
    pub looks: u32,
    /// Whether the operator was told.
    pub told: bool,
}

/// Keeps what is wrong with single instances, so that what is wrong with several can be seen.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait TroubleStore: Send + Sync {
    /// Keeps a mishap, in the place of the last one of its class and instance.
    async fn note(&self, mishap: &Mishap) -> PortResult<()>;

    /// At most `most` of those that happened at or after a moment, by class and instance.
    async fn mishaps(&self, since: Timestamp, most: u32) -> PortResult<Vec<Mishap>>;

    /// Forgets those that happened before a moment.
    async fn forget_before(&self, at: Timestamp) -> PortResult<()>;

    /// What the last look at the names of an instance has found; empty when all was well, or nobody has looked.
    async fn findings(&self, instance: &InstanceId) -> PortResult<Vec<SiteFinding>>;

    /// Keeps what a look has found, in the place of what the one before has.
    async fn keep_findings(&self, instance: &InstanceId, findings: &[SiteFinding]) -> PortResult<()>;

    /// At most `most` instances with findings, in the order of their ids, those after `after`.
    async fn troubled(&self, after: Option<InstanceId>, most: u32) -> PortResult<Vec<InstanceId>>;
}
