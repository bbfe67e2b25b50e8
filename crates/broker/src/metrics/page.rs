//! Who may read the metrics.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use osb_core::Credential;
use prometheus_client::encoding::prometheus_text;

use super::Metrics;
use crate::service::FailedLogins;

/// The page `/metrics`.
#[derive(Clone)]
pub struct MetricsPage {
    metrics: Arc<Metrics>,
    /// Who may read it; `None` where only those get who may.
    credential: Option<Credential>,
    logins: Arc<FailedLogins>,
}

impl MetricsPage {
    /// A page for whoever has the credential, or for everybody who gets there when there is none.
    pub fn new(metrics: Arc<Metrics>, credential: Option<Credential>) -> Self {
        Self { metrics, credential, logins: Arc::new(FailedLogins::new()) }
    }

    /// The same page, whose wrong passwords are counted together with those of others (R118).
    #[must_use]
    pub(crate) fn counting(self, logins: Arc<FailedLogins>) -> Self {
        Self { logins, ..self }
    }

    /// The answer, if the path is this page's.
    pub(crate) async fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Option<Response<Bytes>> {
        if path != "/metrics" {
            return None;
        }
        if !self.lets_in(headers) {
            if let Some(wait) = self.logins.note(headers, Some(peer), self.metrics.clock.now()) {
                return Some(too_many(wait));
            }
            let mut refusal = plain(StatusCode::UNAUTHORIZED, "credentials are needed\n");
            let challenge = HeaderValue::from_static("Basic realm=\"metrics\"");
            refusal.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            return Some(refusal);
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Some(refusal);
        }
        let text = self.metrics.read().await;
        Some(answer(StatusCode::OK, prometheus_text::CONTENT_TYPE, text))
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        self.credential.as_ref().is_none_or(|credential| credential.admits(headers))
    }
}

/// As the API answers, in seconds and rounded up.
fn too_many(wait: Duration) -> Response<Bytes> {
    let mut refusal = plain(StatusCode::TOO_MANY_REQUESTS, "too many wrong credentials\n");
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    refusal
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    answer(status, "text/plain; charset=utf-8", text.to_owned())
}

fn answer(status: StatusCode, content_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
