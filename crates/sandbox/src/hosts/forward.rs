//! Passing a request on to a process.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;

use crate::client::Client;
use crate::web::Answer;

/// Sends the same request to another address and gives back the answer as it came. The Host stays.
pub(crate) async fn forward(
    client: &Client,
    head: &Parts,
    body: &Bytes,
    to: SocketAddr,
) -> anyhow::Result<Answer> {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::builder().method(&head.method).uri(format!("http://{to}{target}"));
    if let Some(headers) = request.headers_mut() {
        headers.extend(head.headers.clone());
        if let Some(host) = head.uri.authority() {
            headers.insert(HOST, HeaderValue::from_str(host.as_str())?);
        }
        remove_connection_headers(headers);
    }
    let (mut head, body) = client.send(request.body(Full::from(body.clone()))?).await?.into_parts();
    remove_connection_headers(&mut head.headers);
    Ok(Response::from_parts(head, Full::from(body)))
}

/// These speak of one connection (RFC 9110, 7.6.1).
fn remove_connection_headers(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING] {
        headers.remove(name);
    }
}
