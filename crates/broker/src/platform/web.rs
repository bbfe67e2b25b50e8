use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, StatusCode, request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::error::PlatformError;
use super::settings::{PlatformSettings, PlatformSettingsError};
use super::wire::Refusal;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A list of a hundred domains is below a hundred kilobytes.
const LARGEST_ANSWER: usize = 4 << 20;
/// How much of somebody's words is kept for the operator.
const LONGEST_SAYING: usize = 300;

/// JSON over HTTP(S), bounded in size. The time is bounded by whoever asks.
pub(super) struct Web {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Web {
    pub(super) fn new(settings: &PlatformSettings) -> Result<Self, PlatformSettingsError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Without it a request of two writes waits for the other side's delayed acknowledgement.
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls_config(settings.root_certificates_pem.as_deref())?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_mins(1))
            .build(https);
        Ok(Self { client })
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        token: Option<&Secret>,
    ) -> Result<T, PlatformError> {
        let mut request = Request::get(url.as_str());
        if let Some(header) = token.and_then(bearer) {
            request = request.header(AUTHORIZATION, header);
        }
        self.exchange(request, Bytes::new()).await
    }

    pub(super) async fn post_form<T: DeserializeOwned>(
        &self,
        url: &Url,
        form: String,
    ) -> Result<T, PlatformError> {
        let request = Request::post(url.as_str()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.exchange(request, form.into()).await
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        request: request::Builder,
        body: Bytes,
    ) -> Result<T, PlatformError> {
        let request = request
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("cdn-broker/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))
            .map_err(PlatformError::Request)?;
        let answer = self.client.request(request).await.map_err(PlatformError::Unreachable)?;
        let (head, body) = answer.into_parts();
        let body =
            Limited::new(body, LARGEST_ANSWER).collect().await.map_err(PlatformError::Broken)?.to_bytes();
        if head.status != StatusCode::OK {
            return Err(refusal(head.status, &head.headers, &body));
        }
        serde_json::from_slice(&body).map_err(PlatformError::Strange)
    }
}

fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("bearer {}", token.expose_str()?)).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> PlatformError {
    let request_id = headers.get("x-vcap-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    PlatformError::Refused { status: status.as_u16(), saying: saying(body), request_id }
}

/// What they say, in one line of printable characters.
fn saying(body: &[u8]) -> String {
    let Refusal { errors, error, error_description } = serde_json::from_slice(body).unwrap_or_default();
    let parts = errors.into_iter().flat_map(|one| [one.title, one.detail]);
    let parts: Vec<String> = parts.chain(error).chain(error_description).collect();
    let text = if parts.is_empty() { String::from_utf8_lossy(body).into_owned() } else { parts.join(": ") };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_SAYING).collect()
}

fn tls_config(roots_pem: Option<&str>) -> Result<ClientConfig, PlatformSettingsError> {
    let bad = |error: &dyn std::fmt::Display| PlatformSettingsError::Roots(error.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&error))?;
    let builder = match roots_pem {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None => builder.with_native_roots().map_err(|error| bad(&error))?,
    };
    Ok(builder.with_no_client_auth())
}

fn roots(pem: &str) -> Result<RootCertStore, PlatformSettingsError> {
    let bad = |error: &dyn std::fmt::Display| PlatformSettingsError::Roots(error.to_string());
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        store.add(certificate.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
    }
    if store.is_empty() { Err(bad(&"no certificate in the file")) } else { Ok(store) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_one_line() {
        for (body, expected) in [
            (
                r#"{"errors":[{"code":10003,"title":"CF-NotAuthorized","detail":"You are not authorized"}]}"#,
                "CF-NotAuthorized: You are not authorized",
            ),
            (
                r#"{"error":"unauthorized","error_description":"Bad credentials"}"#,
                "unauthorized: Bad credentials",
            ),
            ("<html>\n502\n</html>", "<html> 502 </html>"),
            ("", ""),
        ] {
            assert_eq!(saying(body.as_bytes()), expected);
        }
        assert_eq!(saying("x".repeat(1000).as_bytes()).len(), LONGEST_SAYING);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        assert!(matches!(roots("nothing"), Err(PlatformSettingsError::Roots(_))));
    }
}
