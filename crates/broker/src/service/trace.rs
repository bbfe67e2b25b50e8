//! What a request is called in the platform's logs, so that its lines and ours are found together (R14).

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use contract::Operation;
use http::HeaderMap;
use osb_core::Request;
use tracing::Span;

use crate::page;

/// No name is longer than this in a line, in bytes.
const LONGEST: usize = 255;

/// Names for requests that the platform has sent without one. No two requests have the same, in whatever process.
pub(super) struct OwnNames {
    process: u64,
    count: AtomicU64,
}

impl OwnNames {
    pub(super) fn new() -> Self {
        Self { process: RandomState::new().hash_one(()), count: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        format!("{:016x}-{}", self.process, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// A request by its name: the platform's, or one of our own.
pub(super) struct Named {
    pub(super) identity: String,
    /// The span of the request: what it asks for, and on what.
    pub(super) span: Span,
}

impl Named {
    /// Errors are worth a line at every level, and so is whom they concern: the span is there whatever the level is. What the
    /// platform does not send is not there.
    pub(super) fn new(request: &Request<'_>, own: &OwnNames) -> Self {
        let headers = request.headers;
        let identity =
            sent(headers, "x-broker-api-request-identity").map_or_else(|| own.next(), str::to_owned);
        // The path of a page may be the secret that opens it.
        let path = Some(request.path).filter(|path| !page::is_meant(path)).map(cut);
        let span = tracing::error_span!(
            "request",
            request.identity = identity,
            request.vcap = sent(headers, "x-vcap-request-id"),
            trace.id = sent(headers, "x-b3-traceid"),
            trace.span = sent(headers, "x-b3-spanid"),
            http.method = cut(request.method.as_str()),
            http.path = path,
            instance.id = instance(request.path),
        );
        Self { identity, span }
    }
}

/// The span of the work on an operation, which goes on when the request that has begun it is answered.
pub(crate) fn of_operation(operation: &Operation) -> Span {
    tracing::error_span!(
        "operation",
        operation.id = %operation.id,
        instance.id = %operation.instance,
        request.identity = operation.request_identity,
    )
}

fn sent<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(cut)
}

/// The instance in a path, as it was sent.
fn instance(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("/v2/service_instances/")?;
    rest.split('/').next().filter(|id| !id.is_empty()).map(cut)
}

fn cut(text: &str) -> &str {
    text.get(..LONGEST).unwrap_or(text)
}
