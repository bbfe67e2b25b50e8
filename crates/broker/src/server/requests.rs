//! From a request on a connection to its answer.

use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, Method};
use osb_core::{ErrorCode, Request, Response};
use warp::Filter;

use super::ServerLimits;
use crate::{Service, page, responder};

/// One filter that takes everything and rejects nothing: paths, methods and errors are the protocol's business, and all
/// of it is in osb-core. Only the certificate authority and whoever watches over the process
/// are answered elsewhere.
pub(super) fn filter(
    service: &Service,
    limits: &ServerLimits,
    peer: IpAddr,
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
                    if let Some(answer) = without_body(&service, &method, path.as_str(), &headers, peer).await
                    {
                        return answer;
                    }
                    let read = tokio::time::timeout(limits.request_time, read(body, limits.body)).await;
                    let body = match read.unwrap_or_else(|_| Err(body_too_late())) {
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
                    match tokio::time::timeout(
                        limits.request_time,
                        service.answer_page_to(&request, Some(peer)),
                    )
                    .await
                    {
                        Ok(None) => {}
                        Ok(Some(page)) => return page,
                        Err(_) => return page::too_slow(),
                    }
                    let answer = async { Ok(service.answer_to(&request, Some(peer)).await) };
                    let answer = within(limits.request_time, answer).await;
                    wire(answer.unwrap_or_else(|late| late.for_request(&headers)))
                }
            },
        )
}

/// The answer to those who are not the platform, and of whose requests no body is read.
async fn without_body(
    service: &Service,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Option<http::Response<Bytes>> {
    if responder::is_meant(path) {
        return Some(service.answer_challenge(method, path).await);
    }
    if let Some(answer) = service.answer_health(method, path).await {
        return Some(answer);
    }
    service.answer_metrics(method, path, headers, peer).await
}

/// A target in authority form, which only `CONNECT` may have (RFC 9112, section 3.2.3), is without a path, and warp panics
/// when it looks for one. Nothing is served under the path that is put there instead.
pub(super) fn with_path<B>(mut request: http::Request<B>) -> http::Request<B> {
    if request.uri().path_and_query().is_none() {
        *request.uri_mut() = http::Uri::from_static("/");
    }
    request
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

/// Who is slow is told so; nothing of the request is done.
fn body_too_late() -> Response {
    Response::error(
        ErrorCode::RequestTimeout,
        "The body of the request did not arrive in time. Send it again.",
    )
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
