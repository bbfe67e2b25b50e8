//! `GET /health/live` and `GET /health/ready`, for whoever starts and stops this process. Nobody needs credentials, so
//! nothing is told that is worth knowing to others, and asking often costs nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::{Clock, Readiness, Timestamp};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use tokio::sync::Mutex;

/// A platform asks every few seconds and gives up after one or a few.
const TIME: Duration = Duration::from_secs(3);
/// For how long an answer of the database stands for the next one.
const FRESH: Duration = Duration::from_secs(1);

/// Whether the process lives, and whether it can do its work.
pub(crate) struct Health {
    readiness: Arc<dyn Readiness>,
    clock: Arc<dyn Clock>,
    /// When the database was last asked, and whether it was ready. Whoever asks meanwhile waits for that answer.
    last: Mutex<Option<(Timestamp, bool)>>,
}

impl Health {
    pub(crate) fn new(readiness: Arc<dyn Readiness>, clock: Arc<dyn Clock>) -> Self {
        Self { readiness, clock, last: Mutex::default() }
    }

    /// The answer, if the path is one of these.
    pub(crate) async fn answer(&self, method: &Method, path: &str) -> Option<Response<Bytes>> {
        if !matches!(path, "/health/live" | "/health/ready") {
            return None;
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(not_allowed());
        }
        Some(match path {
            "/health/live" => answer(StatusCode::OK, "live"),
            _ if self.is_ready().await => answer(StatusCode::OK, "ready"),
            _ => answer(StatusCode::SERVICE_UNAVAILABLE, "the database is not ready"),
        })
    }

    async fn is_ready(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((at, was_ready)) = *last
            && self.clock.now().since(at) < FRESH
        {
            return was_ready;
        }
        let is_ready = match tokio::time::timeout(TIME, self.readiness.ready()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready");
                false
            }
            Err(_) => {
                tracing::warn!("not ready: the database does not answer");
                false
            }
        };
        *last = Some((self.clock.now(), is_ready));
        is_ready
    }
}

fn answer(status: StatusCode, what: &str) -> Response<Bytes> {
    let body = match status {
        StatusCode::OK => serde_json::json!({ "status": what }),
        _ => serde_json::json!({ "status": what, "description": what }),
    };
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn not_allowed() -> Response<Bytes> {
    let mut response: Response<Bytes> = osb_core::Response::method_not_allowed("GET, HEAD").into();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
