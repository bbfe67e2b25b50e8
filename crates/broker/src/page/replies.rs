//! Answers to browsers, and what browsers are told to keep to.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
    LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use maud::Markup;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::limits::LOOK_EVERY;

/// When the script is to ask again, in seconds.
const AGAIN: HeaderName = HeaderName::from_static("x-again");

/// Nothing but what this broker serves is loaded, sent to, or wrapped around a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HTML: &str = "text/html; charset=utf-8";

/// What stands around everything. A connection is not kept: a thousand open pages ask once in a while, and would hold all
/// that there are.
const HEADERS: [(HeaderName, &str); 9] = [
    (CACHE_CONTROL, "no-store"),
    (CONNECTION, "close"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (VARY, "cookie"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) fn page(status: StatusCode, page: &Markup) -> Response<Bytes> {
    reply(status, HTML, page.0.clone())
}

/// A part of a page, if it is not the one that the browser has.
pub(super) fn part(asked: &HeaderMap, part: &Markup, again: Duration) -> Response<Bytes> {
    let tag = tag(part);
    let is_known = asked.get(IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let mut response = if is_known {
        reply(StatusCode::NOT_MODIFIED, HTML, "")
    } else {
        reply(StatusCode::OK, HTML, part.0.clone())
    };
    put(&mut response, ETAG, &tag);
    put(&mut response, AGAIN, &again.as_secs().to_string());
    response
}

/// The same text has the same tag.
pub(super) fn tag(part: &Markup) -> String {
    let digest = Sha256::digest(part.0.as_bytes());
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
}

pub(super) fn json(value: &Value) -> Response<Bytes> {
    reply(StatusCode::OK, "application/json", format!("{value:#}\n"))
}

/// An answer of the protocol's, kept to what a page is kept to.
pub(super) fn guarded(mut response: Response<Bytes>) -> Response<Bytes> {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// 303: what follows is asked for with GET, whatever this request was.
pub(super) fn see_other(path: &str, cookie: Option<&str>) -> Response<Bytes> {
    let mut response = reply(StatusCode::SEE_OTHER, HTML, "");
    put(&mut response, LOCATION, path);
    if let Some(cookie) = cookie {
        put(&mut response, SET_COOKIE, cookie);
    }
    response
}

pub(super) fn nothing() -> Response<Bytes> {
    reply(StatusCode::NO_CONTENT, HTML, "")
}

pub(super) fn too_often() -> Response<Bytes> {
    let mut response = reply(StatusCode::TOO_MANY_REQUESTS, HTML, "");
    put(&mut response, RETRY_AFTER, &LOOK_EVERY.as_secs().to_string());
    response
}

/// What never changes under its name.
pub(super) fn forever(kind: &'static str, content: &'static str) -> Response<Bytes> {
    let mut response = reply(StatusCode::OK, kind, content);
    put(&mut response, CACHE_CONTROL, "public, max-age=31536000, immutable");
    response.headers_mut().remove(VARY);
    response
}

fn reply(status: StatusCode, kind: &'static str, content: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(content.into());
    *response.status_mut() = status;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Everything that is put here is ASCII.
pub(super) fn put(response: &mut Response<Bytes>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
