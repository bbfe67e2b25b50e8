use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::desk::Desk;
use super::{Endpoint, Reply};

pub(super) async fn serve(listener: TcpListener, desk: Arc<Desk>) {
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
        "renewal-info" => Endpoint::RenewalInfo,
        _ => return None,
    };
    Some((endpoint, parts.filter_map(|part| part.parse().ok()).collect()))
}
