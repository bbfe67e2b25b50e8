//! A whole sandbox, what answers for a broker in it, and a visitor who goes where the DNS says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sandbox::{BROKER_HOST, Sandbox, Settings};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::aws::fixture::{Answer, send};

pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) broker: Broker,
    _state: TempDir,
}

/// Answers below the path of challenges what it was told to, and notes what it was asked.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    answers: Mutex<BTreeMap<String, String>>,
    asked: Mutex<Vec<String>>,
}

impl Scene {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let state = tempfile::tempdir()?;
        let sandbox = Sandbox::start(Settings::new(state.path())).await?;
        let broker = Broker::start().await?;
        sandbox.router().map(BROKER_HOST, broker.address);
        Ok(Self { sandbox, broker, _state: state })
    }

    /// Asks over plain HTTP where the DNS leads.
    pub(crate) async fn get(&self, host: &str, path: &str) -> anyhow::Result<Answer> {
        let found = self.sandbox.dns().look_up(host).await?;
        let address = *found.first().with_context(|| format!("{host} leads nowhere"))?;
        let request = Request::get(path).header("host", host).body(Full::default())?;
        send(SocketAddr::new(address, self.sandbox.ports().http), request).await
    }
}

impl Broker {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state })
    }

    /// What is answered for `/.well-known/acme-challenge/OWNER/TOKEN`.
    pub(crate) fn present(&self, owner: &str, token: &str, value: &str) {
        self.answer(&format!("/.well-known/acme-challenge/{owner}/{token}"), value);
    }

    /// What is answered at a path, whatever the method.
    pub(crate) fn answer(&self, path: &str, body: &str) {
        locked(&self.state.answers).insert(path.to_owned(), body.to_owned());
    }

    /// Scheme, host, path and query of every request.
    pub(crate) fn asked(&self) -> Vec<String> {
        locked(&self.state.asked).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let header = |name: &str| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let path = request.uri().path();
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let line = format!("{} {}{target}", header("x-forwarded-proto"), header("host"));
        locked(&state.asked).push(line);
        let found = locked(&state.answers).get(path).cloned();
        let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let mut answer = Response::new(Full::<Bytes>::from(found.unwrap_or_default()));
        *answer.status_mut() = status;
        async move { Ok::<_, Infallible>(answer) }
    });
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}
