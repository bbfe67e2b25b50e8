use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::header::{HeaderName, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::{Ports, forward, host_of};
use crate::client::Client;
use crate::pki::ServerCertificate;
use crate::web::{Answer, Server, text};

/// More than an Open Service Broker request holds.
const LARGEST_BODY: usize = 4 << 20;

const ROUTER_ERROR: HeaderName = HeaderName::from_static("x-cf-routererror");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The platform's router, as Cloud Foundry's gorouter: it knows the names of apps and forwards their requests; a name that
/// it does not know is 404, whatever the path.
pub struct Router {
    http: Server,
    https: Server,
    state: Arc<State>,
}

struct State {
    client: Client,
    routes: RwLock<BTreeMap<String, Vec<SocketAddr>>>,
    turns: AtomicUsize,
}

impl Router {
    pub(crate) async fn start(
        address: IpAddr,
        ports: Ports,
        certificate: &ServerCertificate,
    ) -> anyhow::Result<Self> {
        let state = Arc::new(State {
            client: Client::trusting("")?,
            routes: RwLock::default(),
            turns: AtomicUsize::new(0),
        });
        let handler = |scheme: &'static str| {
            let state = Arc::clone(&state);
            move |request| {
                let state = Arc::clone(&state);
                async move { state.answer(scheme, request).await }
            }
        };
        let tls = certificate.server_config()?;
        Ok(Self {
            http: Server::start(ports.http_at(address), None, handler("http")).await?,
            https: Server::start(ports.https_at(address), Some(tls), handler("https")).await?,
            state,
        })
    }

    /// Where it listens for HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http.address()
    }

    /// Where it listens for HTTPS.
    pub fn https(&self) -> SocketAddr {
        self.https.address()
    }

    /// Adds a process behind a name. Several take turns; one that cannot be reached is passed over. Adding one again
    /// changes nothing.
    pub fn map(&self, host: &str, process: SocketAddr) {
        let mut routes = self.state.routes.write().unwrap_or_else(PoisonError::into_inner);
        let processes = routes.entry(host.to_ascii_lowercase()).or_default();
        if !processes.contains(&process) {
            processes.push(process);
        }
    }
}

impl State {
    async fn answer(&self, scheme: &'static str, request: Request<Incoming>) -> Answer {
        let host = host_of(&request);
        let processes = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(&host).cloned();
        let Some(processes) = processes else {
            let why = format!("404 Not Found: Requested route ('{host}') does not exist.\n");
            return refuse(StatusCode::NOT_FOUND, "unknown_route", why);
        };
        let (mut head, body) = request.into_parts();
        head.headers.insert(FORWARDED_PROTO, HeaderValue::from_static(scheme));
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the body could not be read\n".to_owned());
        };
        let body = body.to_bytes();
        let first = self.turns.fetch_add(1, Ordering::Relaxed) % processes.len();
        for process in processes.iter().cycle().skip(first).take(processes.len()) {
            match forward(&self.client, &head, &body, *process).await {
                Ok(answer) => return answer,
                Err(error) => tracing::debug!(error = format!("{error:#}"), %process, "no answer"),
            }
        }
        let why = "502 Bad Gateway: Registered endpoint failed to handle the request.\n".to_owned();
        refuse(StatusCode::BAD_GATEWAY, "endpoint_failure", why)
    }
}

fn refuse(status: StatusCode, error: &'static str, why: String) -> Answer {
    let mut answer = text(status, why);
    answer.headers_mut().insert(ROUTER_ERROR, HeaderValue::from_static(error));
    answer
}
