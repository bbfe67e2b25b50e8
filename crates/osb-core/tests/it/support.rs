//! A broker with two services, and requests to it that are right until a test breaks them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use osb_core::{
    Api, Call, Catalog, Credential, Deprovision, LastOperation, MaintenanceInfo, Operation, Plan, Provision,
    Request, Response, Service, Update,
};
use serde_json::{Map, Value, json};

pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const VERSION: &str = "x-broker-api-version";
pub(crate) const REQUEST_IDENTITY: &str = "x-broker-api-request-identity";

/// Services `cache` (plans `small`, and `kept` with maintenance info 1.2.0) and `queue` (plan `only`).
pub(crate) fn catalog() -> Catalog {
    let mut kept = Plan::new("kept", "kept-plan", "A plan with maintenance.");
    kept.maintenance_info = Some(MaintenanceInfo { version: "1.2.0".to_owned(), description: None });
    let small = Plan::new("small", "small-plan", "A small plan.");
    let only = Plan::new("only", "only-plan", "The only plan.");
    let cache = Service::new("cache", "cache-service", "Keeps things at hand.", vec![small, kept]);
    let queue = Service::new("queue", "queue-service", "Keeps things in order.", vec![only]);
    Catalog { services: vec![cache, queue] }
}

/// Two credentials, as during a rotation.
pub(crate) fn api() -> Api {
    let credentials = [("old", "pass:word"), ("new", "secret")];
    let credentials = credentials.map(|(user, password)| Credential::new(user, password).unwrap());
    Api::new(catalog(), credentials.to_vec()).unwrap()
}

/// A request in the making.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let ask = Self {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            query: None,
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        ask.header(AUTHORIZATION, &basic("new:secret"))
            .header(VERSION, "2.17")
            .header(REQUEST_IDENTITY, "asked-1")
    }

    pub(crate) fn provision() -> Self {
        let body = json!({
            "service_id": "cache-service", "plan_id": "small-plan",
            "organization_guid": "org-1", "space_guid": "space-1",
        });
        Self::new("PUT", "/v2/service_instances/i-1").query("accepts_incomplete=true").json(&body)
    }

    pub(crate) fn update() -> Self {
        let ask = Self::new("PATCH", "/v2/service_instances/i-1").query("accepts_incomplete=true");
        ask.json(&json!({"service_id": "cache-service"}))
    }

    pub(crate) fn deprovision() -> Self {
        Self::new("DELETE", "/v2/service_instances/i-1")
            .query("accepts_incomplete=true&plan_id=small-plan&service_id=cache-service")
    }

    pub(crate) fn poll() -> Self {
        Self::new("GET", "/v2/service_instances/i-1/last_operation")
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.raw_header(name, value.as_bytes())
    }

    pub(crate) fn raw_header(mut self, name: &str, value: &[u8]) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        let text = body.to_string();
        self.header(CONTENT_TYPE, "application/json").body(text.as_bytes())
    }

    /// The same with one field of the body set.
    pub(crate) fn with(self, field: &str, value: &Value) -> Self {
        let mut body = self.fields();
        body.insert(field.to_owned(), value.clone());
        self.json(&Value::Object(body))
    }

    /// The same with one field of the body left out.
    pub(crate) fn lacking(self, field: &str) -> Self {
        let mut body = self.fields();
        body.remove(field);
        self.json(&Value::Object(body))
    }

    pub(crate) fn read(&self) -> Result<Call, Response> {
        self.read_by(&api())
    }

    pub(crate) fn read_by(&self, api: &Api) -> Result<Call, Response> {
        api.read(&self.request())
    }

    pub(crate) fn wants_body(&self) -> bool {
        api().wants_body(&self.request())
    }

    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &self.headers,
            body: &self.body,
        }
    }

    pub(crate) fn call(&self) -> Call {
        self.read().unwrap()
    }

    pub(crate) fn refusal(&self) -> Response {
        self.read().unwrap_err()
    }

    /// Status and code of the refusal.
    pub(crate) fn refused(&self) -> (u16, String) {
        let response = self.refusal();
        (response.status().as_u16(), response.error_code().unwrap_or_default().to_owned())
    }

    fn fields(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

pub(crate) fn as_provision(ask: &Ask) -> Provision {
    let Operation::Provision(provision) = ask.call().operation else { unreachable!("not a provision") };
    provision
}

pub(crate) fn as_update(ask: &Ask) -> Update {
    let Operation::Update(update) = ask.call().operation else { unreachable!("not an update") };
    update
}

pub(crate) fn as_deprovision(ask: &Ask) -> Deprovision {
    let Operation::Deprovision(deprovision) = ask.call().operation else { unreachable!("not a deprovision") };
    deprovision
}

pub(crate) fn as_poll(ask: &Ask) -> LastOperation {
    let Operation::LastOperation(poll) = ask.call().operation else { unreachable!("not a poll") };
    poll
}

/// What goes over the wire.
pub(crate) fn sent(response: Response) -> (StatusCode, HeaderMap, Bytes) {
    let (parts, body) = http::Response::from(response).into_parts();
    (parts.status, parts.headers, body)
}

/// The body as JSON.
pub(crate) fn body(response: Response) -> Value {
    serde_json::from_slice(&sent(response).2).unwrap()
}

/// All of an answer, for snapshots.
pub(crate) fn shown(response: Response) -> Value {
    let (status, headers, body) = sent(response);
    let headers: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    json!({ "status": status.as_u16(), "headers": headers, "body": body })
}
