//! A broker on fakes, and a platform that talks to it.

use std::sync::Arc;
use std::time::Duration;

use broker::{
    Breakers, Chores, ManagedNames, Offering, Operator, Pace, Ports, Rules, Service, WorkSettings, Worker,
};
use contract::testing::{Outcome, World, until_crash};
use contract::{
    CertificateRecord, CertificateState, ChallengeAnswers, DomainName, Instance, InstanceId, InstanceStore,
    OperationKind, OperationState, OperationStore, WorkQueue, durable_label,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use osb_core::{Api, Credential, Request, Response};
use serde_json::{Value, json};

/// A world and the two domains that everybody asks for in it.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) pace: Pace,
    pub(crate) offering: Offering,
}

pub(crate) const ID: &str = "9a4b0c1e-0000-4000-8000-000000000001";
pub(crate) const CHALLENGE_HOST: &str = "challenge.broker.example";
pub(crate) const DOMAINS: [&str; 2] = ["www.example.gov", "docs.example.gov"];

/// Shortly before two thirds of the 90 days that a sample certificate lives.
const NEARLY_TWO_THIRDS: Duration = Duration::from_hours(59 * 24);

/// From there to behind the window in which it is renewed.
const THE_WINDOW: Duration = Duration::from_hours(4 * 24);

impl Bench {
    pub(crate) fn new() -> Self {
        Self { world: World::new(), pace: Pace::default(), offering: Offering::built_in(true) }
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports_with_queue(Arc::new(self.world.store.clone()))
    }

    pub(crate) fn ports_with_queue(&self, queue: Arc<dyn WorkQueue>) -> Ports {
        let world = self.world.clone();
        let breakers = self.breakers();
        Ports {
            issuer: breakers.issuer(Arc::new(world.issuer)),
            names: Arc::new(world.names),
            cdn: breakers.cdn(Arc::new(world.cdn)),
            vault: breakers.vault(Arc::new(world.vault)),
            site: breakers.site(Arc::new(world.site)),
            managed: Some(ManagedNames {
                zone: breakers.zone(Arc::new(world.zone)),
                apex: DomainName::parse("cdn.example").unwrap(),
                challenge_host: CHALLENGE_HOST.into(),
            }),
            platform: None,
            answers: Arc::new(world.store.clone()),
            instances: Arc::new(world.store.clone()),
            operations: Arc::new(world.store.clone()),
            queue,
            certificates: Arc::new(world.store.clone()),
            domains: Arc::new(world.store.clone()),
            renewals: Arc::new(world.store.clone()),
            sweeps: Arc::new(world.store.clone()),
            chores: Arc::new(world.store.clone()),
            troubles: Arc::new(world.store.clone()),
            readiness: Arc::new(world.store),
            breakers,
            letters: Some(Arc::new(self.world.store.clone())),
            alerts: Arc::new(world.alerts),
            clock: Arc::new(world.clock),
            randomness: Arc::new(world.randomness),
        }
    }

    /// The breakers as a process of its own has them.
    fn breakers(&self) -> Breakers {
        let World { store, alerts, clock, .. } = self.world.clone();
        Breakers::new(
            Arc::new(store.clone()),
            Arc::new(store),
            Arc::new(alerts),
            Arc::new(clock),
            self.pace.step_timeout,
        )
    }

    pub(crate) fn worker(&self) -> Worker {
        let (pace, plans) = (self.pace.clone(), self.offering.plans.clone());
        Worker::new(self.ports(), WorkSettings { pace, plans, ..WorkSettings::default() })
    }

    pub(crate) fn chores(&self) -> Chores {
        Chores::new(self.ports(), Arc::default())
    }

    pub(crate) fn operator(&self) -> Operator {
        Operator::new(self.ports(), Arc::new(self.world.store.clone()), self.pace.clone())
    }

    pub(crate) fn service(&self) -> Service {
        self.service_with_answers(Arc::new(self.world.store.clone()))
    }

    pub(crate) fn service_with_answers(&self, answers: Arc<dyn ChallengeAnswers>) -> Service {
        self.service_on(Ports { answers, ..self.ports() })
    }

    pub(crate) fn service_on(&self, ports: Ports) -> Service {
        self.service_offering(ports, broker::Offer { letters: true, ..broker::Offer::default() })
    }

    pub(crate) fn service_offering(&self, ports: Ports, offer: broker::Offer) -> Service {
        let api = Api::new(self.offering.catalog.clone(), vec![Credential::new("user", "secret").unwrap()])
            .unwrap();
        let rules = Rules {
            default_origin: DomainName::parse("apps.example.org").unwrap(),
            offer,
            deleted_retention: Duration::from_hours(1),
            pace: self.pace.clone(),
            plans: self.offering.plans.clone(),
            managed_zone: DomainName::parse("cdn.example").ok(),
        };
        Service::new(api, ports, rules, Arc::default())
    }

    /// Where the managed record of a name leads to.
    pub(crate) fn managed_target(&self, name: &str) -> Option<String> {
        let label = durable_label("org-1", &DomainName::parse(name).unwrap());
        self.world.zone.target(&format!("{label}.cdn.example."))
    }

    pub(crate) fn prove_all(&self) {
        for domain in DOMAINS {
            self.world.issuer.prove(&DomainName::parse(domain).unwrap());
        }
    }

    /// Lets time pass and the worker work until `done`. Every wait in the fakes is shorter than a quarter of an hour,
    /// so an operation that has not moved in two hundred of them never will.
    pub(crate) async fn work_until(&self, done: impl AsyncFn(&Self) -> bool) {
        let worker = self.worker();
        for _ in 0..200 {
            worker.run_due().await.unwrap();
            if done(self).await {
                return;
            }
            self.world.clock.advance(Duration::from_secs(30));
        }
        panic!("the condition never came true; the operation: {:?}", self.latest().await);
    }

    /// Like `work_until`, with what the broker does by itself.
    pub(crate) async fn live_until(&self, done: impl AsyncFn(&Self) -> bool) {
        let chores = self.chores();
        self.work_until(async |bench| {
            chores.run_due().await.unwrap();
            done(bench).await
        })
        .await;
    }

    /// Brings an instance to life and lets time pass until its certificate is due for renewal.
    pub(crate) async fn serve_until_renewal_is_due(&self) {
        self.prove_all();
        self.provision_both().await;
        assert!(!self.work_until_the_end_or_death().await);
        self.chores().run_due().await.unwrap();
        self.world.clock.advance(NEARLY_TWO_THIRDS);
        self.chores().run_due().await.unwrap();
        assert_eq!(self.renewals(), [], "the moment has not come");
        self.world.clock.advance(THE_WINDOW);
    }

    /// Lets the renewal run to its success, in a process that may die; `true` when it did.
    pub(crate) async fn renew_until_the_end_or_death(&self) -> bool {
        let end = self.live_until(async |bench| bench.renewals().contains(&OperationState::Succeeded));
        until_crash(&self.world.plan, end).await == Outcome::Crashed
    }

    /// How the renewals stand, oldest first.
    pub(crate) fn renewals(&self) -> Vec<OperationState> {
        let operations = self.world.store.operations();
        operations.iter().filter(|one| one.kind == OperationKind::Renew).map(|one| one.state).collect()
    }

    /// The certificates that are in a state, oldest first.
    pub(crate) fn certificates(&self, state: CertificateState) -> Vec<CertificateRecord> {
        self.world.store.certificates().into_iter().filter(|one| one.state == state).collect()
    }

    /// Like `work_until` the operation has ended, in a process that may die; `true` when it did.
    pub(crate) async fn work_until_the_end_or_death(&self) -> bool {
        let end = self.work_until(async |bench| bench.latest().await != Some(OperationState::Running));
        until_crash(&self.world.plan, end).await == Outcome::Crashed
    }

    /// The state of the newest operation, looked at without passing a crash point.
    pub(crate) async fn latest(&self) -> Option<OperationState> {
        let store = self.world.store.clone().with_plan(&contract::testing::CrashPlan::new());
        let standing = store.standing(&InstanceId::new(ID)).await.unwrap();
        standing.and_then(|standing| standing.latest).map(|operation| operation.state)
    }

    pub(crate) async fn instance(&self) -> Option<Instance> {
        let store = self.world.store.clone().with_plan(&contract::testing::CrashPlan::new());
        InstanceStore::find(&store, &InstanceId::new(ID)).await.unwrap()
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        ask(&self.service(), method, path, &headers(), body).await
    }

    pub(crate) async fn provision(&self, parameters: Value) -> Answer {
        self.call(
            Method::PUT,
            &format!("{}?accepts_incomplete=true", path()),
            Some(provision_body(&parameters)),
        )
        .await
    }

    pub(crate) async fn provision_both(&self) -> Answer {
        self.provision(json!({"domain": DOMAINS.join(",")})).await
    }

    /// Asks for a change of the parameters, as Cloud Controller does: with the plan and a context each time.
    pub(crate) async fn update(&self, parameters: Value) -> Answer {
        let body = json!({
            "service_id": broker::SERVICE_ID,
            "plan_id": broker::PLAN_ID,
            "context": {"platform": "cloudfoundry", "instance_name": "my-cdn"},
            "previous_values": {"plan_id": broker::PLAN_ID, "maintenance_info": null},
            "parameters": parameters,
        });
        self.patch(body).await
    }

    pub(crate) async fn patch(&self, body: Value) -> Answer {
        self.call(Method::PATCH, &format!("{}?accepts_incomplete=true", path()), Some(body)).await
    }

    /// What `cf service --params` shows.
    pub(crate) async fn shown(&self) -> Value {
        let answer = self.call(Method::GET, &path(), None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["parameters"].clone()
    }

    /// A bench whose instance serves both domains.
    pub(crate) async fn serving() -> Self {
        let bench = Self::new();
        bench.prove_all();
        bench.provision_both().await;
        bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
        bench
    }

    pub(crate) async fn deprovision(&self) -> Answer {
        let path = format!(
            "{}?accepts_incomplete=true&service_id={}&plan_id={}",
            path(),
            broker::SERVICE_ID,
            broker::PLAN_ID
        );
        self.call(Method::DELETE, &path, None).await
    }

    pub(crate) async fn poll(&self) -> Answer {
        self.call(Method::GET, &format!("{}/last_operation", path()), None).await
    }
}

/// Asks a service, as the platform does over HTTP.
pub(crate) async fn ask(
    service: &Service,
    method: Method,
    path: &str,
    headers: &HeaderMap,
    body: Option<Value>,
) -> Answer {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = Request { method: &method, path, query, headers, body: body.as_bytes() };
    Answer::from(service.answer(&request).await)
}

pub(crate) fn path() -> String {
    format!("/v2/service_instances/{ID}")
}

pub(crate) fn provision_body(parameters: &Value) -> Value {
    json!({
        "service_id": broker::SERVICE_ID,
        "plan_id": broker::PLAN_ID,
        "organization_guid": "org-1",
        "space_guid": "space-1",
        "context": {"platform": "cloudfoundry", "instance_name": "my-cdn"},
        "parameters": parameters,
    })
}

/// What comes with every request; no originating identity, as with the clean-up after a failed creation.
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Basic dXNlcjpzZWNyZXQ="),
        ("x-broker-api-version", "2.15"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

/// An answer as the platform reads it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let response = http::Response::from(response);
        let body = serde_json::from_slice(response.body()).unwrap();
        Self { status: response.status(), body }
    }
}
