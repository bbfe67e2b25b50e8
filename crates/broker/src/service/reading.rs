//! Polling and fetching: only reads.

use contract::{
    DomainInstructions, Instance, InstanceId, IssuanceId, Operation, OperationKind, OperationState,
    PortError, PortResult, Remedy, Standing,
};
use osb_core::{
    AskedChange, Existing, FailedOperation, Fetch, FetchDecision, InstanceState, KnownOperation,
    LastOperation, LastOperationDecision, LastOperationState, Response, decide_fetch, decide_last_operation,
};
use serde_json::{Map, Value};

use super::Service;
use crate::Pace;
use crate::describe::Scene;
use crate::parameters::effective;
use crate::workflow::{Step, facts};

impl Service {
    /// `GET …/last_operation`: R64 to R75.
    pub(super) async fn last_operation(&self, question: &LastOperation) -> PortResult<Response> {
        let id = InstanceId::new(&question.instance_id);
        let standing = self.ports.operations.standing(&id).await?;
        let operations = self.operations_asked_about(&id, question, standing.as_ref()).await?;
        let known = operations.iter().map(|one| self.known(one)).collect::<PortResult<Vec<_>>>()?;
        let (found, as_asked) = match decide_last_operation(question, &known, self.rules.deleted_retention) {
            LastOperationDecision::Answer(answer) => return Ok(answer),
            LastOperationDecision::Report { operation, as_asked } => (operation, as_asked),
        };
        if !as_asked {
            tracing::warn!(instance.id = %id, "a poll names no operation of this instance; answering for the latest (R70)");
        }
        let operation = operations.iter().find(|one| one.id.as_str() == found.id.as_str());
        let (Some(operation), Some(standing)) = (operation.or(operations.first()), &standing) else {
            return Ok(Response::gone());
        };
        self.report(standing, operation).await
    }

    /// `GET /v2/service_instances/{id}`: R76 to R80.
    pub(super) async fn fetch(&self, question: &Fetch) -> PortResult<Response> {
        let known = self.existing(&InstanceId::new(&question.instance_id)).await?;
        match (decide_fetch(known.as_ref().map(|(_, existing)| existing)), known) {
            (FetchDecision::Show, Some((instance, _))) => {
                let request = &instance.request;
                let parameters = effective::parameters(&instance.settings);
                let page = self.dashboard_url(&instance).await?;
                Ok(Response::fetched(&request.service_id, &request.plan_id, &parameters, page.as_deref()))
            }
            (FetchDecision::Refused(refusal), _) => Ok(refusal),
            (FetchDecision::Show, None) => Ok(Response::gone()),
        }
    }

    /// The latest operation of an instance first, then the one asked about, if it is another one of the instance's.
    async fn operations_asked_about(
        &self,
        id: &InstanceId,
        question: &LastOperation,
        standing: Option<&Standing>,
    ) -> PortResult<Vec<Operation>> {
        let latest = standing.and_then(|standing| standing.latest.clone());
        let mut operations: Vec<Operation> = latest.into_iter().collect();
        if let Some(asked) = &question.operation
            && operations.iter().all(|latest| latest.id.as_str() != asked)
        {
            let asked = self.ports.operations.find(&contract::OperationId::new(asked)).await?;
            operations.extend(asked.filter(|one| one.instance == *id));
        }
        Ok(operations)
    }

    fn known(&self, operation: &Operation) -> PortResult<KnownOperation> {
        let deleted =
            operation.kind == OperationKind::Deprovision && operation.state == OperationState::Succeeded;
        Ok(KnownOperation {
            id: operation_id(operation)?,
            deleted_for: deleted.then(|| self.ports.clock.now().since(operation.step_since)),
        })
    }

    async fn report(&self, standing: &Standing, operation: &Operation) -> PortResult<Response> {
        let text = self.text(standing, operation).await?;
        Ok(Response::last_operation(protocol_state(operation, &self.rules.pace), &text))
    }

    /// The recreation that runs, as the user reads it; `None` when none does.
    pub(super) async fn recreation(&self, standing: &Standing) -> PortResult<Option<String>> {
        match standing.latest.as_ref().filter(|latest| is_recreation(latest)) {
            Some(recreation) => self.text(standing, recreation).await.map(Some),
            None => Ok(None),
        }
    }

    async fn text(&self, standing: &Standing, operation: &Operation) -> PortResult<String> {
        let instructions = match self.issuance_of(standing, operation) {
            Some(issuance) => self.instructions(standing, issuance).await?,
            None => Vec::new(),
        };
        let scene = Scene {
            instance: &standing.instance,
            operation,
            instructions: &instructions,
            pace: &self.rules.pace,
        };
        Ok(scene.text())
    }

    /// The instructions of an issuance, as they were when the instance was read if that brought them along.
    pub(super) async fn instructions(
        &self,
        standing: &Standing,
        id: &IssuanceId,
    ) -> PortResult<Vec<DomainInstructions>> {
        match standing.issuance(id) {
            Some(issuance) => Ok(self.ports.issuer.instructions_of(issuance)),
            None => self.ports.issuer.instructions(id).await,
        }
    }

    /// The issuance that an operation waits for, or had to give up waiting for: its instructions hold on.
    pub(super) fn issuance_of<'a>(
        &self,
        standing: &'a Standing,
        operation: &Operation,
    ) -> Option<&'a IssuanceId> {
        let is_waiting = match operation.kind {
            OperationKind::Provision | OperationKind::Recreate => operation.state == OperationState::Running,
            OperationKind::Update => {
                matches!(operation.state, OperationState::Running | OperationState::Failed)
                    && Step::of(operation) == Some(Step::ObtainCertificate)
            }
            OperationKind::Renew | OperationKind::Deprovision => false,
        };
        let settings =
            operation.change.as_ref().map_or(&standing.instance.settings, |change| &change.settings);
        let now = self.ports.clock.now();
        let found = facts::in_work(&standing.certificates, &settings.domains, now).filter(|_| is_waiting)?;
        Some(&found.issuance)
    }
}

/// An instance in the protocol's words. `latest` is the newest operation on the user's track.
pub(super) fn existing(instance: &Instance, latest: Option<&Operation>) -> Existing {
    let request = &instance.request;
    Existing {
        service_id: request.service_id.clone(),
        plan_id: request.plan_id.clone(),
        organization_guid: request.organization.clone(),
        space_guid: request.space.clone(),
        parameters: as_sent(&request.parameters),
        state: state(instance, latest),
    }
}

/// An operation's id in the protocol's type. The broker makes its ids of hexadecimal digits, so they always fit.
pub(super) fn operation_id(operation: &Operation) -> PortResult<osb_core::OperationId> {
    osb_core::OperationId::parse(operation.id.as_str())
        .map_err(|error| PortError::new("name an operation", Remedy::GiveUp, error))
}

fn state(instance: &Instance, latest: Option<&Operation>) -> InstanceState {
    use contract::InstanceState as Stored;
    let running = latest.and_then(|operation| operation_id(operation).ok());
    match (instance.state, running) {
        (Stored::Provisioning, Some(operation)) => InstanceState::Provisioning { operation },
        (Stored::Deprovisioning, Some(operation)) => InstanceState::Deprovisioning { operation },
        (Stored::Ready, Some(operation)) => updating(operation, latest),
        (Stored::Ready, None) => InstanceState::Ready,
        (Stored::ProvisionFailed | Stored::Provisioning, _) => InstanceState::ProvisionFailed,
        (Stored::DeprovisionFailed | Stored::Deprovisioning, _) => InstanceState::DeprovisionFailed,
        (Stored::Gone, _) => InstanceState::Gone,
    }
}

fn is_recreation(latest: &Operation) -> bool {
    latest.kind == OperationKind::Recreate && latest.state == OperationState::Running
}

/// An instance that is ready is being changed while an update runs, and left to the operators while they rebuild it.
fn updating(operation: osb_core::OperationId, latest: Option<&Operation>) -> InstanceState {
    if latest.is_some_and(is_recreation) {
        return InstanceState::Busy;
    }
    let change = latest
        .filter(|latest| latest.state == OperationState::Running)
        .and_then(|latest| latest.change.as_ref());
    let Some(change) = change else { return InstanceState::Ready };
    let asked = AskedChange { plan_id: change.plan_id.clone(), parameters: as_sent(&change.sent) };
    InstanceState::Updating { operation, asked }
}

pub(super) fn as_sent(parameters: &str) -> Map<String, Value> {
    serde_json::from_str(parameters).unwrap_or_default()
}

fn protocol_state(operation: &Operation, pace: &Pace) -> LastOperationState {
    match (operation.state, operation.kind) {
        (OperationState::Running, _) => LastOperationState::InProgress { retry_after: None },
        (OperationState::Succeeded, _) => LastOperationState::Succeeded,
        // Nobody is told of a renewal; whoever knows its id anyway learns that the instance is as it was.
        (OperationState::Failed | OperationState::Cancelled, OperationKind::Renew) => {
            LastOperationState::Succeeded
        }
        (OperationState::Failed | OperationState::Cancelled, OperationKind::Provision) => {
            LastOperationState::Failed(FailedOperation::Provision)
        }
        // Nobody polls for a recreation; whoever knows its id learns that the instance can be used, or changed again.
        (OperationState::Failed | OperationState::Cancelled, OperationKind::Recreate) => {
            LastOperationState::Failed(FailedOperation::Update {
                instance_usable: true,
                update_repeatable: true,
            })
        }
        (OperationState::Failed | OperationState::Cancelled, OperationKind::Update) => {
            let update_repeatable = pace.has_timed_out(operation);
            LastOperationState::Failed(FailedOperation::Update { instance_usable: true, update_repeatable })
        }
        (OperationState::Failed | OperationState::Cancelled, OperationKind::Deprovision) => {
            LastOperationState::Failed(FailedOperation::Deprovision { instance_usable: false })
        }
    }
}
