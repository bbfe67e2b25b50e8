//! Who may read the metrics.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use osb_core::Credential;
use prometheus_client::encoding::prometheus_text;

use super::Metrics;

/// The page `/metrics`.
#[derive(Clone)]
pub struct MetricsPage {
    metrics: Arc<Metrics>,
    /// Who may read it; `None` where only those get who may.
    credential: Option<Credential>,
}

impl MetricsPage {
    /// A page for whoever has the credential, or for everybody who gets there when there is none.
    pub fn new(metrics: Arc<Metrics>, credential: Option<Credential>) -> Self {
        Self { metrics, credential }
    }

    /// The answer, if the path is this page's.
    pub(crate) async fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Response<Bytes>> {
        if path != "/metrics" {
            return None;
        }
        if !self.lets_in(headers) {
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
