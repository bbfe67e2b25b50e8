use http::{HeaderMap, Method};

/// What a server read from the wire, untouched: nothing decoded, nothing trimmed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path of the request target, still percent-encoded, beginning with `/`.
    pub path: &'a str,
    /// What follows the `?` of the request target, still percent-encoded; `None` without a `?`.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The whole body where it is wanted (see [`Api::wants_body`](crate::Api::wants_body)), its size already limited by the server (see [`Response::too_large`](crate::Response::too_large)).
    pub body: &'a [u8],
}
