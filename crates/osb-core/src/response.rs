use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::text::plain;
use crate::{ErrorCode, UpdateRefusal};

/// Names a request in the logs of platform and broker; to be sent back unchanged (OSB 2.17, "Request Identity").
pub(crate) const REQUEST_IDENTITY: HeaderName = HeaderName::from_static("x-broker-api-request-identity");

/// A complete answer: status, headers, and a JSON object as the body (none for `304`).
///
/// There is a constructor for each answer the protocol has and no way to assemble another one, so what the
/// specification says about bodies holds for all of them: codes and status codes belong together, a `description` is
/// never empty, is plain ASCII without tabs and at most 32 KiB long, absent fields are left out rather than `null`.
#[derive(Clone, Debug, PartialEq)]
pub struct Response(Box<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    None,
    Object(Map<String, Value>),
    /// JSON rendered beforehand, because it is the same for everybody.
    Rendered(Bytes),
}

impl Response {
    /// An error with a sentence for the user that says what to do. Cloud Controller shows it as
    /// `Service broker error: …`.
    pub fn error(code: ErrorCode, description: &str) -> Self {
        let mut response = Self::failure(code.status(), code.as_str(), description);
        if code == ErrorCode::Unauthorized {
            let challenge = HeaderValue::from_static("Basic realm=\"service broker\", charset=\"UTF-8\"");
            response.0.headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// 422: this change cannot be made. Only an answer to an update.
    pub fn update_refused(refusal: UpdateRefusal, description: &str) -> Self {
        Self::failure(StatusCode::UNPROCESSABLE_ENTITY, refusal.as_str(), description)
    }

    /// 405: the methods in `allow` (separated by commas) are the ones for this path.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let sentence = format!("This path does not take this method. Use one of: {allow}.");
        let mut response = Self::error(ErrorCode::MethodNotAllowed, &sentence);
        response.0.headers.insert(ALLOW, HeaderValue::from_static(allow));
        response
    }

    /// 413: the server has stopped reading the body at `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        let sentence =
            format!("The body of the request is larger than {limit} bytes. Send shorter parameters.");
        Self::error(ErrorCode::RequestTooLarge, &sentence)
    }

    /// This answer as an answer to the request with these headers: it carries the request's
    /// `X-Broker-API-Request-Identity`, or none if there was none (OSB 2.17, "Request Identity"). Errors of
    /// [`Api::read`](crate::Api::read) have been through here already; doing it again changes nothing.
    #[must_use]
    pub fn for_request(mut self, headers: &HeaderMap) -> Self {
        match headers.get(REQUEST_IDENTITY) {
            Some(identity) => self.0.headers.insert(REQUEST_IDENTITY, identity.clone()),
            None => self.0.headers.remove(REQUEST_IDENTITY),
        };
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The headers, without those a server adds by itself (`Content-Length`, `Date`).
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The word for machines, if this is an error.
    pub fn error_code(&self) -> Option<&str> {
        self.text("error")
    }

    /// The sentence for the user, if there is one.
    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    pub(crate) fn json(status: StatusCode, body: Map<String, Value>) -> Self {
        Self::with_content(status, Body::Object(body))
    }

    pub(crate) fn rendered(status: StatusCode, body: Bytes) -> Self {
        Self::with_content(status, Body::Rendered(body))
    }

    pub(crate) fn without_body(status: StatusCode) -> Self {
        Self(Box::new(Parts { status, headers: HeaderMap::new(), body: Body::None }))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    fn failure(status: StatusCode, error: &'static str, description: &str) -> Self {
        let description =
            plain(description, "The request cannot be carried out. Ask the operator of the broker.");
        let body = [("error", error.into()), ("description", description.into())];
        Self::json(status, body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn with_content(status: StatusCode, body: Body) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self(Box::new(Parts { status, headers, body }))
    }

    fn text(&self, field: &str) -> Option<&str> {
        match &self.0.body {
            Body::Object(body) => body.get(field)?.as_str(),
            Body::None | Body::Rendered(_) => None,
        }
    }
}

impl From<Response> for http::Response<Bytes> {
    fn from(response: Response) -> Self {
        let Parts { status, headers, body } = *response.0;
        let content = match body {
            Body::None => Bytes::new(),
            Body::Object(object) => Bytes::from(Value::Object(object).to_string()),
            Body::Rendered(content) => content,
        };
        let mut out = Self::new(content);
        *out.status_mut() = status;
        *out.headers_mut() = headers;
        out
    }
}
