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
use crate::dns::{Feed, Update};

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

impl Feed for Shared {
    fn due(&self) -> Vec<Update> {
        let mut world = self.world();
        let now = world.clock.now();
        world.route53.due(now)
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
    take_time(shared).await;
    let request_id = shared.request_id();
    let answer = call(shared, &request, &request_id).await?;
    let answer = answer.header("x-amzn-requestid", &request_id).header("x-amz-request-id", &request_id);
    Ok(respond(answer, is_head))
}

/// The way there and back, as far as it is longer than here.
#[expect(clippy::disallowed_methods, reason = "a network that is slow on purpose")]
async fn take_time(shared: &Shared) {
    let delay = shared.world().settings.answer_after;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
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
    Exchange { shared, service, call, request, request_id }.run().await
}

/// One call and the faults that meet it.
struct Exchange<'a> {
    shared: &'a Shared,
    service: Service,
    call: Call,
    request: &'a Request,
    request_id: &'a str,
}

impl Exchange<'_> {
    async fn run(&self) -> Result<Answer, Reset> {
        let Some(fault) = self.shared.faults.strike(&self.call.name()) else {
            return Ok(self.perform(None));
        };
        tracing::info!(op = self.call.name(), fault = fault.words(), "a planned fault strikes");
        match (fault.when, fault.kind) {
            (FaultMoment::Before, FaultKind::Hold) => {
                self.hold(&fault).await;
                Ok(self.perform(Some(fault.words())))
            }
            (FaultMoment::Before, _) => self.refuse(&fault),
            (FaultMoment::After, FaultKind::Hold) => {
                let done = self.perform(Some(fault.words()));
                self.hold(&fault).await;
                Ok(done)
            }
            (FaultMoment::After, kind) => {
                self.perform(Some(fault.words()));
                let failure = kind.failure(self.service).ok_or(Reset)?;
                Ok(self.service.refuse(&failure, self.request, self.request_id))
            }
        }
    }

    fn perform(&self, fault: Option<String>) -> Answer {
        let denied = self.shared.faults.denied();
        self.call.perform(&mut self.shared.world(), self.request, self.request_id, (fault, &denied))
    }

    async fn hold(&self, fault: &Fault) {
        self.shared.faults.hold(&self.call.name(), fault.when).await;
    }

    /// The call has no effect; the journal still knows it.
    fn refuse(&self, fault: &Fault) -> Result<Answer, Reset> {
        let failure = fault.kind.failure(self.service);
        let mut world = self.shared.world();
        let entry = self.call.refused(&world, self.request, failure.as_ref(), fault.words());
        world.record(entry);
        drop(world);
        let failure = failure.ok_or(Reset)?;
        Ok(self.service.refuse(&failure, self.request, self.request_id))
    }
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
