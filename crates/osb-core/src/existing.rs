use serde_json::{Map, Value};

use crate::OperationId;

/// What the broker knows of an instance, as far as the protocol asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Existing {
    /// The service.
    pub service_id: String,
    /// The plan; during an update the one before.
    pub plan_id: String,
    /// The organization.
    pub organization_guid: String,
    /// The space.
    pub space_guid: String,
    /// The parameters that a repeated provision must equal: those of the provision, or of the last update that
    /// succeeded.
    pub parameters: Map<String, Value>,
    /// The stage of life.
    pub state: InstanceState,
}

/// The stage of life of an instance, as the platform sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// Being created.
    Provisioning {
        /// The operation that does it.
        operation: OperationId,
    },
    /// Created and not being touched. A failed update leads back here.
    Ready,
    /// Being changed.
    Updating {
        /// The operation that does it.
        operation: OperationId,
    },
    /// Its creation has failed; it can only be deleted.
    ProvisionFailed,
    /// Being deleted.
    Deprovisioning {
        /// The operation that does it.
        operation: OperationId,
    },
    /// Its deletion has failed; deleting it again goes on.
    DeprovisionFailed,
    /// Deleted; only the memory is left.
    Gone,
}
