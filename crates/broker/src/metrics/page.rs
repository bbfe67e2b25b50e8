//! Who may read the metrics.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Response};
use osb_core::{Credential, ErrorCode, Response as Refusal};
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
            let wait = self.logins.note(headers, Some(peer), self.metrics.clock.now());
            return Some(wait.map_or_else(unauthorized, too_many));
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(refusal(Refusal::method_not_allowed("GET, HEAD")));
        }
        let text = self.metrics.read().await;
        Some(answer(text))
    }

    fn lets_in(&self, headers: &HeaderMap) -> bool {
        self.credential.as_ref().is_none_or(|credential| credential.admits(headers))
    }
}

fn unauthorized() -> Response<Bytes> {
    let sentence =
        "The credentials for the metrics are needed here. Ask the operator of the broker for them.";
    let mut response = refusal(Refusal::error(ErrorCode::Unauthorized, sentence));
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"metrics\""));
    response
}

/// As the API answers, in seconds and rounded up.
fn too_many(wait: Duration) -> Response<Bytes> {
    let sentence =
        "Wrong credentials have come too often. Give the right ones: those are let in at any time.";
    let mut response = refusal(Refusal::error(ErrorCode::TooManyAttempts, sentence));
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// For any other path of a port that has nothing else.
pub(super) fn not_found() -> Response<Bytes> {
    refusal(Refusal::error(ErrorCode::NotFound, "Here is nothing else: the metrics are at /metrics."))
}

/// Refused as at the API: a JSON object that says why.
fn refusal(refusal: Refusal) -> Response<Bytes> {
    unkept(refusal.into())
}

fn answer(text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    let content_type = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    unkept(response)
}

fn unkept(mut response: Response<Bytes>) -> Response<Bytes> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
