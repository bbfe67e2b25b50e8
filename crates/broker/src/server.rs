use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use osb_core::{ErrorCode, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use warp::Filter;

use crate::{Service, page, responder};

/// What one client may take of the server.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// The largest body, in bytes (R17).
    pub body: usize,
    /// How long the head of a request may take to arrive.
    pub head_time: Duration,
    /// How long the body may take to arrive, and again how long the answer may take to be made.
    pub request_time: Duration,
    /// How many connections may be open at once; more wait to be accepted.
    pub connections: usize,
    /// How long running requests may take to finish when the server stops.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            body: 128 * 1024,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(15),
            connections: 1024,
            drain: Duration::from_secs(5),
        }
    }
}

/// The API could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
}

/// Serves the API on `address` until `stop` turns true, then lets running requests finish.
///
/// warp's own server has neither limits nor a bound on its drain, so that warp's filter is served through hyper here.
pub async fn serve(
    service: Service,
    address: SocketAddr,
    limits: ServerLimits,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    let listen = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    tracing::info!(address = %listener.local_addr().map_err(listen)?, "listening");
    let open = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    while !*stop.borrow() {
        let accepted = tokio::select! {
            _ = stop.changed() => continue,
            accepted = accept(&listener, &open) => accepted,
        };
        if let Some((stream, permit)) = accepted {
            let connection = connection(&service, stream, &limits);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(permit);
            });
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopping with requests still open");
    }
    Ok(())
}

/// The next connection, once there is room for one. A failed accept (too many files, a client that has gone) is the
/// client's loss, not the server's end.
async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Answers are small and written at once; without this they would wait for an acknowledgement.
            let _ = stream.set_nodelay(true);
            Some((stream, permit))
        }
        Err(error) => {
            tracing::warn!(%error, "could not accept a connection");
            tokio::task::yield_now().await;
            None
        }
    }
}

fn connection(
    service: &Service,
    stream: TcpStream,
    limits: &ServerLimits,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<> {
    hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(100)
        .max_buf_size(64 * 1024)
        .serve_connection(
            TokioIo::new(stream),
            TowerToHyperService::new(warp::service(filter(service, limits))),
        )
}

/// One filter that takes everything and rejects nothing: paths, methods and errors are the protocol's business, and all
/// of it is in osb-core. Only the certificate authority and whoever watches over the process
/// are answered elsewhere.
fn filter(
    service: &Service,
    limits: &ServerLimits,
) -> impl Filter<Extract = (http::Response<Bytes>,), Error = warp::Rejection> + Clone + use<> {
    let service = service.clone();
    let limits = limits.clone();
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None::<String>)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(
            move |method: Method,
                  path: warp::path::FullPath,
                  query: Option<String>,
                  headers: HeaderMap,
                  body| {
                let service = service.clone();
                let limits = limits.clone();
                async move {
                    if responder::is_meant(path.as_str()) {
                        return service.answer_challenge(&method, path.as_str()).await;
                    }
                    if let Some(answer) = service.answer_health(&method, path.as_str()).await {
                        return answer;
                    }
                    if let Some(answer) = service.answer_metrics(&method, path.as_str(), &headers).await {
                        return answer;
                    }
                    let body = match within(limits.request_time, read(body, limits.body)).await {
                        Ok(body) => body,
                        Err(refusal) => return wire(refusal.for_request(&headers)),
                    };
                    let request = Request {
                        method: &method,
                        path: path.as_str(),
                        query: query.as_deref(),
                        headers: &headers,
                        body: &body,
                    };
                    match tokio::time::timeout(limits.request_time, service.answer_page(&request)).await {
                        Ok(None) => {}
                        Ok(Some(page)) => return page,
                        Err(_) => return page::too_slow(),
                    }
                    let answer = async { Ok(service.answer(&request).await) };
                    let answer = within(limits.request_time, answer).await;
                    wire(answer.unwrap_or_else(|late| late.for_request(&headers)))
                }
            },
        )
}

/// Reads a body up to `limit` bytes, counted as they come (R17).
async fn read<B: warp::Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    limit: usize,
) -> Result<Vec<u8>, Response> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        let unreadable =
            |_| Response::error(ErrorCode::InvalidRequest, "The body could not be read. Send it again.");
        let mut piece = piece.map_err(unreadable)?;
        if bytes.len() + piece.remaining() > limit {
            return Err(Response::too_large(limit));
        }
        while piece.has_remaining() {
            let chunk = piece.chunk();
            bytes.extend_from_slice(chunk);
            let length = chunk.len();
            piece.advance(length);
        }
    }
    Ok(bytes)
}

/// What takes too long is answered with 503: the platform asks again (R5).
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Response>>) -> Result<T, Response> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Response::error(
            ErrorCode::Unavailable,
            "The service broker is too slow at the moment. Try again in a minute.",
        ))
    })
}

fn wire(response: Response) -> http::Response<Bytes> {
    http::Response::from(response)
}
