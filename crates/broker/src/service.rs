mod logins;
mod look;
mod own_zone;
mod pages;
mod platform;
mod provision;
mod reading;
mod survey;
mod trace;
mod update;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use contract::{DomainName, InstanceId, InstanceState, OriginalRequest, PortResult};
use http::{HeaderMap, Method, StatusCode};
use osb_core::{Api, ErrorCode, Existing, Operation, Request, Response};
use tokio::sync::Notify;
use tracing::Instrument;

pub(crate) use self::logins::FailedLogins;
pub(crate) use self::pages::shown;
pub(crate) use self::trace::of_operation;
use self::trace::{Named, OwnNames};
use crate::health::Health;
use crate::metrics::MetricsPage;
use crate::{AdminStores, Offer, Pace, Pages, Plans, Ports, describe, page, responder};

/// What the service is told by the operator.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Where content comes from when the user does not say.
    pub default_origin: DomainName,
    /// What can be asked for only where the operator has set up what it takes.
    pub offer: Offer,
    /// For how long a finished deletion is reported as succeeded before it is reported as gone (R67).
    pub deleted_retention: Duration,
    /// How long things may take; the user is told.
    pub pace: Pace,
    /// What goes with each plan.
    pub plans: Plans,
    /// The zone of DNS that is the service's own; `None` where there is none.
    pub managed_zone: Option<DomainName>,
}

/// Answers the platform. Reads and writes the store only: whatever needs the world is left to the worker, so that every
/// answer is quick and nothing depends on being asked again (R5, R74). Only who asks for no change is answered with a look
/// at the world, and who asks for new names with a question to the platform; for both there is a bound.
#[derive(Clone)]
pub struct Service {
    api: Arc<Api>,
    ports: Ports,
    rules: Arc<Rules>,
    bell: Arc<Notify>,
    health: Arc<Health>,
    pages: Option<Arc<Pages>>,
    /// Whether the operator may have been told, by this process or one before, that the platform does not let us in.
    platform_trouble: Arc<AtomicBool>,
    admin: Option<Arc<AdminStores>>,
    metrics: Option<MetricsPage>,
    logins: Arc<FailedLogins>,
    own_names: Arc<OwnNames>,
}

impl Service {
    /// A service that rings `bell` when there is new work.
    pub fn new(api: Api, ports: Ports, rules: Rules, bell: Arc<Notify>) -> Self {
        let health = Arc::new(Health::new(ports.readiness.clone(), ports.clock.clone()));
        let platform_trouble = Arc::new(AtomicBool::new(true));
        Self {
            api: Arc::new(api),
            ports,
            rules: Arc::new(rules),
            bell,
            health,
            pages: None,
            admin: None,
            metrics: None,
            platform_trouble,
            logins: Arc::new(FailedLogins::new()),
            own_names: Arc::new(OwnNames::new()),
        }
    }

    /// The same service with a page for each instance.
    #[must_use]
    pub fn with_pages(self, pages: Pages) -> Self {
        Self { pages: Some(Arc::new(pages)), ..self }
    }

    /// The same service with an overview for its operator.
    #[must_use]
    pub fn with_admin(self, stores: AdminStores) -> Self {
        Self { admin: Some(Arc::new(stores)), ..self }
    }

    /// The same service, which also shows what is measured.
    #[must_use]
    pub fn with_metrics(self, page: MetricsPage) -> Self {
        let page = page.counting(self.logins.clone());
        Self { metrics: Some(page), ..self }
    }

    /// The answer to a browser, if the request is one for pages.
    pub async fn answer_page(&self, request: &Request<'_>) -> Option<http::Response<Bytes>> {
        self.answer_page_to(request, None).await
    }

    /// The same, for somebody at this address.
    pub async fn answer_page_to(
        &self,
        request: &Request<'_>,
        peer: Option<IpAddr>,
    ) -> Option<http::Response<Bytes>> {
        match request.path {
            path if page::is_meant(path) => page::answer(self, request).await,
            path if page::is_for_operator(path) => page::answer_operator(self, request, peer).await,
            _ => None,
        }
    }

    /// Whether the answer depends on the body of a request, as far as it can be known from the head: for all others nobody need
    /// wait for it.
    pub fn wants_body(&self, head: &Request<'_>) -> bool {
        if page::is_meant(head.path) {
            return self.pages.is_some() && page::wants_body(head);
        }
        self.api.wants_body(head)
    }

    /// The answer to one request. Never fails: what cannot be done is an answer too. Every line that is logged on the way
    /// names the request as the platform does, or by a name of our own (R14).
    pub async fn answer(&self, request: &Request<'_>) -> Response {
        self.answer_to(request, None).await
    }

    /// The same, for somebody at this address.
    pub async fn answer_to(&self, request: &Request<'_>, peer: Option<IpAddr>) -> Response {
        let Named { identity, span } = Named::new(request, &self.own_names);
        self.answered(request, peer, &identity).instrument(span).await
    }

    /// A refusal of what the server has found wrong with a request, as the answer to it.
    pub(crate) fn refuse(&self, request: &Request<'_>, refusal: Response) -> Response {
        Named::new(request, &self.own_names).span.in_scope(|| log_refusal(&refusal));
        refusal.for_request(request.headers)
    }

    async fn answered(&self, request: &Request<'_>, peer: Option<IpAddr>, identity: &str) -> Response {
        let call = match self.api.read(request) {
            Ok(call) => call,
            Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => {
                return self.logins.answer(refusal, request.headers, peer, self.ports.clock.now());
            }
            Err(refusal) => {
                let refusal = self.refused(refusal, request).await;
                log_refusal(&refusal);
                return refusal;
            }
        };
        let answer = match &call.operation {
            Operation::Catalog(query) => Ok(self.api.answer_catalog(query)),
            Operation::Provision(wanted) => self.provision(&call, wanted, identity).await,
            Operation::Update(wanted) => self.update(&call, wanted, identity).await,
            Operation::Deprovision(wanted) => self.deprovision(wanted, identity).await,
            Operation::LastOperation(question) => self.last_operation(question).await,
            Operation::Fetch(question) => self.fetch(question).await,
        };
        let answer = answer.unwrap_or_else(|error| {
            tracing::error!(%error, "could not answer");
            unavailable()
        });
        log_refusal(&answer);
        answer.for_request(request.headers)
    }

    /// A refusal, in better words where the catalog lacks the plan of an instance that there is: no platform can mend that.
    async fn refused(&self, refusal: Response, request: &Request<'_>) -> Response {
        let Some(id) = self.api.unknown_plan_of(&refusal, request) else { return refusal };
        let Ok(Some(instance)) = self.ports.instances.find(&InstanceId::new(id)).await else {
            return refusal;
        };
        let OriginalRequest { service_id, plan_id, .. } = &instance.request;
        let is_there = instance.state != InstanceState::Gone;
        if !is_there || self.api.catalog().plan(service_id, plan_id).is_some() {
            return refusal;
        }
        tracing::warn!(
            "the instance has the plan {plan_id} of the service {service_id}, which the catalog lacks: put it back with \
             \"retired\": true (docs/CATALOG.md)"
        );
        let text = describe::plan_is_missing();
        Response::error(ErrorCode::UnknownServiceOrPlan, text).for_request(request.headers)
    }

    /// The answer to a request of the certificate authority, which is not one of the platform's.
    pub(crate) async fn answer_challenge(&self, method: &Method, path: &str) -> http::Response<Bytes> {
        responder::answer(self.ports.answers.as_ref(), method, path).await
    }

    /// The answer to whoever watches over this process, if it is one of theirs.
    pub(crate) async fn answer_health(&self, method: &Method, path: &str) -> Option<http::Response<Bytes>> {
        self.health.answer(method, path).await
    }

    /// The answer to whoever reads what is measured, if that is shown here.
    pub(crate) async fn answer_metrics(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Option<http::Response<Bytes>> {
        self.metrics.as_ref()?.answer(method, path, headers, peer).await
    }

    /// What is known under an instance id, in the protocol's words.
    async fn existing(&self, id: &InstanceId) -> PortResult<Option<(contract::Instance, Existing)>> {
        let Some(standing) = self.ports.operations.standing(id).await? else { return Ok(None) };
        let existing = reading::existing(&standing.instance, standing.latest.as_ref());
        Ok(Some((standing.instance, existing)))
    }
}

/// The store did not answer. Nothing is known, so nothing is said about the instance (D22).
fn unavailable() -> Response {
    Response::error(
        ErrorCode::Unavailable,
        "The service broker cannot reach its database at the moment. Try again in a minute.",
    )
}

fn log_refusal(answer: &Response) {
    if answer.error_code().is_some() {
        let sentence = answer.description().unwrap_or_default();
        tracing::info!(http.status = answer.status().as_u16(), "refused: {sentence}");
    }
}
