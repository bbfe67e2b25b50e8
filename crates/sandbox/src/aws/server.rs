//! The API port: reads a request, lets planned faults strike, and answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::admin;
use super::dispatch::{Call, Service};
use super::error::Failure;
use super::faults::{Fault, FaultKind, FaultMoment, Faults};
use super::ids::Ids;
use super::message::{Answer, Request};
use super::world::World;

/// Larger bodies than any call of this cloud needs are refused.
const LARGEST_BODY: usize = 16 << 20;

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    request_ids: Mutex<Ids>,
    pub(crate) faults: Faults,
}

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a planned fault ends this connection")]
struct Reset;

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        let request_ids = Mutex::new(Ids::new("request"));
        Self { world: Mutex::new(world), request_ids, faults: Faults::new() }
    }

    /// The account; every call holds it alone. A panic in one call must not take the others down with it.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn request_id(&self) -> String {
        self.request_ids.lock().unwrap_or_else(PoisonError::into_inner).request()
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request).await }
    });
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the emulated AWS ended early");
    }
}

async fn answer(
    shared: &Shared,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Reset> {
    let is_head = request.method() == Method::HEAD;
    let request = match read(request).await {
        Ok(request) => request,
        Err(failure) => return Ok(respond(Answer::xml(failure.status, failure.s3_document("", "")), false)),
    };
    if request.path().starts_with("/_sandbox/") {
        return Ok(respond(admin::answer(shared, &request).await, is_head));
    }
    let request_id = shared.request_id();
    let answer = call(shared, &request, &request_id).await?;
    let answer = answer.header("x-amzn-requestid", &request_id).header("x-amz-request-id", &request_id);
    Ok(respond(answer, is_head))
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Failure> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await;
    let body = body.map_err(|_| Failure::bad("EntityTooLarge", "The body is too large or was cut off."))?;
    Ok(Request { method: head.method, uri: head.uri, headers: head.headers, body: body.to_bytes() })
}

async fn call(shared: &Shared, request: &Request, request_id: &str) -> Result<Answer, Reset> {
    let service = match Service::of(request) {
        Ok(service) => service,
        Err(failure) => return Ok(Service::CloudFront.refuse(&failure, request, request_id)),
    };
    let call = match Call::identify(service, request) {
        Ok(call) => call,
        Err(failure) => {
            tracing::warn!(method = %request.method, path = request.path(), "this call is not emulated");
            return Ok(service.refuse(&failure, request, request_id));
        }
    };
    let Some(fault) = shared.faults.strike(&call.name()) else {
        return Ok(call.perform(&mut shared.world(), request, request_id, None));
    };
    tracing::info!(op = call.name(), fault = fault.words(), "a planned fault strikes");
    let is_s3 = service == Service::S3;
    match fault.when {
        FaultMoment::Before => strike_before(shared, &call, request, request_id, &fault, is_s3).await,
        FaultMoment::After => {
            let done = call.perform(&mut shared.world(), request, request_id, Some(fault.words()));
            strike_after(
                shared,
                &call,
                fault.kind,
                done,
                |failure| service.refuse(&failure, request, request_id),
                is_s3,
            )
            .await
        }
    }
}

async fn strike_before(
    shared: &Shared,
    call: &Call,
    request: &Request,
    request_id: &str,
    fault: &Fault,
    is_s3: bool,
) -> Result<Answer, Reset> {
    if fault.kind == FaultKind::Hold {
        shared.faults.hold(&call.name(), FaultMoment::Before).await;
        return Ok(call.perform(&mut shared.world(), request, request_id, Some(fault.words())));
    }
    let mut world = shared.world();
    match fault.kind.failure(is_s3) {
        Some(failure) => Ok(call.refuse(&mut world, request, request_id, (&failure, fault.words()))),
        None => {
            world.record(call.entry(Some(fault.words())));
            Err(Reset)
        }
    }
}

async fn strike_after(
    shared: &Shared,
    call: &Call,
    kind: FaultKind,
    done: Answer,
    refuse: impl Fn(Failure) -> Answer,
    is_s3: bool,
) -> Result<Answer, Reset> {
    if kind == FaultKind::Hold {
        shared.faults.hold(&call.name(), FaultMoment::After).await;
        return Ok(done);
    }
    kind.failure(is_s3).map(refuse).ok_or(Reset)
}

fn respond(answer: Answer, is_head: bool) -> hyper::Response<Full<Bytes>> {
    let body = if is_head { Bytes::new() } else { answer.body.clone() };
    let mut response = hyper::Response::new(Full::new(body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if is_head && response.status().is_success() {
        let length = answer.body.len().into();
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length);
    }
    response
}
