use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use contract::testing::{FakeSite, MemoryStore};
use contract::{ChallengeAnswers, InstanceId};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{Answer, NameServer};

const PATH: &str = "/.well-known/acme-challenge/";

/// Everything that takes HTTP requests around a broker, each at an address of its own on one port, so that DNS decides
/// the way: the front end for any name, the users' sites, the broker's responder, and the edges of the CDN.
pub(crate) struct Town {
    pub(crate) port: u16,
    rules: Arc<Mutex<Rules>>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Rules {
    /// By host: to where below a site redirects its challenge path, and how.
    redirects: HashMap<String, (u16, String)>,
    /// By host: whose folder an edge serves.
    folders: HashMap<String, InstanceId>,
}

/// Who is where.
#[derive(Clone, Copy)]
enum Place {
    Front,
    Site,
    Broker,
    Edge,
}

const PLACES: [(Place, u8, &str); 4] = [
    (Place::Front, 11, "front.example."),
    (Place::Site, 12, "site.example."),
    (Place::Broker, 13, "broker.example."),
    (Place::Edge, 14, "edge.example."),
];

#[derive(Clone)]
struct Everybody {
    port: u16,
    rules: Arc<Mutex<Rules>>,
    store: MemoryStore,
    folders: FakeSite,
}

impl Town {
    /// Opens everything, and makes it known to `dns`.
    pub(crate) async fn start(dns: &NameServer, store: &MemoryStore, folders: &FakeSite) -> Result<Self> {
        let listeners = listeners().await?;
        let rules = Arc::<Mutex<Rules>>::default();
        let port = listeners[0].local_addr()?.port();
        let everybody =
            Everybody { port, rules: Arc::clone(&rules), store: store.clone(), folders: folders.clone() };
        let mut serving = JoinSet::new();
        for (listener, (place, last, name)) in listeners.into_iter().zip(PLACES) {
            dns.set(name, Answer::at(&[&address(last).to_string()]));
            serving.spawn(serve(listener, place, everybody.clone()));
        }
        Ok(Self { port, rules, _serving: serving })
    }

    /// Where the broker answers.
    pub(crate) fn challenge_url(&self) -> String {
        format!("http://broker.example:{}{}", self.port, PATH.trim_end_matches('/'))
    }

    /// A user's site redirects its challenge path to below `to`.
    pub(crate) fn redirect(&self, host: &str, status: u16, to: &str) {
        lock(&self.rules).redirects.insert(host.to_owned(), (status, to.to_owned()));
    }

    /// The edges serve a name from an instance's folder.
    pub(crate) fn serve(&self, host: &str, instance: &InstanceId) {
        lock(&self.rules).folders.insert(host.to_owned(), instance.clone());
    }
}

fn lock(rules: &Mutex<Rules>) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

/// One port that is free at every place.
async fn listeners() -> Result<Vec<TcpListener>> {
    for _ in 0..50 {
        let first = TcpListener::bind(SocketAddr::from((address(PLACES[0].1), 0))).await?;
        let port = first.local_addr()?.port();
        let mut listeners = vec![first];
        for (_, last, _) in &PLACES[1..] {
            listeners.extend(TcpListener::bind(SocketAddr::from((address(*last), port))).await.ok());
        }
        if listeners.len() == PLACES.len() {
            return Ok(listeners);
        }
    }
    anyhow::bail!("no port is free at all addresses")
}

async fn serve(listener: TcpListener, place: Place, everybody: Everybody) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let everybody = everybody.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let everybody = everybody.clone();
                async move { everybody.answer(place, &request).await }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Everybody {
    async fn answer(&self, place: Place, request: &Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let Some(rest) = request.uri().path().strip_prefix(PATH) else { return not_found() };
        match place {
            Place::Front => {
                let to = format!("http://broker.example:{}{PATH}{host}/{rest}", self.port);
                found(StatusCode::FOUND, "location", &to, String::new())
            }
            Place::Site => match lock(&self.rules).redirects.get(host) {
                Some((status, to)) => {
                    found(StatusCode::from_u16(*status)?, "location", &format!("{to}{rest}"), String::new())
                }
                None => not_found(),
            },
            Place::Broker => self.respond(rest).await,
            Place::Edge => {
                let instance = lock(&self.rules).folders.get(host).cloned();
                match instance.and_then(|instance| self.folders.folder(&instance).remove(rest)) {
                    Some(answer) => found(StatusCode::OK, "server", "edge", answer),
                    None => not_found(),
                }
            }
        }
    }

    async fn respond(&self, rest: &str) -> Result<Response<Full<Bytes>>> {
        let Some((place, token)) = rest.split_once('/') else { return not_found() };
        match self.store.answer(place, token).await? {
            Some(answer) => found(StatusCode::OK, "x-acme-responder", place, answer),
            None => not_found(),
        }
    }
}

fn found(status: StatusCode, header: &str, value: &str, body: String) -> Result<Response<Full<Bytes>>> {
    Ok(Response::builder().status(status).header(header, value).body(Full::new(body.into()))?)
}

fn not_found() -> Result<Response<Full<Bytes>>> {
    Ok(Response::builder().status(StatusCode::NOT_FOUND).body(Full::new("nothing here".into()))?)
}
