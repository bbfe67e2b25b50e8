//! One viewer's connection and its requests: from Host to distribution to behaviour to origin.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::behaviour::{Behaviour, ViewerPolicy};
use super::page::{Body, X_CACHE, error, redirect};
use super::routing::{self, Site};
use super::{Inner, bucket, origin};
use crate::aws::{matches_wildcard, s3_bucket};

/// Who is on the other side of a connection.
#[derive(Clone, Debug)]
pub(super) struct Viewer {
    pub(super) peer: Option<SocketAddr>,
    /// Absent for plain HTTP.
    pub(super) secure: Option<Secure>,
}

/// How TLS was agreed.
#[derive(Clone, Debug)]
pub(super) struct Secure {
    /// The name the viewer asked for (SNI), in lower case.
    pub(super) asked: Option<String>,
    /// Whether it got a certificate of the account, or CloudFront's own.
    pub(super) own_certificate: bool,
}

pub(super) async fn serve_plain(inner: Arc<Inner>, stream: TcpStream) {
    let peer = stream.peer_addr().ok();
    serve(inner, stream, Viewer { peer, secure: None }).await;
}

/// Serves one connection to its end.
pub(super) async fn serve<S>(inner: Arc<Inner>, stream: S, viewer: Viewer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let (inner, viewer) = (Arc::clone(&inner), viewer.clone());
        async move { Ok::<_, Infallible>(answer(&inner, &viewer, request).await) }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(error, "a viewer's connection ended early");
    }
}

async fn answer(inner: &Inner, viewer: &Viewer, request: Request<Incoming>) -> Response<Body> {
    let request_id = inner.cloud.request_id();
    let mut response = respond(inner, viewer, request, &request_id).await;
    let headers = response.headers_mut();
    headers.entry(X_CACHE).or_insert(HeaderValue::from_static("Miss from cloudfront"));
    headers.insert("via", HeaderValue::from_static("1.1 sandbox.cloudfront.net (CloudFront)"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-amz-cf-id", id);
    }
    response
}

async fn respond(
    inner: &Inner,
    viewer: &Viewer,
    request: Request<Incoming>,
    request_id: &str,
) -> Response<Body> {
    let Some(host) = host(&request) else { return error(StatusCode::BAD_REQUEST, "Bad request.") };
    let site = routing::by_host(&inner.cloud.world(), &host);
    let Some(site) = site else {
        return error(StatusCode::FORBIDDEN, "The distribution is not configured to accept this request.");
    };
    if viewer.secure.as_ref().is_some_and(|secure| is_misdirected(secure, &host)) {
        return error(StatusCode::MISDIRECTED_REQUEST, "The distribution does not match the certificate.");
    }
    let Some(behaviour) = Behaviour::pick(&site.config, request.uri().path()) else {
        return error(StatusCode::FORBIDDEN, "Bad request.");
    };
    if let Some(refusal) = refusal(inner, viewer, &behaviour, &request, &host) {
        return refusal;
    }
    fetch(inner, viewer, &site, &behaviour, request, (&host, request_id)).await
}

/// The host a viewer names, without port and final dot, in lower case.
fn host(request: &Request<Incoming>) -> Option<String> {
    let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let named = request.uri().authority().map(http::uri::Authority::as_str).or(named)?;
    let (host, port) = named.rsplit_once(':').unwrap_or((named, ""));
    let host = if port.chars().all(|c| c.is_ascii_digit()) { host } else { named };
    Some(host.trim_end_matches('.').to_ascii_lowercase()).filter(|host| !host.is_empty())
}

/// Domain fronting [`aws.md` 1.4]: refused if the viewer asked for another name, got a certificate that is not the
/// account's, and that certificate is not good for the host either.
fn is_misdirected(secure: &Secure, host: &str) -> bool {
    let same = secure.asked.as_deref().is_none_or(|asked| asked.trim_end_matches('.') == host);
    !same && !secure.own_certificate && !matches_wildcard("*.cloudfront.net", host)
}

/// What the behaviour forbids before any origin is asked.
fn refusal(
    inner: &Inner,
    viewer: &Viewer,
    behaviour: &Behaviour,
    request: &Request<Incoming>,
    host: &str,
) -> Option<Response<Body>> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match behaviour.viewer_policy {
        _ if viewer.secure.is_some() => {}
        ViewerPolicy::AllowAll => {}
        ViewerPolicy::RedirectToHttps if reads => return Some(redirect(&secure_url(inner, request, host))),
        ViewerPolicy::RedirectToHttps | ViewerPolicy::HttpsOnly => {
            return Some(error(StatusCode::FORBIDDEN, "Bad request."));
        }
    }
    let allowed = behaviour.methods.iter().any(|method| method == request.method().as_str());
    let why = "This distribution is not configured to allow the HTTP request method that was used for this request.";
    (!allowed).then(|| error(StatusCode::FORBIDDEN, why))
}

/// The same address over HTTPS, on the port this edge really has.
fn secure_url(inner: &Inner, request: &Request<Incoming>, host: &str) -> String {
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    match inner.https_port.get() {
        None | Some(443) => format!("https://{host}{path}"),
        Some(port) => format!("https://{host}:{port}{path}"),
    }
}

async fn fetch(
    inner: &Inner,
    viewer: &Viewer,
    site: &Site,
    behaviour: &Behaviour,
    request: Request<Incoming>,
    (host, request_id): (&str, &str),
) -> Response<Body> {
    let origins = site.config.items_at("Origins").iter();
    let Some(origin) = origins.into_iter().find(|origin| origin.text_at("Id") == behaviour.target) else {
        return error(StatusCode::BAD_GATEWAY, "The origin does not exist.");
    };
    let bucket = s3_bucket(origin.text_at("DomainName")).filter(|_| origin.child("S3OriginConfig").is_some());
    if let Some(bucket) = bucket {
        let path = format!("{}{}", origin.text_at("OriginPath"), request.uri().path());
        return bucket::read(&inner.cloud.world(), site, origin, bucket, &path, request.method());
    }
    let asked = origin::Asked { site, origin, behaviour, host, viewer, request_id };
    origin::fetch(inner, &asked, request).await
}
