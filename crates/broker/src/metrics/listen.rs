//! A port of its own for the page, for operators who keep it away from users by their network.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::MetricsPage;
use super::page::not_found;
use crate::ServerError;

/// How many connections may be open at once; more wait to be accepted.
const CONNECTIONS: usize = 32;
/// How long the head of a request may take to arrive, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Serves the page on `address` until `stop` turns true. Nothing else is there, and nobody needs credentials unless the page
/// has one.
pub async fn serve_metrics(
    page: MetricsPage,
    address: SocketAddr,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    let listen = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    tracing::info!(address = %listener.local_addr().map_err(listen)?, "listening for those who read the metrics");
    let (open, mut connections) = (Arc::new(Semaphore::new(CONNECTIONS)), JoinSet::new());
    loop {
        tokio::select! {
            // A sender that is gone has stopped as well. A scrape that is cut off is made again.
            _ = stop.wait_for(|stopped| *stopped) => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = accept(&listener, &open) => {
                if let Some((stream, peer, permit)) = accepted {
                    let page = page.clone();
                    connections.spawn(async move {
                        answer(page, stream, peer).await;
                        drop(permit);
                    });
                }
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    open: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(open).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip(), permit)),
        Err(error) => {
            tracing::warn!(%error, "could not accept a connection");
            tokio::task::yield_now().await;
            None
        }
    }
}

async fn answer(page: MetricsPage, stream: TcpStream, peer: IpAddr) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let page = page.clone();
        async move {
            let answer = page.answer(request.method(), request.uri().path(), request.headers(), peer).await;
            Ok::<_, Infallible>(answer.unwrap_or_else(not_found).map(Full::new))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(100)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}
