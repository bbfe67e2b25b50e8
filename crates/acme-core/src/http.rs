use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use contract::{Clock, Meter, NoMeter, Upstream};
use http::header::{LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, response};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::exchange::{self, Exchange};
use crate::retry_after::retry_after;
use crate::settings::{AcmeSettings, SettingsError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer of the protocol is a few kilobytes; a chain of the largest certificate is below 100.
const MAX_ANSWER: usize = 1024 * 1024;

/// The way to the authority: bounded in time and size, and remembering what instant-acme does not hand on.
#[derive(Clone)]
pub(crate) struct Transport(Arc<Inner>);

struct Inner {
    client: Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    product: String,
    meter: OnceLock<Arc<dyn Meter>>,
}

/// Why no complete answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("the authority did not answer within {0:?}")]
    Timeout(Duration),
    #[error("the authority names an address that cannot be asked: {0}")]
    NoRequest(String),
    #[error("the authority cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("the authority's answer broke off or is larger than {MAX_ANSWER} bytes")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Transport {
    pub(crate) fn new(settings: &AcmeSettings, clock: Arc<dyn Clock>) -> Result<Self, SettingsError> {
        let tls = tls_config(settings.root_certificates_pem.as_deref())?;
        Ok(Self(Arc::new(Inner {
            client: client(tls, settings.directory_url.starts_with("http:")),
            clock,
            timeout: settings.request_timeout,
            product: settings.user_agent.clone(),
            meter: OnceLock::new(),
        })))
    }

    /// Has every request counted from now on. The first one who counts is the only one.
    pub(crate) fn count_with(&self, meter: Arc<dyn Meter>) {
        let _ = self.0.meter.set(meter);
    }

    /// How many proofs the authority has found wrong is counted by the same.
    pub(crate) fn meter(&self) -> &dyn Meter {
        self.0.meter.get().map_or(&NoMeter, |meter| meter.as_ref())
    }

    fn count(&self, is_nonce: bool, status: Option<StatusCode>) {
        let call = if is_nonce { "newNonce" } else { exchange::call() };
        let code = status.as_ref().map_or("none", StatusCode::as_str);
        self.meter().request(Upstream::Authority, call, code);
    }

    /// Sends a request and takes in the whole answer, whatever its status.
    pub(crate) async fn send(
        &self,
        mut request: Request<BodyWrapper<Bytes>>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.introduce(&mut request);
        let url = request.uri().to_string();
        // Only a nonce is asked for in this way (RFC 8555, section 7.2).
        let is_nonce = request.method() == Method::HEAD;
        exchange::record(Exchange { url: url.clone(), ..Exchange::default() });
        let answer = tokio::time::timeout(self.0.timeout, self.exchange(request)).await;
        let answer = answer.unwrap_or(Err(TransportError::Timeout(self.0.timeout)));
        self.count(is_nonce, answer.as_ref().ok().map(|(parts, _)| parts.status));
        let (parts, body) = answer?;
        exchange::record(Exchange {
            url,
            status: Some(parts.status),
            location: location(&parts.headers),
            retry_after: retry_after(&parts.headers, self.0.clock.now()),
            body: body.clone(),
        });
        Ok(Response::from_parts(parts, body))
    }

    /// Asks for something that needs no account.
    pub(crate) async fn get(&self, url: &str) -> Result<Response<Bytes>, TransportError> {
        let request = Request::builder().uri(url).body(BodyWrapper::default());
        self.send(request.map_err(|error| TransportError::NoRequest(error.to_string()))?).await
    }

    async fn exchange(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Result<(response::Parts, Bytes), TransportError> {
        let answer = self.0.client.request(request).await.map_err(TransportError::Unreachable)?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(TransportError::Broken)?;
        Ok((parts, body.to_bytes()))
    }

    /// Puts our own product before the library's.
    fn introduce(&self, request: &mut Request<BodyWrapper<Bytes>>) {
        let library = request.headers().get(USER_AGENT).and_then(|library| library.to_str().ok());
        let product =
            [Some(self.0.product.as_str()), library].into_iter().flatten().collect::<Vec<_>>().join(" ");
        if let Ok(product) = HeaderValue::from_str(&product) {
            request.headers_mut().insert(USER_AGENT, product);
        }
    }
}

impl HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let transport = self.clone();
        Box::pin(async move {
            let (parts, body) = transport
                .send(request)
                .await
                .map_err(|error| instant_acme::Error::Other(Box::new(error)))?
                .into_parts();
            Ok(BytesResponse { parts, body: Box::new(body) })
        })
    }
}

fn location(headers: &HeaderMap) -> Option<String> {
    headers.get(LOCATION)?.to_str().ok().map(ToOwned::to_owned)
}

fn client(tls: ClientConfig, plain: bool) -> Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // HTTP/2 headers and body leave in two writes: without this each POST waits for a delayed acknowledgement.
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls);
    let https = if plain { https.https_or_http() } else { https.https_only() };
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .build(https.enable_all_versions().wrap_connector(tcp))
}

fn tls_config(roots_pem: Option<&str>) -> Result<ClientConfig, SettingsError> {
    let bad = |error: &dyn std::fmt::Display| SettingsError::Roots(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&error))?;
    let builder = match roots_pem {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None => builder.with_native_roots().map_err(|error| bad(&error))?,
    };
    Ok(builder.with_no_client_auth())
}

fn roots(pem: &str) -> Result<RootCertStore, SettingsError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| SettingsError::Roots(error.to_string()))?;
        store.add(certificate).map_err(|error| SettingsError::Roots(error.to_string()))?;
    }
    if store.is_empty() { Err(SettingsError::Roots("no certificate in the file".into())) } else { Ok(store) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(name: &str) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap().pem()
    }

    #[test]
    fn several_roots_may_be_given() {
        let pem = format!("{}\n{}", root("a.example"), root("b.example"));
        assert_eq!(roots(&pem).unwrap().len(), 2);
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_refused() {
        assert!(matches!(roots(""), Err(SettingsError::Roots(_))));
        assert!(matches!(roots("not a certificate"), Err(SettingsError::Roots(_))));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(roots(broken), Err(SettingsError::Roots(_))));
    }
}
