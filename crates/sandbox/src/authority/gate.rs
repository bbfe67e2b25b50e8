//! The gate: what stands between ACME clients and Pebble.
//!
//! Pebble can deadlock when many orders are made at once; four at a time it stands (measured). Everything
//! else passes unchanged, the Host header above all: Pebble makes its URLs from it, and signed requests
//! name those URLs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::hold::{Held, Holds, Moment};
use super::pebble::Pebble;
use super::pretence::{self, Pretence};
use crate::client::Client;
use crate::pki::ServerCertificate;
use crate::web::{Answer, Server, text};

/// How many new orders Pebble gets at once.
const ORDERS_AT_ONCE: usize = 4;

/// Far more than any ACME request needs.
const LARGEST_BODY: usize = 1024 * 1024;

/// One request that passed the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRequest {
    /// The method.
    pub method: Method,
    /// The path, without the host.
    pub path: String,
    /// What Pebble answered.
    pub status: StatusCode,
}

/// The TLS proxy in front of Pebble. It counts, it admits new orders, it can hold requests.
pub struct Gate {
    server: Server,
    state: Arc<State>,
}

struct State {
    client: Client,
    pebble: SocketAddr,
    new_order_path: String,
    orders: Semaphore,
    orders_waiting: AtomicUsize,
    passed: Mutex<Vec<GateRequest>>,
    holds: Holds,
    pretence: Mutex<Pretence>,
}

impl Gate {
    pub(super) async fn start(
        port: u16,
        pebble: &Pebble,
        certificate: &ServerCertificate,
    ) -> anyhow::Result<Self> {
        let state = Arc::new(State {
            client: pebble.client(),
            pebble: pebble.listen(),
            new_order_path: pebble.new_order_path()?,
            orders: Semaphore::new(ORDERS_AT_ONCE),
            orders_waiting: AtomicUsize::new(0),
            passed: Mutex::default(),
            holds: Holds::default(),
            pretence: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        let handler = move |request| {
            let state = Arc::clone(&shared);
            async move { pass(&state, request).await }
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let server = Server::start(address, Some(certificate.server_config()?), handler).await?;
        Ok(Self { server, state })
    }

    pub(super) fn directory_url(&self) -> String {
        format!("https://localhost:{}/dir", self.server.address().port())
    }

    /// Every request that was answered until now, oldest first.
    pub fn requests(&self) -> Vec<GateRequest> {
        self.state.passed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The path under which orders are made.
    pub fn new_order_path(&self) -> &str {
        &self.state.new_order_path
    }

    /// How many new orders stand before the gate because others are being made.
    pub fn orders_waiting(&self) -> usize {
        self.state.orders_waiting.load(Ordering::SeqCst)
    }

    /// Lets the authority seem to be another from now on.
    pub fn pretend(&self, pretence: Pretence) {
        *self.state.pretence.lock().unwrap_or_else(PoisonError::into_inner) = pretence;
    }

    /// Holds the `nth` request (from 1, counted from now) whose path starts with `path`: before Pebble sees
    /// it, or after Pebble has answered and before the client learns of it. Dropping the result lets go.
    pub fn hold(&self, path: &str, nth: usize, moment: Moment) -> Held {
        self.state.holds.add(path, nth, moment)
    }
}

async fn pass(state: &State, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.clone(), head.uri.path().to_owned());
    let claims = state.holds.claim(&path);
    let _admitted = admit(state, &method, &path).await;
    claims.pass(Moment::Before).await;
    let pretence = state.pretence.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let answer = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(_) if pretence.is_down => pretence::down(),
        // Everything that is signed names an account: POST (RFC 8555, 6.2).
        Ok(_) if pretence.forgets_accounts && method == Method::POST => pretence::unknown_account(),
        Ok(body) => forward(state, head, body.to_bytes()).await,
        Err(error) => text(StatusCode::BAD_REQUEST, format!("the gate could not read the request: {error}")),
    };
    let answer = pretence.dress(&path, answer).await;
    let passed = GateRequest { method, path, status: answer.status() };
    state.passed.lock().unwrap_or_else(PoisonError::into_inner).push(passed);
    claims.pass(Moment::After).await;
    answer
}

/// New orders wait for a place; everything else passes.
async fn admit<'a>(state: &'a State, method: &Method, path: &str) -> Option<SemaphorePermit<'a>> {
    if method != Method::POST || path != state.new_order_path {
        return None;
    }
    let _waiting = Waiting::begin(&state.orders_waiting);
    // The semaphore is never closed.
    state.orders.acquire().await.ok()
}

/// Counts down on drop: a client that hangs up does not wait any longer.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn forward(state: &State, head: Parts, body: Bytes) -> Answer {
    let exchange = async { state.client.send(towards(state.pebble, head, body)?).await };
    match exchange.await {
        Ok(answer) => {
            let (mut head, body) = answer.into_parts();
            remove_connection_headers(&mut head.headers);
            Response::from_parts(head, Full::new(body))
        }
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "pebble did not answer the gate");
            text(StatusCode::BAD_GATEWAY, format!("pebble did not answer the gate: {error:#}"))
        }
    }
}

/// The same request for another address. HTTP/2 has no Host header: it becomes one.
fn towards(pebble: SocketAddr, mut head: Parts, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
    if let Some(host) = head.uri.authority() {
        let host = HeaderValue::from_str(host.as_str())?;
        head.headers.entry(header::HOST).or_insert(host);
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = Uri::try_from(format!("https://{pebble}{target}"))?;
    head.version = http::Version::HTTP_11;
    remove_connection_headers(&mut head.headers);
    Ok(Request::from_parts(head, Full::new(body)))
}

/// These speak of one connection (RFC 9110, 7.6.1); the body's length is known anew on each side.
fn remove_connection_headers(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE] {
        headers.remove(name);
    }
}
