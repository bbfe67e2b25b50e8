//! R1: of two things that are wrong with a request, the one that is checked first is answered. What lies before the
//! instance is in osb-core's own tests too, in every combination; here it is every pair, up to the parameters.

use contract::OperationState;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;

use crate::harness::{Answer, Bench, ask, headers, path};

/// What can be wrong, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Credentials,
    Version,
    Method,
    Syntax,
    Field,
    Catalog,
    Asynchronous,
    Existence,
    Concurrency,
    Maintenance,
    Parameters,
}

use Fault::{
    Asynchronous, Catalog, Concurrency, Credentials, Existence, Field, Maintenance, Parameters, Syntax,
    Version,
};

const OUTER: [Fault; 7] = [Credentials, Version, Fault::Method, Syntax, Field, Catalog, Asynchronous];

impl Fault {
    fn answer(self, method: &Method) -> (u16, &'static str) {
        match self {
            Credentials => (401, "Unauthorized"),
            Version => (412, "ApiVersionNotSupported"),
            Self::Method => (405, "MethodNotAllowed"),
            Syntax => (400, "InvalidRequest"),
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
    ask(&bench.service(), method, &path, &broken(headers(), faults), Some(body)).await
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
                assert_eq!(said, first.answer(&method), "{method} with {pair:?}: {answer:?}");
            }
        }
    }
}
