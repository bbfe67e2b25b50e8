//! From a request on a connection to its answer.

use std::future::pending;
use std::net::IpAddr;
use std::pin::{Pin, pin};

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderValue, Method};
use osb_core::{ErrorCode, Request, Response};
use tokio::sync::watch;
use warp::Filter;

use super::ServerLimits;
use super::lingering::Unread;
use crate::{Service, page, responder};

/// One filter that takes everything and rejects nothing: paths, methods and errors are the protocol's business, and all
/// of it is in osb-core. Only the certificate authority and whoever watches over the process
/// are answered elsewhere.
pub(super) fn filter(
    desk: Desk,
) -> impl Filter<Extract = (http::Response<Bytes>,), Error = warp::Rejection> + Clone {
    let query = warp::query::raw().map(Some).or(warp::any().map(|| None::<String>)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .map(|method, path, query, headers| Head { method, path, query, headers })
        .and(warp::body::stream())
        .then(move |head, body| {
            let desk = desk.clone();
            async move { desk.answer(&head, body).await }
        })
}

/// What comes before the body.
struct Head {
    method: Method,
    path: warp::path::FullPath,
    query: Option<String>,
    headers: HeaderMap,
}

impl Head {
    fn with<'a>(&'a self, body: &'a [u8]) -> Request<'a> {
        Request {
            method: &self.method,
            path: self.path.as_str(),
            query: self.query.as_deref(),
            headers: &self.headers,
            body,
        }
    }

    /// How many bytes are to come, where that is said.
    fn length(&self) -> Option<u64> {
        self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }
}

/// Answers what comes on one connection.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) service: Service,
    pub(super) limits: ServerLimits,
    pub(super) peer: IpAddr,
    /// To be told when the connection ends before a body was read to its end.
    pub(super) unread: Unread,
    /// Turns true when the server stops.
    pub(super) stop: watch::Receiver<bool>,
}

impl Desk {
    /// What the head decides is answered at once; a body is read only when the answer depends on it (R1, R18).
    async fn answer<B: warp::Buf>(
        &self,
        head: &Head,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> http::Response<Bytes> {
        let mut body = pin!(body);
        if let Some(answer) = self.answer_watchers(head).await {
            return self.leave(head, body, answer);
        }
        if !self.service.wants_body(&head.with(b"")) {
            let answer = self.answer_platform(&head.with(b"")).await;
            return self.leave(head, body, answer);
        }
        match self.read(head, body.as_mut()).await {
            Ok(bytes) => self.answer_platform(&head.with(&bytes)).await,
            Err(refusal) => self.last(self.service.refuse(&head.with(b""), refusal).into()),
        }
    }

    /// The answer to those who are not the platform, and of whose requests no body is read.
    async fn answer_watchers(&self, head: &Head) -> Option<http::Response<Bytes>> {
        let (service, method, path) = (&self.service, &head.method, head.path.as_str());
        if responder::is_meant(path) {
            return Some(service.answer_challenge(method, path).await);
        }
        if let Some(answer) = service.answer_health(method, path).await {
            return Some(answer);
        }
        service.answer_metrics(method, path, &head.headers, self.peer).await
    }

    /// The answer to the platform, and to people.
    async fn answer_platform(&self, request: &Request<'_>) -> http::Response<Bytes> {
        let page = self.service.answer_page_to(request, Some(self.peer));
        match tokio::time::timeout(self.limits.request_time, page).await {
            Ok(None) => {}
            Ok(Some(page)) => return page,
            Err(_) => return page::too_slow(),
        }
        let answer = self.service.answer_to(request, Some(self.peer));
        let answer = tokio::time::timeout(self.limits.request_time, answer).await;
        answer.unwrap_or_else(|_| self.service.refuse(request, too_slow())).into()
    }

    /// The body, if it is not too long and comes in time.
    async fn read<B: warp::Buf>(
        &self,
        head: &Head,
        body: Pin<&mut impl Stream<Item = Result<B, warp::Error>>>,
    ) -> Result<Vec<u8>, Response> {
        let limit = self.limits.body;
        if head.length().is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
            return Err(Response::too_large(limit));
        }
        tokio::select! {
            biased;
            read = tokio::time::timeout(self.limits.request_time, read(body, limit)) => {
                read.unwrap_or_else(|_| Err(body_too_late()))
            }
            () = self.stopped() => Err(stopping()),
        }
    }

    /// Ends while a stopping server can still answer.
    async fn stopped(&self) {
        // A server that is gone without a word stops as well.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
        let _ = tokio::time::timeout(self.limits.drain * 4 / 5, pending::<()>()).await;
    }

    /// Gives an answer for which no body was read. One that has come with its head already is taken; for any other nobody waits, and
    /// the connection ends. Whoever asks before sending a body (`Expect`) is not asked for it.
    fn leave<B: warp::Buf>(
        &self,
        head: &Head,
        body: Pin<&mut impl Stream<Item = Result<B, warp::Error>>>,
        answer: http::Response<Bytes>,
    ) -> http::Response<Bytes> {
        let has_come = || matches!(read(body, self.limits.body).now_or_never(), Some(Ok(_)));
        if !head.headers.contains_key(EXPECT) && has_come() { answer } else { self.last(answer) }
    }

    /// The answer with which a connection ends that was not read to its end.
    fn last(&self, mut answer: http::Response<Bytes>) -> http::Response<Bytes> {
        self.unread.note();
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }
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
    mut body: Pin<&mut impl Stream<Item = Result<B, warp::Error>>>,
    limit: usize,
) -> Result<Vec<u8>, Response> {
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

/// A body that has not come when the server must end.
fn stopping() -> Response {
    Response::error(
        ErrorCode::Unavailable,
        "The service broker is being stopped, and the body of the request has not arrived. Send it again.",
    )
}

/// What takes too long is answered with 503: the platform asks again (R5).
fn too_slow() -> Response {
    Response::error(
        ErrorCode::Unavailable,
        "The service broker is too slow at the moment. Try again in a minute.",
    )
}
