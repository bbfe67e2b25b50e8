//! Changing: what is asked is put together with what was asked before, checked as a whole, and stored whole. Until its
//! operation has succeeded, nobody but that operation knows of it.

use contract::{
    Change, DomainName, InstanceId, Operation, OperationKind, PortError, PortResult, Remedy, Settings,
    Standing,
};
use osb_core::{Call, ErrorCode, Response, Update, UpdateDecision, decide_update};
use serde_json::{Map, Value};

use super::{Service, reading};
use crate::parameters::{ParameterError, effective, invalidation, merge};
use crate::{read_settings, workflow};

impl Service {
    /// `PATCH`: R81 to R94.
    pub(super) async fn update(&self, call: &Call, wanted: &Update, identity: &str) -> PortResult<Response> {
        let id = InstanceId::new(&wanted.instance_id);
        // Twice, because another request may begin an operation between the look and the insert.
        for _ in 0..2 {
            let standing = self.ports.operations.standing(&id).await?;
            let existing = standing.as_ref().map(|it| reading::existing(&it.instance, it.latest.as_ref()));
            let decision = decide_update(self.api.catalog(), wanted, existing.as_ref());
            let (standing, plan_id) = match (decision, standing) {
                (UpdateDecision::Refused(refusal), _) => return Ok(refusal),
                (UpdateDecision::Repeat { operation }, standing) => {
                    let page = self.page_at(standing.as_ref()).await?;
                    return Ok(Response::update_accepted(&operation, page.as_deref(), None));
                }
                (UpdateDecision::Nothing, Some(standing)) => match self.recreation(&standing).await? {
                    Some(text) => return Ok(Response::updated(None, Some(&text))),
                    None => return Box::pin(self.look(&standing)).await,
                },
                (UpdateDecision::Change { plan_id }, Some(standing)) => (standing, plan_id),
                (_, None) => return Ok(Response::gone()),
            };
            if let Some(answer) = self.change(call, wanted, identity, &standing, plan_id).await? {
                return Ok(answer);
            }
        }
        Err(PortError::new("update an instance", Remedy::Retry { after: None }, "its id is contended for"))
    }

    /// Where the page is found: a platform that was told of another link keeps this one (R92).
    async fn page_at(&self, standing: Option<&Standing>) -> PortResult<Option<String>> {
        match standing {
            Some(standing) => self.dashboard_url(&standing.instance).await,
            None => Ok(None),
        }
    }

    /// Checks the change and stores it with its operation; `None` when the instance is not as it was any more.
    async fn change(
        &self,
        call: &Call,
        wanted: &Update,
        identity: &str,
        standing: &Standing,
        plan_id: String,
    ) -> PortResult<Option<Response>> {
        let change = match self.read_change(call, wanted, standing, plan_id) {
            Ok(change) => change,
            Err(mistake) => {
                return Ok(Some(Response::error(ErrorCode::InvalidParameters, &mistake.to_string())));
            }
        };
        if changes_nothing(standing, &change) {
            return Box::pin(self.look(standing)).await.map(Some);
        }
        if merge::names_domains(&wanted.parameters)
            && let Some(refusal) = self.refuse_names(wanted, standing, &change).await?
        {
            return Ok(Some(refusal));
        }
        let (instance, supersede) = (&standing.instance, change.needs_certificate);
        let now = self.ports.clock.now();
        let page = self.dashboard_url(instance).await?;
        let operation = Operation {
            request_identity: Some(identity.to_owned()),
            ..self.ports.draft(&instance.id, OperationKind::Update, Some(change), now)
        };
        if !self.ports.operations.begin_update(&operation, instance, supersede).await? {
            return Ok(None);
        }
        self.bell.notify_one();
        tracing::info!(instance.id = %instance.id, operation.id = %operation.id, "accepted an update");
        Ok(Some(Response::update_accepted(&reading::operation_id(&operation)?, page.as_deref(), None)))
    }

    /// The answer to somebody who asks for names of another instance, or adds some that are not theirs to ask for.
    async fn refuse_names(
        &self,
        wanted: &Update,
        standing: &Standing,
        change: &Change,
    ) -> PortResult<Option<Response>> {
        let (instance, names) = (&standing.instance, &change.settings.domains);
        if let Some(refusal) = self.refuse_names_of_others(&instance.id, names).await? {
            return Ok(Some(refusal));
        }
        let is_new = |name: &&DomainName| !instance.settings.domains.contains(name);
        let added: Vec<DomainName> = names.iter().filter(is_new).cloned().collect();
        let organization = &instance.request.organization;
        Ok(self.refuse_names_added(organization, &wanted.context, &added).await)
    }

    fn read_change(
        &self,
        call: &Call,
        wanted: &Update,
        standing: &Standing,
        plan_id: String,
    ) -> Result<Change, ParameterError> {
        let instance = &standing.instance;
        let mut sent = wanted.parameters.clone();
        let invalidate = invalidation::take(&mut sent)?;
        let mut parameters = merge::merged(&reading::as_sent(&instance.request.parameters), &sent);
        let settings =
            read_settings(&parameters, self.origin_behind(&sent, &instance.settings), self.rules.offer)?;
        let settings = merge::remembered(settings, &instance.settings);
        parameters.retain(|_, value| !value.is_null());
        // Whoever comes from another plan has to fit into the new one with everything.
        let named = if plan_id == instance.request.plan_id { &sent } else { &parameters };
        self.rules.plans.check(&plan_id, &settings, named)?;
        Ok(Change {
            needs_certificate: merge::names_domains(&sent)
                && workflow::lacks_a_name(&standing.certificates, &settings.domains),
            settings,
            plan_id,
            parameters: Value::Object(parameters).to_string(),
            context: text(&wanted.context),
            sent: text(&wanted.parameters),
            identity: call.identity.as_ref().map(osb_core::OriginatingIdentity::audit),
            invalidate,
        })
    }

    /// The origin of an instance whose user has never named one: the one it has, also when the operator has another
    /// default by now, until the user says that it is to be the default.
    fn origin_behind<'a>(&'a self, sent: &Map<String, Value>, present: &'a Settings) -> &'a DomainName {
        if sent.contains_key("origin") { &self.rules.default_origin } else { &present.origin.domain }
    }
}

/// Whether the instance is as the change wants it, in what it shows: to ask for what is there asks for nothing. A name that
/// has lapsed makes the difference, if it is asked for again.
fn changes_nothing(standing: &Standing, change: &Change) -> bool {
    let instance = &standing.instance;
    effective::parameters(&change.settings) == effective::parameters(&instance.settings)
        && change.plan_id == instance.request.plan_id
        && !change.needs_certificate
        && change.invalidate.is_empty()
}

fn text(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}
