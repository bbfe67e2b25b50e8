use crate::json::same_object;
use crate::{
    AskedChange, Catalog, ErrorCode, Existing, InstanceState, OperationId, Response, Update, UpdateRefusal,
};

/// What to do about an update.
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateDecision {
    /// A change is asked for: check the parameters together with those of the instance, store the change and its
    /// operation, answer [`Response::update_accepted`]. If the instance turns out to be so already, answer
    /// [`Response::updated`].
    Change {
        /// The plan the instance is to have: the present one, if no other is asked for.
        plan_id: String,
    },
    /// No change is asked for: answer [`Response::updated`].
    Nothing,
    /// The very same change is being made: answer [`Response::update_accepted`] with this operation.
    Repeat {
        /// The operation that runs.
        operation: OperationId,
    },
    /// It cannot be: this is the answer. Nothing of the instance may be changed.
    Refused(Response),
}

/// Decides about an update (OSB 2.17, "Updating a Service Instance").
///
/// What is absent does not change: no `plan_id` leaves the plan, no parameters leave the parameters. Cloud Controller
/// sends both with every update, as they are and as `{}`, so neither counts as a change then. `previous_values` is what
/// the platform believes and is not looked at.
pub fn decide_update(catalog: &Catalog, request: &Update, existing: Option<&Existing>) -> UpdateDecision {
    let Some(existing) = existing.filter(|existing| existing.state != InstanceState::Gone) else {
        return refused(ErrorCode::NotFound, "There is no service instance with this id. Create it first.");
    };
    if request.service_id != existing.service_id {
        return refused(
            ErrorCode::InvalidRequest,
            "The service instance is one of another service than service_id says. Send its own service_id.",
        );
    }
    if let InstanceState::Updating { operation, asked } = &existing.state
        && is_repetition(request, existing, asked)
    {
        return UpdateDecision::Repeat { operation: operation.clone() };
    }
    refuse(catalog, request, existing).map_or_else(|| wanted(request, existing), UpdateDecision::Refused)
}

/// Whether an update asks for what the one that runs was asked for.
fn is_repetition(request: &Update, existing: &Existing, asked: &AskedChange) -> bool {
    request.plan_id.as_ref().unwrap_or(&existing.plan_id) == &asked.plan_id
        && same_object(&request.parameters, &asked.parameters)
}

/// Why the instance cannot be changed as asked, in the order in which the checkers expect it.
fn refuse(catalog: &Catalog, request: &Update, existing: &Existing) -> Option<Response> {
    // What asks for nothing is only a look.
    let is_look =
        existing.state == InstanceState::Busy && wanted(request, existing) == UpdateDecision::Nothing;
    unchangeable(&existing.state)
        .filter(|_| !is_look)
        .or_else(|| plan_refusal(catalog, request, existing))
        .or_else(|| maintenance_refusal(catalog, request, existing))
}

fn unchangeable(state: &InstanceState) -> Option<Response> {
    let not_supported = |sentence| Response::update_refused(UpdateRefusal::UpdateNotSupported, sentence);
    match state {
        InstanceState::Ready | InstanceState::Gone => None,
        InstanceState::Provisioning { .. }
        | InstanceState::Updating { .. }
        | InstanceState::Busy
        | InstanceState::Deprovisioning { .. } => Some(Response::error(
            ErrorCode::ConcurrencyError,
            "Another operation on this service instance is in progress. Update it when that is done.",
        )),
        InstanceState::ProvisionFailed => Some(not_supported(
            "The service instance could not be created, so it cannot be changed. Delete it and create another.",
        )),
        InstanceState::DeprovisionFailed => Some(not_supported(
            "The service instance has been deleted in part, so it cannot be changed. Delete it again.",
        )),
    }
}

/// Whether plans can be changed is said by the plan the instance has, or else by the service.
fn plan_refusal(catalog: &Catalog, request: &Update, existing: &Existing) -> Option<Response> {
    if request.plan_id.as_ref().is_none_or(|plan_id| *plan_id == existing.plan_id) {
        return None;
    }
    if request.plan_id.as_ref().is_some_and(|plan_id| catalog.is_retired(&existing.service_id, plan_id)) {
        return Some(Response::update_refused(
            UpdateRefusal::PlanChangeNotSupported,
            "The plan asked for is not offered any more. Choose another one: `cf marketplace` lists them.",
        ));
    }
    let service = catalog.service(&existing.service_id);
    let plan = catalog.plan(&existing.service_id, &existing.plan_id);
    let updateable = plan.and_then(|plan| plan.plan_updateable);
    if updateable.or(service.map(|service| service.plan_updateable)) == Some(true) {
        return None;
    }
    Some(Response::update_refused(
        UpdateRefusal::PlanChangeNotSupported,
        "The plan of this service instance cannot be changed. Create another instance with the plan you want.",
    ))
}

/// A version that is sent must be the catalog's for the plan the instance is to have.
fn maintenance_refusal(catalog: &Catalog, request: &Update, existing: &Existing) -> Option<Response> {
    let plan_id = request.plan_id.as_ref().unwrap_or(&existing.plan_id);
    catalog.maintenance_conflict(&existing.service_id, plan_id, request.maintenance_info_version.as_deref())
}

fn wanted(request: &Update, existing: &Existing) -> UpdateDecision {
    let plan_id = request.plan_id.as_ref().unwrap_or(&existing.plan_id);
    if request.parameters.is_empty() && *plan_id == existing.plan_id {
        return UpdateDecision::Nothing;
    }
    UpdateDecision::Change { plan_id: plan_id.clone() }
}

fn refused(code: ErrorCode, sentence: &str) -> UpdateDecision {
    UpdateDecision::Refused(Response::error(code, sentence))
}
