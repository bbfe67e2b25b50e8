//! Requests and answers as the services see them: whole, in memory, without a connection.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use url::form_urlencoded;

use super::error::Failure;
use super::xml::Element;

/// One request, its body read to the end. It cannot be printed: a body may hold a private key.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// The path, as sent.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// A query parameter; `Some("")` if it has no value.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// A header as text; absent if it is not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as an XML tree: `MissingBody` if there is none, `MalformedXML` if it is not XML.
    pub(crate) fn xml(&self) -> Result<Element, Failure> {
        if self.body.is_empty() {
            return Err(Failure::bad("MissingBody", "This operation requires a body."));
        }
        std::str::from_utf8(&self.body)
            .map_err(anyhow::Error::from)
            .and_then(Element::parse)
            .map_err(|error| Failure::bad("MalformedXML", format!("1 validation error detected: {error}")))
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn xml(status: u16, document: String) -> Self {
        Self::new(status).header("content-type", "text/xml").body(document)
    }

    pub(crate) fn json(status: u16, document: &impl serde::Serialize) -> Self {
        let document = serde_json::to_string(document).unwrap_or_default();
        Self::new(status).header("content-type", "application/json").body(document)
    }

    /// Sets a header; a value that cannot stand in a header is left out.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}
