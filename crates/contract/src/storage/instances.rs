use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    Behaviour, Delivery, DistributionId, DomainName, InstanceId, Operation, Origin, PortResult, Reference,
    Timestamp,
};

/// The whole original request, kept from before anything else happens, so that an instance can be recreated. An update
/// that has succeeded replaces plan, parameters and context by what they came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRequest {
    /// OSB `service_id`.
    pub service_id: String,
    /// OSB `plan_id`.
    pub plan_id: String,
    /// OSB `organization_guid`.
    pub organization: String,
    /// OSB `space_guid`.
    pub space: String,
    /// OSB `parameters` as sent: a JSON object, `{}` when absent. After an update, those of all requests together.
    pub parameters: String,
    /// OSB `context` as sent: a JSON object, `{}` when absent.
    pub context: String,
    /// The platform's user who asked (`X-Broker-API-Originating-Identity`, decoded), if it was said.
    pub identity: Option<String>,
    /// `X-Broker-API-Version` of the request.
    pub api_version: String,
    /// When the request arrived.
    pub received_at: Timestamp,
}

/// What an instance is meant to be, after defaults have been applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The user's domains, in their order, without repetition; never empty.
    pub domains: Vec<DomainName>,
    /// Where the content comes from.
    pub origin: Origin,
    /// How requests are passed on.
    pub behaviour: Behaviour,
    /// What the distribution does towards viewers.
    #[serde(default)]
    pub delivery: Delivery,
    /// The e-mail address of whoever is told what needs their hand; nobody unless it was asked for.
    #[serde(default)]
    pub notify: Option<String>,
}

/// The stage of life of an instance. Operations move it; nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// Its first operation is running.
    Provisioning,
    /// It serves its domains.
    Ready,
    /// Its first operation ended without success. It can only be deprovisioned.
    ProvisionFailed,
    /// It is being taken down.
    Deprovisioning,
    /// Taking it down ended without success; asking again resumes.
    DeprovisionFailed,
    /// Nothing of it is left; the row is a tombstone.
    Gone,
}

/// A service instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The platform's id.
    pub id: InstanceId,
    /// Counts how often this id has been used: 1, and one more each time it is created again after it was gone.
    /// Names that must not repeat are computed from both.
    pub incarnation: i32,
    /// The stage of life.
    pub state: InstanceState,
    /// What was asked.
    pub request: OriginalRequest,
    /// What it is meant to be.
    pub settings: Settings,
    /// The caller reference of its distribution, saved before the distribution is asked for.
    pub reference: Reference,
    /// The distribution's id, as soon as it is known.
    pub distribution: Option<DistributionId>,
    /// The distribution's host name, as soon as it is known.
    pub distribution_domain: Option<String>,
}

/// Keeps service instances.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait InstanceStore: Send + Sync {
    /// Stores a new instance together with its first operation, both or neither. `false` when the id is taken:
    /// nothing was changed. A tombstone of the incarnation before gives way.
    async fn create(&self, instance: &Instance, operation: &Operation) -> PortResult<bool>;

    /// The instance; `None` when the id was never used.
    async fn find(&self, id: &InstanceId) -> PortResult<Option<Instance>>;

    /// At most `limit` instances in the order of their ids, those after `after`, whatever has become of them: tombstones
    /// too. What is created between two calls may be seen or missed; nothing that was there before is. The order is the
    /// database's own for texts, and always the same.
    async fn list(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<Instance>>;

    /// Forgets the distribution, which is gone, and gives the one that is to be made in its place another caller
    /// reference: that of the lost one can never be used again. Nothing happens when the instance has another reference
    /// than `spent` by now.
    async fn replace_reference(&self, id: &InstanceId, spent: &Reference, next: &Reference)
    -> PortResult<()>;

    /// Keeps what was learnt about the distribution named `reference`, whatever has become of the operation meanwhile.
    /// Nothing happens when the instance has another reference by now: a straggler knows only of a former life.
    async fn record_distribution(
        &self,
        id: &InstanceId,
        reference: &Reference,
        distribution: &DistributionId,
        domain: &str,
    ) -> PortResult<()>;
}
