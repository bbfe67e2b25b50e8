//! What holds for any bytes whatever, as plain functions that a fuzzer or a property test calls. Each of them panics when
//! something does not hold, and does nothing else.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use crate::query::{Query, instance_id, is_id};
use crate::{Api, ApiVersion, Catalog, Credential, OriginatingIdentity, Plan, Request, Response, Service};

/// A request: method, path, query, one header a line, an empty line, the body. Whatever it is, it is understood or refused
/// with an answer that is right in form, and its body decides nothing that the head has decided. A first line that begins with `+` stands for right credentials and a right version,
/// so that more than the first checks are reached.
///
/// # Panics
/// When an answer is a 5xx, or not a JSON object with a description, or when a body is looked at that was not wanted.
pub fn request(data: &[u8]) {
    let (head, body) = halves(data, b"\n\n");
    let mut lines = head.split(|&b| b == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (method, path, query) = (text(), text(), text());
    let is_known = method.starts_with('+');
    let mut headers: HeaderMap = lines.filter_map(header).collect();
    if is_known {
        headers.insert("authorization", HeaderValue::from_static("Basic cGxhdGZvcm06c2VjcmV0"));
        headers.insert("x-broker-api-version", HeaderValue::from_static("2.17"));
    }
    let method = Method::from_bytes(method.trim_start_matches('+').as_bytes()).unwrap_or(Method::GET);
    let request = Request { method: &method, path: &path, query: Some(&query), headers: &headers, body };
    let Some(api) = API.as_ref() else { return };
    let read = api.read(&request);
    if !api.wants_body(&request) {
        assert_eq!(
            read,
            api.read(&Request { body: b"", ..request }),
            "a body that nobody wanted was looked at"
        );
    }
    match read {
        Ok(call) => assert!(is_known || headers.contains_key("authorization"), "nobody was let in: {call:?}"),
        Err(refusal) => check(refusal),
    }
}

/// The header `X-Broker-API-Originating-Identity`: it is read or marked, and its line for the audit trail is one line.
///
/// # Panics
/// When that line is long or has control characters.
pub fn identity(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers =
        HeaderMap::from_iter([(HeaderName::from_static("x-broker-api-originating-identity"), value)]);
    let audit = OriginatingIdentity::from_headers(&headers).map(|identity| identity.audit());
    let audit = audit.unwrap_or_default();
    assert!(audit.chars().count() <= 255 && !audit.chars().any(char::is_control), "{audit:?}");
}

/// The header `X-Broker-API-Version`: it is a version 2.x, or refused.
///
/// # Panics
/// When something else is taken for one, or the refusal is not right in form.
pub fn version(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-broker-api-version"), value)]);
    match ApiVersion::from_headers(&headers) {
        Ok(_) => assert!(data.starts_with(b"2.") && data[2..].iter().all(u8::is_ascii_digit), "{data:?}"),
        Err(refusal) => check(refusal),
    }
}

/// A segment of a path, and a query: both are decoded once, or refused.
///
/// # Panics
/// When what comes out is no id, or is not what a second decoding leaves as it is.
pub fn percent_decoding(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match instance_id(&text) {
        Ok(id) => {
            assert!(is_id(&id), "{id:?}");
            assert_eq!(instance_id(&id).ok().as_ref(), Some(&id), "it was decoded whole");
        }
        Err(refusal) => check(refusal),
    }
    let query = Query::new(Some(&text));
    for name in ["accepts_incomplete", "service_id", ""] {
        match query.find(name) {
            Ok(value) => assert!(value.is_none() || query.any(name) == value, "{text:?}"),
            Err(refusal) => check(refusal),
        }
    }
}

/// Made once: a fuzzer asks it a thousand times in a second.
static API: LazyLock<Option<Api>> = LazyLock::new(api);

/// An API with one service, one plan and one credential.
fn api() -> Option<Api> {
    let plan = Plan::new("small", "plan", "A small one.");
    let service = Service::new("cache", "service", "Keeps things at hand.", vec![plan]);
    let credential = Credential::new("platform", "secret").ok()?;
    Api::new(Catalog { services: vec![service] }, vec![credential]).ok()
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = halves(line, b":");
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value.trim_ascii()).ok()?))
}

/// What stands before the first `separator`, and what behind it.
fn halves<'a>(data: &'a [u8], separator: &[u8]) -> (&'a [u8], &'a [u8]) {
    let found = data.windows(separator.len()).position(|window| window == separator);
    found.map_or((data, &[][..]), |at| (&data[..at], &data[at + separator.len()..]))
}

fn check(refusal: Response) {
    let status = refusal.status();
    assert!(status.is_client_error(), "{refusal:?}");
    let body = http::Response::<Bytes>::from(refusal).into_body();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    assert!(body.is_object(), "{status}: {body}");
    let described = body["description"].as_str().is_some_and(|text| !text.is_empty());
    assert!(described || status.as_u16() == 410, "{status}: {body}");
}
