use crate::json::same_object;
use crate::{Catalog, Deprovision, ErrorCode, Existing, InstanceState, OperationId, Provision, Response};

/// What to do about a provision.
#[derive(Clone, Debug, PartialEq)]
pub enum ProvisionDecision {
    /// There is no such instance: check the parameters, store it, answer [`Response::provision_accepted`].
    New,
    /// The very same is being created: answer [`Response::provision_accepted`] with this operation.
    Repeat {
        /// The operation that runs.
        operation: OperationId,
    },
    /// The very same has been created: answer [`Response::provisioned`].
    AlreadyThere,
    /// It cannot be: this is the answer.
    Conflict(Response),
}

/// What to do about a deprovision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeprovisionDecision {
    /// Start deleting, whatever else is going on; answer [`Response::deprovision_accepted`].
    Start {
        /// Whether service and plan are those of the instance. Platforms that clean up may send others: worth a line in
        /// the log, no more.
        as_recorded: bool,
    },
    /// It is being deleted: answer [`Response::deprovision_accepted`] with this operation.
    Repeat {
        /// The operation that runs.
        operation: OperationId,
    },
    /// There is none (any more): answer [`Response::gone`].
    Gone,
}

/// What to do about a fetch.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchDecision {
    /// Answer [`Response::fetched`].
    Show,
    /// There is nothing to show: this is the answer.
    Refused(Response),
}

/// Decides about a provision (OSB 2.17, "Provisioning"). `existing` is what is known under the same instance id.
///
/// Compared are service, plan, organization, space and parameters; not `context`, `maintenance_info` or headers. A
/// `maintenance_info` that is not the catalog's, and a plan that is retired, refuse only what would be new.
pub fn decide_provision(
    catalog: &Catalog,
    request: &Provision,
    existing: Option<&Existing>,
) -> ProvisionDecision {
    let Some(existing) = existing.filter(|existing| existing.state != InstanceState::Gone) else {
        return decide_new(catalog, request);
    };
    if let Some(reason) = unusable(&existing.state) {
        return conflict(reason);
    }
    if let Some(difference) = difference(request, existing) {
        return conflict(&format!(
            "A service instance with this id exists already, with another {difference}. Create an instance with a \
             new id, or update the existing one."
        ));
    }
    match &existing.state {
        InstanceState::Provisioning { operation } => {
            ProvisionDecision::Repeat { operation: operation.clone() }
        }
        _ => ProvisionDecision::AlreadyThere,
    }
}

/// Decides about a deprovision (OSB 2.17, "Deprovisioning"): allowed at any time, since a user whose creation is stuck has
/// nothing else.
pub fn decide_deprovision(request: &Deprovision, existing: Option<&Existing>) -> DeprovisionDecision {
    let Some(existing) = existing else { return DeprovisionDecision::Gone };
    match &existing.state {
        InstanceState::Gone => DeprovisionDecision::Gone,
        InstanceState::Deprovisioning { operation } => {
            DeprovisionDecision::Repeat { operation: operation.clone() }
        }
        _ => DeprovisionDecision::Start {
            as_recorded: request.service_id == existing.service_id && request.plan_id == existing.plan_id,
        },
    }
}

/// Decides about a fetch (OSB 2.17, "Fetching a Service Instance"): what is not created yet, or never will be, does not
/// exist; what is changing cannot be shown.
pub fn decide_fetch(existing: Option<&Existing>) -> FetchDecision {
    let refuse = |code, sentence| FetchDecision::Refused(Response::error(code, sentence));
    let Some(existing) = existing else {
        return refuse(ErrorCode::NotFound, "There is no service instance with this id. Create it first.");
    };
    match existing.state {
        InstanceState::Ready | InstanceState::Busy | InstanceState::DeprovisionFailed => FetchDecision::Show,
        InstanceState::Provisioning { .. } => refuse(
            ErrorCode::NotFound,
            "The service instance is still being created. Ask again when that is done.",
        ),
        InstanceState::ProvisionFailed => refuse(
            ErrorCode::NotFound,
            "The service instance could not be created. Delete it and create another.",
        ),
        InstanceState::Gone => {
            refuse(ErrorCode::NotFound, "The service instance has been deleted. Create another one.")
        }
        InstanceState::Updating { .. } | InstanceState::Deprovisioning { .. } => refuse(
            ErrorCode::ConcurrencyError,
            "Another operation on this service instance is in progress. Ask again when that is done.",
        ),
    }
}

fn decide_new(catalog: &Catalog, request: &Provision) -> ProvisionDecision {
    if catalog.is_retired(&request.service_id, &request.plan_id) {
        return ProvisionDecision::Conflict(Response::error(
            ErrorCode::UnknownServiceOrPlan,
            "The plan is not offered any more. Choose another one: `cf marketplace` lists them.",
        ));
    }
    let sent = request.maintenance_info_version.as_deref();
    catalog
        .maintenance_conflict(&request.service_id, &request.plan_id, sent)
        .map_or(ProvisionDecision::New, ProvisionDecision::Conflict)
}

fn conflict(description: &str) -> ProvisionDecision {
    ProvisionDecision::Conflict(Response::error(ErrorCode::InstanceConflict, description))
}

/// Why nobody can have this instance again, if so.
fn unusable(state: &InstanceState) -> Option<&'static str> {
    match state {
        InstanceState::ProvisionFailed => Some(
            "The creation of the service instance with this id has failed. Delete it and create a new one.",
        ),
        InstanceState::Deprovisioning { .. } => Some(
            "The service instance with this id is being deleted. Create an instance with a new id, or wait until it \
             is gone.",
        ),
        InstanceState::DeprovisionFailed => Some(
            "The deletion of the service instance with this id has failed. Delete it again and create a new one.",
        ),
        InstanceState::Provisioning { .. }
        | InstanceState::Ready
        | InstanceState::Busy
        | InstanceState::Updating { .. }
        | InstanceState::Gone => None,
    }
}

/// The first attribute in which a request is not what exists.
fn difference(request: &Provision, existing: &Existing) -> Option<&'static str> {
    let same = [
        ("service_id", request.service_id == existing.service_id),
        ("plan_id", request.plan_id == existing.plan_id),
        ("organization_guid", request.organization_guid == existing.organization_guid),
        ("space_guid", request.space_guid == existing.space_guid),
        ("value in parameters", same_object(&request.parameters, &existing.parameters)),
    ];
    same.into_iter().find_map(|(name, same)| (!same).then_some(name))
}
