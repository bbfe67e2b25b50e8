//! R1: of two things that are wrong with a request, the one that is checked first is answered. What lies before the
//! instance is in osb-core's own tests too, in every combination; here it is every pair, up to the parameters.

use std::time::Duration;

use broker::ServerLimits;
use contract::OperationState;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use crate::harness::{Answer, Bench, ask, headers, path};
use crate::limits::Running;

/// What can be wrong, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Credentials,
    Version,
    Method,
    Syntax,
    /// The body is too large.
    Size,
    /// The body does not come.
    Slow,
    Field,
    Catalog,
    Asynchronous,
    Existence,
    Concurrency,
    Maintenance,
    Parameters,
}

use Fault::{
    Asynchronous, Catalog, Concurrency, Credentials, Existence, Field, Maintenance, Parameters, Size, Slow,
    Syntax, Version,
};

const OUTER: [Fault; 9] =
    [Credentials, Version, Fault::Method, Syntax, Size, Slow, Field, Catalog, Asynchronous];

impl Fault {
    fn answer(self, method: &Method) -> (u16, &'static str) {
        match self {
            Credentials => (401, "Unauthorized"),
            Version => (412, "ApiVersionNotSupported"),
            Self::Method => (405, "MethodNotAllowed"),
            Syntax => (400, "InvalidRequest"),
            Size => (413, "RequestTooLarge"),
            Slow => (408, "RequestTimeout"),
            Field => (400, "MissingField"),
            Catalog => (400, "UnknownServiceOrPlan"),
            Asynchronous => (422, "AsyncRequired"),
            Existence if method == Method::PUT => (409, "InstanceConflict"),
            Existence if method == Method::DELETE => (410, ""),
            Existence => (404, "NotFound"),
            Concurrency => (422, "ConcurrencyError"),
            Maintenance => (422, "MaintenanceInfoConflict"),
            Parameters => (400, "InvalidParameters"),
        }
    }
}

/// The world in which these faults of the instance are there: a provision finds another instance, everything else finds
/// none.
async fn world(method: &Method, faults: &[Fault]) -> Bench {
    let is_there = faults.contains(&Existence) == (method == Method::PUT);
    match (is_there, faults.contains(&Concurrency)) {
        (false, _) => Bench::new(),
        (true, false) => Bench::serving().await,
        (true, true) => {
            let bench = Bench::new();
            bench.provision_both().await;
            assert_eq!(bench.latest().await, Some(OperationState::Running));
            bench
        }
    }
}

async fn answer(bench: &Bench, method: &Method, faults: &[Fault]) -> Answer {
    let has = |fault| faults.contains(&fault);
    let service = if has(Field) { "" } else { broker::SERVICE_ID };
    let plan = if has(Catalog) { "none" } else { broker::PLAN_ID };
    let accepts = if has(Asynchronous) { "false" } else { "true" };
    let twice = if has(Syntax) { "&accepts_incomplete=true" } else { "" };
    let query = format!("accepts_incomplete={accepts}{twice}&service_id={service}&plan_id={plan}");
    let maintenance = if has(Maintenance) { json!({"version": "9.9.9"}) } else { json!({}) };
    let parameters = if has(Parameters) { json!({"colour": "red"}) } else { json!({"domain": "a.gov"}) };
    let body = json!({
        "service_id": service, "plan_id": plan, "organization_guid": "org-1", "space_guid": "space-1",
        "maintenance_info": maintenance, "parameters": parameters,
    });
    let method = if has(Fault::Method) { Method::POST } else { method.clone() };
    let path = format!("{}?{query}", path());
    let headers = broken(headers(), faults);
    if has(Size) || has(Slow) {
        return over_a_socket(bench, &method, &path, &headers, &body.to_string(), faults).await;
    }
    ask(&bench.service(), method, &path, &headers, Some(body)).await
}

/// How much is wrong with a body is for the server to find.
async fn over_a_socket(
    bench: &Bench,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &str,
    faults: &[Fault],
) -> Answer {
    let body =
        if faults.contains(&Size) { format!("{body}{}", " ".repeat(200_000)) } else { body.to_owned() };
    let sent = if faults.contains(&Slow) { &body[..1] } else { &body };
    let request = format!("{method} {path} HTTP/1.1\r\nhost: b\r\ncontent-length: {}\r\n", body.len());
    let headers = headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    let request = headers.fold(request, |request, line| request + &line);
    let limits = ServerLimits { request_time: Duration::from_millis(200), ..ServerLimits::default() };
    let server = Running::start(bench.service(), limits).await;
    let answer = server.exchange(&format!("{request}connection: close\r\n\r\n{sent}")).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: serde_json::from_str(body).unwrap() }
}

fn broken(mut headers: HeaderMap, faults: &[Fault]) -> HeaderMap {
    if faults.contains(&Credentials) {
        headers.insert("authorization", HeaderValue::from_static("Basic bm9ib2R5OndpdGhvdXQ="));
    }
    if faults.contains(&Version) {
        headers.insert("x-broker-api-version", HeaderValue::from_static("3.0"));
    }
    headers
}

#[tokio::test]
async fn r1_of_each_pair_of_faults_the_earlier_one_is_answered() {
    for (method, inner) in [
        (Method::PUT, &[Existence, Maintenance, Parameters][..]),
        (Method::PATCH, &[Existence, Concurrency, Maintenance, Parameters]),
        (Method::DELETE, &[Existence]),
    ] {
        let faults: Vec<Fault> = OUTER.iter().chain(inner).copied().collect();
        for (number, first) in faults.iter().enumerate() {
            for second in &faults[number..] {
                if (*first, *second) == (Existence, Concurrency) {
                    continue; // Nothing runs on an instance that is not there.
                }
                let pair = [*first, *second];
                let bench = world(&method, &pair).await;
                let answer = answer(&bench, &method, &pair).await;
                let said = (answer.status.as_u16(), answer.text("error"));
                let counts = |fault: &&Fault| method != Method::DELETE || !matches!(fault, Size | Slow);
                let first = pair.iter().find(counts);
                // A deletion of which nothing but the body is wrong is carried out: nobody looks at its body.
                let expected = first.map_or((202, ""), |first| first.answer(&method));
                assert_eq!(said, expected, "{method} with {pair:?}: {answer:?}");
            }
        }
    }
}
