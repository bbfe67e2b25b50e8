//! What a request is called in the platform's logs, so that its lines and ours are found together (R14).

use http::HeaderMap;
use tracing::Span;

/// No name is longer than this in a line, in bytes.
const LONGEST: usize = 255;

/// The span of one request. What the platform does not send is not there.
pub(super) fn span(headers: &HeaderMap) -> Span {
    let sent = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.get(..LONGEST).unwrap_or(value))
    };
    tracing::info_span!(
        "request",
        request.identity = sent("x-broker-api-request-identity"),
        request.vcap = sent("x-vcap-request-id"),
        trace.id = sent("x-b3-traceid"),
        trace.span = sent("x-b3-spanid"),
    )
}
