//! R1: a request that is wrong in several ways gets the answer to the first of them.

use osb_core::{Existing, InstanceState, ProvisionDecision, Response, decide_provision};
use serde_json::{Map, json};

use crate::support::{AUTHORIZATION, Ask, CONTENT_TYPE, VERSION, as_provision, basic, catalog};

/// What can be wrong, in the order of the checks, each with its answer.
const FAULTS: [(&str, u16, &str); 9] = [
    ("credentials", 401, "Unauthorized"),
    ("version", 412, "ApiVersionNotSupported"),
    ("path", 404, "NotFound"),
    ("method", 405, "MethodNotAllowed"),
    ("syntax", 400, "InvalidRequest"),
    ("size", 413, "RequestTooLarge"),
    ("required field", 400, "MissingField"),
    ("catalog id", 400, "UnknownServiceOrPlan"),
    ("asynchronous", 422, "AsyncRequired"),
];

fn has(faults: usize, name: &str) -> bool {
    FAULTS.iter().position(|(fault, ..)| *fault == name).is_some_and(|bit| faults & (1 << bit) != 0)
}

/// A request with those faults that concern every operation.
fn outer(ask: Ask, faults: usize) -> Ask {
    let ask = if has(faults, "credentials") { ask.header(AUTHORIZATION, &basic("new:wrong")) } else { ask };
    let ask = if has(faults, "version") { ask.header(VERSION, "3.0") } else { ask };
    let id = if has(faults, "syntax") { "a%2Fb" } else { "i-1" };
    let path =
        if has(faults, "path") { "/v2/elsewhere".to_owned() } else { format!("/v2/service_instances/{id}") };
    let method = if has(faults, "method") { "POST".parse().unwrap() } else { ask.method.clone() };
    Ask { method, ..ask.path(&path) }
}

fn provision(faults: usize) -> Ask {
    let ask =
        if has(faults, "required field") { Ask::provision().lacking("space_guid") } else { Ask::provision() };
    let ask = if has(faults, "catalog id") { ask.with("plan_id", &json!("only-plan")) } else { ask };
    outer(if has(faults, "asynchronous") { ask.query("") } else { ask }, faults)
}

fn update(faults: usize) -> Ask {
    let plan = if has(faults, "catalog id") { json!("none") } else { json!("small-plan") };
    let ask = Ask::update().with("plan_id", &plan);
    let ask = if has(faults, "required field") { ask.lacking("service_id") } else { ask };
    outer(if has(faults, "asynchronous") { ask.query("") } else { ask }, faults)
}

fn deprovision(faults: usize) -> Ask {
    let service = if has(faults, "required field") { "" } else { "cache-service" };
    let plan = if has(faults, "catalog id") { "none" } else { "small-plan" };
    let accepts = !has(faults, "asynchronous");
    let query = format!("service_id={service}&plan_id={plan}&accepts_incomplete={accepts}");
    outer(Ask::deprovision().query(&query), faults)
}

/// What a server answers: it reads a body that is wanted, and refuses it when it is too large.
fn answered(ask: &Ask, faults: usize) -> Option<(u16, String)> {
    if has(faults, "size") && ask.wants_body() {
        let refusal = Response::too_large(1);
        return Some((refusal.status().as_u16(), refusal.error_code().unwrap().to_owned()));
    }
    ask.read().is_err().then(|| ask.refused())
}

/// Every combination of faults, not only the pairs.
#[test]
fn r1_the_first_fault_is_answered() {
    let size = 1 << FAULTS.iter().position(|(fault, ..)| *fault == "size").unwrap();
    // The body of a deprovision is not looked at.
    for (build, counted) in [(provision as fn(usize) -> Ask, !0), (update, !0), (deprovision, !size)] {
        for faults in 0..1_usize << FAULTS.len() {
            let ask = build(faults);
            let first = FAULTS.get((faults & counted).trailing_zeros() as usize);
            let expected = first.map(|(_, status, code)| (*status, (*code).to_owned()));
            assert_eq!(answered(&ask, faults), expected, "{first:?} comes first in {ask:?}");
        }
    }
}

/// R1: the type of a body is known from the head, and nobody waits for a body of another one.
#[test]
fn r1_a_body_is_wanted_only_where_it_decides() {
    for (ask, wants) in [
        (Ask::provision(), true),
        (Ask::update(), true),
        (Ask::provision().header(CONTENT_TYPE, "text/plain"), false),
        (Ask::provision().query("accepts_incomplete=true&accepts_incomplete=true"), false),
        (Ask::deprovision(), false),
        (Ask::poll(), false),
        (Ask::new("GET", "/v2/catalog"), false),
        (Ask::new("PUT", "/v2/service_instances/i-1/service_bindings/b-1"), false),
    ] {
        assert_eq!(ask.wants_body(), wants, "{ask:?}");
    }
}

/// R1, step 4 before 5 inside a body.
#[test]
fn r1_syntax_of_optional_fields_before_required_fields() {
    let ask = Ask::provision().lacking("service_id").with("parameters", &json!("x"));
    assert_eq!(ask.refused(), (400, "InvalidRequest".to_owned()));
    let ask = Ask::provision().body(b"{").query("");
    assert_eq!(ask.refused(), (400, "InvalidRequest".to_owned()));
}

/// R1, step 8 before 10; R54: `maintenance_info` is no attribute that is compared.
#[test]
fn r1_existence_before_maintenance_info() {
    let ask = Ask::provision().with("maintenance_info", &json!({"version": "9.9.9"}));
    let request = as_provision(&ask);
    let mut existing = Existing {
        service_id: "cache-service".to_owned(),
        plan_id: "small-plan".to_owned(),
        organization_guid: "org-1".to_owned(),
        space_guid: "another".to_owned(),
        parameters: Map::new(),
        state: InstanceState::Ready,
    };
    let status = |existing| match decide_provision(&catalog(), &request, existing) {
        ProvisionDecision::Conflict(response) => response.status().as_u16(),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(status(Some(&existing)), 409);
    assert_eq!(status(None), 422);
    "space-1".clone_into(&mut existing.space_guid);
    assert_eq!(decide_provision(&catalog(), &request, Some(&existing)), ProvisionDecision::AlreadyThere);
}
