//! The small HTTP server under everything here that is not the cloud or its edge.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(crate) type Answer = Response<Full<Bytes>>;

/// A running server; dropping it closes the listener and every connection.
pub(crate) struct Server {
    address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Server {
    /// Listens on `address` (port 0: a free one) and answers every request with `handler`.
    pub(crate) async fn start<H, F>(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        handler: H,
    ) -> anyhow::Result<Self>
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls.map(TlsAcceptor::from), handler));
        Ok(Self { address, _accepting: accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An answer whose body is `value` as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).unwrap_or_else(|error| error.to_string().into_bytes());
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    answer
}

/// An answer in plain text.
pub(crate) fn text(status: StatusCode, body: String) -> Answer {
    page(status, "text/plain; charset=utf-8", body)
}

/// A page for a browser.
pub(crate) fn html(status: StatusCode, body: String) -> Answer {
    page(status, "text/html; charset=utf-8", body)
}

/// An answer that leads elsewhere. A place that cannot stand in a header is this server's mistake.
pub(crate) fn redirect(status: StatusCode, to: &str) -> Answer {
    let Ok(location) = header::HeaderValue::from_str(to) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, format!("`{to}` cannot be redirected to\n"));
    };
    let mut answer = html(status, format!("<a href=\"{to}\">moved</a>"));
    answer.headers_mut().insert(header::LOCATION, location);
    answer
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    answer
}

/// The connections belong to this task's set, so that they end with it.
async fn accept<H, F>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, tls.clone(), handler.clone()));
                }
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection<H, F>(stream: TcpStream, tls: Option<TlsAcceptor>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    // Without it, small answers wait for the peer's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let Some(tls) = tls else { return speak(stream, handler).await };
    match tls.accept(stream).await {
        Ok(stream) => speak(stream, handler).await,
        Err(error) => tracing::debug!(%error, "a TLS handshake failed"),
    }
}

async fn speak<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = handler(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(error, "a connection ended early");
    }
}
