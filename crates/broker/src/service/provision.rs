//! Creating and deleting: what is asked is stored whole before it is answered, and nothing else is done here.

use contract::{
    DomainName, Instance, InstanceId, InstanceState, Operation, OperationKind, OriginalRequest, PortError,
    PortResult, Remedy,
};
use osb_core::{
    Call, Deprovision, DeprovisionDecision, ErrorCode, Existing, Provision, ProvisionDecision, Response,
    decide_deprovision, decide_provision,
};
use serde_json::{Map, Value};

use super::{Service, reading};
use crate::{describe, names, read_settings};

impl Service {
    /// `PUT`: R48 to R63.
    pub(super) async fn provision(
        &self,
        call: &Call,
        wanted: &Provision,
        identity: &str,
    ) -> PortResult<Response> {
        let id = InstanceId::new(&wanted.instance_id);
        // Twice, because another request may create the same instance between the look and the insert.
        for _ in 0..2 {
            let known = self.existing(&id).await?;
            let existing = known.as_ref().map(|(_, existing)| existing);
            match decide_provision(self.api.catalog(), wanted, existing) {
                ProvisionDecision::New => {}
                ProvisionDecision::Repeat { operation } => {
                    let page = self.page_of(known.as_ref()).await?;
                    return Ok(Response::provision_accepted(&operation, page.as_deref(), None));
                }
                ProvisionDecision::AlreadyThere => {
                    let page = self.page_of(known.as_ref()).await?;
                    return Ok(Response::provisioned(page.as_deref()));
                }
                ProvisionDecision::Conflict(refusal) => return Ok(refusal),
            }
            let incarnation = known.map_or(1, |(tombstone, _)| tombstone.incarnation.saturating_add(1));
            if let Some(answer) = self.create(call, wanted, identity, incarnation).await? {
                return Ok(answer);
            }
        }
        Err(PortError::new("create an instance", Remedy::Retry { after: None }, "its id is contended for"))
    }

    /// Where the page of an instance is found that is known already (R53).
    async fn page_of(&self, known: Option<&(Instance, Existing)>) -> PortResult<Option<String>> {
        match known {
            Some((instance, _)) => self.dashboard_url(instance).await,
            None => Ok(None),
        }
    }

    /// Checks the parameters and stores the instance with its first operation; `None` when somebody was faster.
    async fn create(
        &self,
        call: &Call,
        wanted: &Provision,
        identity: &str,
        incarnation: i32,
    ) -> PortResult<Option<Response>> {
        let read = read_settings(&wanted.parameters, &self.rules.default_origin, self.rules.offer);
        let within = |settings| {
            self.rules.plans.check(&wanted.plan_id, &settings, &wanted.parameters).map(|()| settings)
        };
        let settings = match read.and_then(within) {
            Ok(settings) => settings,
            Err(mistake) => {
                return Ok(Some(Response::error(ErrorCode::InvalidParameters, &mistake.to_string())));
            }
        };
        let id = InstanceId::new(&wanted.instance_id);
        if let Some(refusal) = self.refuse_names_of_others(&id, &settings.domains).await? {
            return Ok(Some(refusal));
        }
        if !self.is_canary(wanted, &settings.domains).await?
            && let Some(refusal) =
                self.refuse_names_added(&wanted.organization_guid, &wanted.context, &settings.domains).await
        {
            return Ok(Some(refusal));
        }
        let now = self.ports.clock.now();
        let instance = Instance {
            incarnation,
            state: InstanceState::Provisioning,
            request: original(call, wanted, now),
            settings,
            reference: names::distribution_reference(&id, incarnation),
            distribution: None,
            distribution_domain: None,
            id,
        };
        let operation = Operation {
            request_identity: Some(identity.to_owned()),
            ..self.ports.draft(&instance.id, OperationKind::Provision, None, now)
        };
        let page = self.dashboard_url(&instance).await?;
        if !self.ports.instances.create(&instance, &operation).await? {
            return Ok(None);
        }
        self.bell.notify_one();
        tracing::info!(instance.id = %instance.id, operation.id = %operation.id, "accepted a provision");
        Ok(Some(Response::provision_accepted(&reading::operation_id(&operation)?, page.as_deref(), None)))
    }

    /// The answer to somebody who asks for names that another instance has proven. Names that nobody has proven yet
    /// may be asked for by several: the first to prove one has it.
    pub(super) async fn refuse_names_of_others(
        &self,
        id: &InstanceId,
        names: &[DomainName],
    ) -> PortResult<Option<Response>> {
        let owners = self.ports.domains.owners(names).await?;
        let taken: Vec<DomainName> =
            owners.into_iter().filter(|owner| owner.instance != *id).map(|owner| owner.name).collect();
        let refusal = |text: String| Response::error(ErrorCode::InvalidParameters, &text);
        Ok((!taken.is_empty()).then(|| refusal(describe::taken(&taken))))
    }

    /// The answer to somebody who adds names that are the service's own, or that the platform does not have for them.
    pub(super) async fn refuse_names_added(
        &self,
        organization: &str,
        context: &Map<String, Value>,
        added: &[DomainName],
    ) -> Option<Response> {
        match self.refuse_names_of_ours(added) {
            Some(refusal) => Some(refusal),
            None => self.refuse_names_unknown_to_platform(organization, context, added).await,
        }
    }

    /// `DELETE`: R95 to R104.
    pub(super) async fn deprovision(&self, wanted: &Deprovision, identity: &str) -> PortResult<Response> {
        let id = InstanceId::new(&wanted.instance_id);
        for _ in 0..2 {
            let known = self.existing(&id).await?;
            let existing: Option<&Existing> = known.as_ref().map(|(_, existing)| existing);
            match decide_deprovision(wanted, existing) {
                DeprovisionDecision::Gone => return Ok(Response::gone()),
                DeprovisionDecision::Repeat { operation } => {
                    return Ok(Response::deprovision_accepted(&operation));
                }
                DeprovisionDecision::Start { as_recorded } => {
                    if !as_recorded {
                        tracing::warn!(instance.id = %id, "deprovision names another service or plan (R102)");
                    }
                }
            }
            let operation = Operation {
                request_identity: Some(identity.to_owned()),
                ..self.ports.draft(&id, OperationKind::Deprovision, None, self.ports.clock.now())
            };
            if self.ports.operations.begin_deprovision(&operation).await? {
                self.bell.notify_one();
                tracing::info!(instance.id = %id, operation.id = %operation.id, "accepted a deprovision");
                return Ok(Response::deprovision_accepted(&reading::operation_id(&operation)?));
            }
        }
        Err(PortError::new("delete an instance", Remedy::Retry { after: None }, "its id is contended for"))
    }
}

/// The whole request, as it was made (R112).
fn original(call: &Call, wanted: &Provision, now: contract::Timestamp) -> OriginalRequest {
    OriginalRequest {
        service_id: wanted.service_id.clone(),
        plan_id: wanted.plan_id.clone(),
        organization: wanted.organization_guid.clone(),
        space: wanted.space_guid.clone(),
        parameters: Value::Object(wanted.parameters.clone()).to_string(),
        context: Value::Object(wanted.context.clone()).to_string(),
        identity: call.identity.as_ref().map(osb_core::OriginatingIdentity::audit),
        api_version: call.api_version.to_string(),
        received_at: now,
    }
}
