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

/// What an update was asked for: enough to tell whether it is asked for again.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedChange {
    /// The plan the instance is to have; the one it has, if the update named none.
    pub plan_id: String,
    /// The parameters as they were sent, not as they came to be.
    pub parameters: Map<String, Value>,
}

/// The stage of life of an instance, as the platform sees it.
#[derive(Clone, Debug, PartialEq)]
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
        /// What it was asked for.
        asked: AskedChange,
    },
    /// Created, and the broker is at work on it unasked. It can be shown and deleted meanwhile, but not changed.
    Busy,
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
