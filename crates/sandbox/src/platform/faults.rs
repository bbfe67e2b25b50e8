use std::sync::Arc;

use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::{Handler, PlatformRequest, Shared};
use crate::web::{self, Answer};

/// Nothing that anybody sends here is larger.
const LARGEST_BODY: usize = 1 << 20;

/// How a platform misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformFault {
    /// It takes connections and requests, and never answers.
    Silent,
    /// It answers everything with this status, as a proxy before it would.
    Status(u16),
}

/// Reads a request whole, lets the present fault happen or the handler answer, and notes both.
pub(super) async fn guarded(
    shared: Arc<Shared>,
    server: &'static str,
    request: Request<Incoming>,
    handler: Handler,
) -> Answer {
    let what = format!("{} {}", request.method(), request.uri());
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return web::text(StatusCode::PAYLOAD_TOO_LARGE, "the body could not be read\n".to_owned());
    };
    let fault = shared.state().fault;
    let mut answer = match fault {
        Some(PlatformFault::Silent) => {
            note(&shared, server, &what, 0);
            std::future::pending().await
        }
        Some(PlatformFault::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            web::html(status, format!("<html><body>{status}</body></html>"))
        }
        None => handler(&shared, &Request::from_parts(head, body.to_bytes())),
    };
    let number = note(&shared, server, &what, answer.status().as_u16());
    if let Ok(id) = HeaderValue::from_str(&format!("{server}-request-{number}")) {
        answer.headers_mut().insert("x-vcap-request-id", id);
    }
    answer
}

fn note(shared: &Shared, server: &'static str, what: &str, status: u16) -> usize {
    let requests = &mut shared.state().requests;
    requests.push(PlatformRequest { server, what: what.to_owned(), status });
    requests.len()
}
