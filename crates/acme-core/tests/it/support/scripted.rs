use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType, IsCa,
    KeyPair,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The resources of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Directory,
    Nonce,
    NewAccount,
    NewOrder,
    Order,
    Authorization,
    Challenge,
    Finalize,
    Certificate,
}

/// An answer that is not the usual one.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This answer; nothing happens.
    Say { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// It happens, but the answer is lost: the connection breaks instead.
    Lose,
    /// No answer ever comes.
    Hang,
}

impl Reply {
    /// A problem document (RFC 8555, section 6.7).
    pub(crate) fn problem(status: u16, kind: &str, detail: &str) -> Self {
        let body = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
        Self::Say { status, headers: Vec::new(), body: body.to_string() }
    }

    /// What a load balancer says for an authority that is overloaded.
    pub(crate) fn html(status: u16, retry_after: &str) -> Self {
        let headers = vec![("retry-after", retry_after.to_owned()), ("content-type", "text/html".to_owned())];
        Self::Say { status, headers, body: "<html><h1>Service unavailable</h1></html>".into() }
    }

    /// The same answer with a header more.
    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::Say { status, mut headers, body } => {
                headers.push((name, value.to_owned()));
                Self::Say { status, headers, body }
            }
            other => other,
        }
    }
}

/// An authority that does what Pebble cannot: it speaks the protocol without looking at signatures, keeps a journal,
/// and misbehaves on demand.
pub(crate) struct Scripted {
    pub(crate) directory_url: String,
    desk: Arc<Desk>,
    _serving: JoinSet<()>,
}

struct Desk {
    base: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    replies: HashMap<Endpoint, VecDeque<Reply>>,
    journal: Vec<Endpoint>,
    agents: Vec<String>,
    nonces: usize,
    orders: Vec<Order>,
    valid_from_the_start: bool,
    slow: bool,
    lazy: bool,
    expires: Option<String>,
}

struct Order {
    status: &'static str,
    error: Value,
    names: Vec<String>,
    authorizations: Vec<(&'static str, Value)>,
    certificate: String,
}

impl Scripted {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Scripted");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let desk = Arc::new(Desk { base: base.clone(), issuer, state: Mutex::default() });
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&desk)));
        Ok(Self { directory_url: format!("{base}/directory"), desk, _serving: serving })
    }

    /// The next requests for `endpoint` get these answers, one each; afterwards it is the usual one again.
    pub(crate) fn script(&self, endpoint: Endpoint, replies: impl IntoIterator<Item = Reply>) {
        self.desk.state().replies.entry(endpoint).or_default().extend(replies);
    }

    /// How often an endpoint was asked, whatever it answered.
    pub(crate) fn asked(&self, endpoint: Endpoint) -> usize {
        self.desk.state().journal.iter().filter(|asked| **asked == endpoint).count()
    }

    pub(crate) fn asked_at_all(&self) -> usize {
        self.desk.state().journal.len()
    }

    pub(crate) fn user_agents(&self) -> Vec<String> {
        self.desk.state().agents.clone()
    }

    /// New orders need no proof, or do.
    pub(crate) fn valid_from_the_start(&self, valid: bool) {
        self.desk.state().valid_from_the_start = valid;
    }

    /// A finalized order stays `processing` until [`Self::complete`].
    pub(crate) fn slow(&self) {
        self.desk.state().slow = true;
    }

    /// Answered challenges stay pending until [`Self::validate`].
    pub(crate) fn lazy(&self) {
        self.desk.state().lazy = true;
    }

    /// All pending challenges are found to be right.
    pub(crate) fn validate(&self) {
        for order in self.desk.state().orders.iter_mut().filter(|order| order.status == "pending") {
            order.authorizations.iter_mut().for_each(|(status, _)| *status = "valid");
            order.status = "ready";
        }
    }

    /// What is being processed is done.
    pub(crate) fn complete(&self) {
        for order in self.desk.state().orders.iter_mut().filter(|order| order.status == "processing") {
            order.status = "valid";
        }
    }

    /// New orders expire at this time (RFC 3339).
    pub(crate) fn expires(&self, at: &str) {
        self.desk.state().expires = Some(at.to_owned());
    }

    /// The latest order becomes invalid, because the challenge for its first name has failed so.
    pub(crate) fn fail_first_challenge(&self, kind: &str, detail: &str) {
        let problem = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
        if let Some(order) = self.desk.state().orders.last_mut() {
            order.status = "invalid";
            order.authorizations[0] = ("invalid", problem);
        }
    }

    /// The latest order becomes invalid as a whole.
    pub(crate) fn fail_order(&self, kind: &str, detail: &str) {
        if let Some(order) = self.desk.state().orders.last_mut() {
            order.status = "invalid";
            order.error = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail});
        }
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&desk), request));
            // A lost answer is an error of the service, which breaks the connection.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(desk: Arc<Desk>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let path = request.uri().path().to_owned();
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let (endpoint, index) = endpoint(&path).context("a resource")?;
    desk.note(endpoint, agent.to_owned());
    let body = request.into_body().collect().await?.to_bytes();
    match desk.scripted(endpoint) {
        Some(Reply::Hang) => std::future::pending::<Result<Infallible>>().await.map(|never| match never {}),
        Some(Reply::Lose) => {
            desk.usual(endpoint, &index, &body)?;
            anyhow::bail!("the answer is lost")
        }
        Some(Reply::Say { status, headers, body }) => desk.response(status, &headers, body),
        None => {
            let (status, headers, body) = desk.usual(endpoint, &index, &body)?;
            desk.response(status, &headers, body)
        }
    }
}

fn endpoint(path: &str) -> Option<(Endpoint, Vec<usize>)> {
    let mut parts = path.trim_start_matches('/').split('/');
    let endpoint = match parts.next()? {
        "directory" => Endpoint::Directory,
        "nonce" => Endpoint::Nonce,
        "account" => Endpoint::NewAccount,
        "new-order" => Endpoint::NewOrder,
        "order" => Endpoint::Order,
        "authorization" => Endpoint::Authorization,
        "challenge" => Endpoint::Challenge,
        "finalize" => Endpoint::Finalize,
        "certificate" => Endpoint::Certificate,
        _ => return None,
    };
    Some((endpoint, parts.filter_map(|part| part.parse().ok()).collect()))
}

type Usual = (u16, Vec<(&'static str, String)>, String);

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, endpoint: Endpoint, agent: String) {
        let mut state = self.state();
        state.journal.push(endpoint);
        state.agents.push(agent);
    }

    fn scripted(&self, endpoint: Endpoint) -> Option<Reply> {
        self.state().replies.get_mut(&endpoint)?.pop_front()
    }

    fn response(
        &self,
        status: u16,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<Response<Full<Bytes>>> {
        let mut state = self.state();
        state.nonces += 1;
        let mut response =
            Response::builder().status(status).header("replay-nonce", state.nonces.to_string());
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        Ok(response.body(Full::new(body.into()))?)
    }

    fn usual(&self, endpoint: Endpoint, index: &[usize], body: &[u8]) -> Result<Usual> {
        let plain = |body: Value| (200, Vec::new(), body.to_string());
        let order = index.first().copied().unwrap_or_default();
        match endpoint {
            Endpoint::Directory => Ok(plain(self.directory())),
            Endpoint::Nonce => Ok((200, Vec::new(), String::new())),
            Endpoint::NewAccount => {
                Ok((201, vec![("location", format!("{}/account/1", self.base))], "{}".into()))
            }
            Endpoint::NewOrder => self.new_order(&payload(body)?),
            Endpoint::Order => Ok(plain(self.order(order)?)),
            Endpoint::Authorization => self.authorization(index, &payload(body)?),
            Endpoint::Challenge => Ok(plain(self.challenge(index)?)),
            Endpoint::Finalize => self.finalize(order, &payload(body)?),
            Endpoint::Certificate => {
                let state = self.state();
                let leaf = &state.orders.get(order).context("the order")?.certificate;
                Ok((200, Vec::new(), leaf.clone() + &self.issuer.pem()))
            }
        }
    }

    fn directory(&self) -> Value {
        let at = |path: &str| format!("{}/{path}", self.base);
        json!({"newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("new-order")})
    }

    fn new_order(&self, payload: &Value) -> Result<Usual> {
        let mut state = self.state();
        let identifiers = payload["identifiers"].as_array().context("identifiers")?;
        let names = identifiers.iter().filter_map(|one| one["value"].as_str().map(ToOwned::to_owned));
        let names: Vec<String> = names.collect();
        let valid = state.valid_from_the_start;
        let (status, proof) = if valid { ("ready", "valid") } else { ("pending", "pending") };
        let authorizations = names.iter().map(|_| (proof, Value::Null)).collect();
        state.orders.push(Order {
            status,
            error: Value::Null,
            names,
            authorizations,
            certificate: String::new(),
        });
        let index = state.orders.len() - 1;
        drop(state);
        let location = format!("{}/order/{index}", self.base);
        Ok((201, vec![("location", location)], self.order(index)?.to_string()))
    }

    fn order(&self, index: usize) -> Result<Value> {
        let state = self.state();
        let order = state.orders.get(index).context("the order")?;
        let of = |kind: &str| format!("{}/{kind}/{index}", self.base);
        let authorizations: Vec<String> =
            (0..order.names.len()).map(|name| format!("{}/{name}", of("authorization"))).collect();
        let mut json = json!({
            "status": order.status,
            "expires": state.expires.clone().unwrap_or_else(|| "2999-01-01T00:00:00Z".into()),
            "identifiers": order.names.iter().map(|name| json!({"type": "dns", "value": name})).collect::<Vec<_>>(),
            "authorizations": authorizations,
            "finalize": of("finalize"),
        });
        if !order.error.is_null() {
            json["error"] = order.error.clone();
        }
        if order.status == "valid" {
            json["certificate"] = of("certificate").into();
        }
        Ok(json)
    }

    fn authorization(&self, index: &[usize], payload: &Value) -> Result<Usual> {
        let mut state = self.state();
        let [order, name] = *index else { anyhow::bail!("an authorization") };
        let order_state = state.orders.get_mut(order).context("the order")?;
        if payload["status"] == "deactivated" {
            order_state.authorizations[name].0 = "deactivated";
        }
        let (status, error) = order_state.authorizations[name].clone();
        let full = &order_state.names[name];
        let mut challenge = json!({
            "type": "dns-01",
            "url": format!("{}/challenge/{order}/{name}", self.base),
            "token": format!("token-{order}-{name}"),
            "status": if status == "deactivated" { "pending" } else { status },
        });
        if !error.is_null() {
            challenge["error"] = error;
        }
        let body = json!({
            "identifier": {"type": "dns", "value": full.trim_start_matches("*.")},
            "wildcard": full.starts_with("*."),
            "status": status,
            "expires": "2999-01-01T00:00:00Z",
            "challenges": [challenge],
        });
        Ok((200, Vec::new(), body.to_string()))
    }

    /// Whoever asks is believed, at once or later.
    fn challenge(&self, index: &[usize]) -> Result<Value> {
        let mut state = self.state();
        let [order, name] = *index else { anyhow::bail!("a challenge") };
        let lazy = state.lazy;
        let order_state = state.orders.get_mut(order).context("the order")?;
        if !lazy {
            order_state.authorizations[name].0 = "valid";
        }
        if order_state.authorizations.iter().all(|(status, _)| *status == "valid") {
            order_state.status = "ready";
        }
        Ok(json!({
            "type": "dns-01",
            "url": format!("{}/challenge/{order}/{name}", self.base),
            "token": format!("token-{order}-{name}"),
            "status": if lazy { "pending" } else { "processing" },
        }))
    }

    fn finalize(&self, index: usize, payload: &Value) -> Result<Usual> {
        let csr = URL_SAFE_NO_PAD.decode(payload["csr"].as_str().context("a signing request")?)?;
        let certificate = CertificateSigningRequestParams::from_der(&csr.into())?.signed_by(&self.issuer)?;
        let mut state = self.state();
        let slow = state.slow;
        let order = state.orders.get_mut(index).context("the order")?;
        if order.status != "ready" {
            let problem = json!({"type": "urn:ietf:params:acme:error:orderNotReady", "detail": "not ready"});
            return Ok((403, Vec::new(), problem.to_string()));
        }
        order.certificate = certificate.pem();
        order.status = if slow { "processing" } else { "valid" };
        drop(state);
        Ok((200, Vec::new(), self.order(index)?.to_string()))
    }
}

/// The payload of a signed request; `Null` for POST-as-GET.
fn payload(body: &[u8]) -> Result<Value> {
    let request: Value = serde_json::from_slice(body)?;
    let payload = URL_SAFE_NO_PAD.decode(request["payload"].as_str().context("a payload")?)?;
    Ok(serde_json::from_slice(&payload).unwrap_or_default())
}
