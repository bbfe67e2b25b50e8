//! Custom origins: fetched for real, over HTTP or TLS.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::header::{HOST, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Inner;
use super::behaviour::Behaviour;
use super::forwarding::end_to_end;
use super::page::{Body, X_CACHE, error};
use super::routing::Site;
use super::viewer::Viewer;
use crate::aws::Element;

/// CloudFront's default `ConnectionTimeout` and `OriginReadTimeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A request and everything that decides how it is passed on.
pub(super) struct Asked<'a> {
    pub(super) site: &'a Site,
    pub(super) origin: &'a Element,
    pub(super) behaviour: &'a Behaviour,
    /// The host the viewer named.
    pub(super) host: &'a str,
    pub(super) viewer: &'a Viewer,
    pub(super) request_id: &'a str,
}

/// Passes the request on and the answer back. Where the origin cannot be reached, CloudFront says 502; where it does
/// not answer in time, 504.
pub(super) async fn fetch(inner: &Inner, asked: &Asked<'_>, request: Request<Incoming>) -> Response<Body> {
    let request = match rewrite(asked, request) {
        Ok(request) => request,
        Err(refused) => return unreachable_origin(&refused),
    };
    let mut sender = match timeout(CONNECT_TIMEOUT, connect(inner, asked)).await {
        Ok(Ok(sender)) => sender,
        Ok(Err(refused)) => return unreachable_origin(&refused),
        Err(_) => return error(StatusCode::GATEWAY_TIMEOUT, "We can't connect to the server for this app."),
    };
    match timeout(READ_TIMEOUT, sender.send_request(request)).await {
        Ok(Ok(response)) => pass_back(response),
        Ok(Err(broken)) => unreachable_origin(&broken.into()),
        Err(_) => error(StatusCode::GATEWAY_TIMEOUT, "The origin did not answer in time."),
    }
}

fn unreachable_origin(why: &anyhow::Error) -> Response<Body> {
    tracing::warn!(error = format!("{why:#}"), "an origin could not be asked");
    error(StatusCode::BAD_GATEWAY, "CloudFront wasn't able to connect to the origin.")
}

fn is_secure(asked: &Asked<'_>) -> bool {
    match asked.origin.text_at("CustomOriginConfig/OriginProtocolPolicy") {
        "https-only" => true,
        "match-viewer" => asked.viewer.secure.is_some(),
        _ => false,
    }
}

fn rewrite(asked: &Asked<'_>, request: Request<Incoming>) -> anyhow::Result<Request<Body>> {
    let (head, body) = request.into_parts();
    let forwarding = &asked.behaviour.forwarding;
    let mut target = format!("{}{}", asked.origin.text_at("OriginPath"), head.uri.path());
    if let Some(query) = forwarding.query(head.uri.query()) {
        target = format!("{target}?{query}");
    }
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    let mut headers = forwarding.headers(&head.headers, reads);
    let domain = asked.origin.text_at("DomainName");
    let host = if forwarding.forwards_host() { asked.host } else { domain };
    headers.insert(HOST, HeaderValue::from_str(host)?);
    let via = format!("1.1 {} (CloudFront)", asked.site.domain);
    headers.insert("via", HeaderValue::from_str(&via)?);
    headers.insert("x-amz-cf-id", HeaderValue::from_str(asked.request_id)?);
    if let Some(peer) = asked.viewer.peer {
        const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
        let before = head.headers.get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let chain = before.map_or_else(|| peer.ip().to_string(), |before| format!("{before}, {}", peer.ip()));
        headers.insert(FORWARDED_FOR, HeaderValue::from_str(&chain)?);
    }
    let mut request = Request::new(body.boxed_unsync());
    *request.method_mut() = head.method;
    *request.uri_mut() = target.parse::<Uri>()?;
    *request.headers_mut() = headers;
    Ok(request)
}

async fn connect(inner: &Inner, asked: &Asked<'_>) -> anyhow::Result<http1::SendRequest<Body>> {
    let domain = asked.origin.text_at("DomainName");
    let addresses = inner.origin(domain).with_context(|| format!("the origin {domain} does not resolve"))?;
    if !is_secure(asked) {
        return speak(TcpStream::connect(addresses.http).await?).await;
    }
    let stream = TcpStream::connect(addresses.https).await?;
    let name = ServerName::try_from(domain.to_owned())?;
    let stream = TlsConnector::from(Arc::clone(&inner.origin_tls)).connect(name, stream).await?;
    speak(stream).await
}

async fn speak<S>(stream: S) -> anyhow::Result<http1::SendRequest<Body>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender, or with the answer's body.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an origin ended early");
        }
    });
    Ok(sender)
}

fn pass_back(response: Response<Incoming>) -> Response<Body> {
    let (head, body) = response.into_parts();
    let mut passed = Response::new(body.boxed_unsync());
    *passed.status_mut() = head.status;
    *passed.headers_mut() = end_to_end(&head.headers);
    if head.status.is_client_error() || head.status.is_server_error() {
        passed.headers_mut().insert(X_CACHE, HeaderValue::from_static("Error from cloudfront"));
    }
    passed
}
