//! R52–R57, R76, R77, R96–R104, R115: what exists decides.

use osb_core::{
    AskedChange, DeprovisionDecision, Existing, FetchDecision, InstanceState, OperationId, ProvisionDecision,
    Response, decide_deprovision, decide_fetch, decide_provision, same_json,
};
use serde_json::{Map, Value, json};

use crate::support::{Ask, as_deprovision, as_provision, catalog};

fn operation(id: &str) -> OperationId {
    OperationId::parse(id).unwrap()
}

/// What [`Ask::provision`] creates.
fn existing(state: InstanceState) -> Existing {
    Existing {
        service_id: "cache-service".to_owned(),
        plan_id: "small-plan".to_owned(),
        organization_guid: "org-1".to_owned(),
        space_guid: "space-1".to_owned(),
        parameters: Map::new(),
        state,
    }
}

fn provisioning() -> InstanceState {
    InstanceState::Provisioning { operation: operation("op-1") }
}

fn updating() -> InstanceState {
    let asked = AskedChange { plan_id: "kept-plan".to_owned(), parameters: Map::new() };
    InstanceState::Updating { operation: operation("op-2"), asked }
}

fn deprovisioning() -> InstanceState {
    InstanceState::Deprovisioning { operation: operation("op-3") }
}

fn decide(ask: &Ask, existing: Option<&Existing>) -> ProvisionDecision {
    decide_provision(&catalog(), &as_provision(ask), existing)
}

fn conflict(ask: &Ask, existing: Option<&Existing>) -> Response {
    match decide(ask, existing) {
        ProvisionDecision::Conflict(response) => response,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn r52_a_repeated_provision_goes_on_with_the_same_operation() {
    let decision = decide(&Ask::provision(), Some(&existing(provisioning())));
    assert_eq!(decision, ProvisionDecision::Repeat { operation: operation("op-1") });
}

#[test]
fn r53_r55_a_repeated_provision_of_what_is_there() {
    for state in [InstanceState::Ready, updating()] {
        assert_eq!(decide(&Ask::provision(), Some(&existing(state))), ProvisionDecision::AlreadyThere);
    }
}

#[test]
fn r54_any_other_attribute_is_a_conflict_that_names_it() {
    let different = [
        (
            "service_id",
            Ask::provision().with("service_id", &json!("queue-service")).with("plan_id", &json!("only-plan")),
        ),
        ("plan_id", Ask::provision().with("plan_id", &json!("kept-plan"))),
        ("organization_guid", Ask::provision().with("organization_guid", &json!("org-2"))),
        ("space_guid", Ask::provision().with("space_guid", &json!("space-2"))),
        ("parameters", Ask::provision().with("parameters", &json!({"a": 1}))),
        ("parameters", Ask::provision().with("parameters", &json!({"a": null}))),
    ];
    for (name, ask) in different {
        for state in [provisioning(), InstanceState::Ready, updating()] {
            let response = conflict(&ask, Some(&existing(state)));
            assert_eq!((response.status().as_u16(), response.error_code()), (409, Some("InstanceConflict")));
            assert!(response.description().unwrap().contains(name), "{response:?}");
        }
    }
}

#[test]
fn r54_context_maintenance_info_and_headers_are_not_compared() {
    let ask = Ask::provision()
        .with("context", &json!({"instance_name": "other"}))
        .with("maintenance_info", &json!({"version": "7.0.0"}))
        .header("x-broker-api-version", "2.3");
    assert_eq!(decide(&ask, Some(&existing(InstanceState::Ready))), ProvisionDecision::AlreadyThere);
}

#[test]
fn r54_parameters_are_compared_by_meaning() {
    let mut instance = existing(InstanceState::Ready);
    instance.parameters = json!({"a": 1, "b": {"c": [1, 2.5], "d": "x"}}).as_object().unwrap().clone();
    let body = |parameters: &str| {
        let text = format!(
            r#"{{"service_id":"cache-service","plan_id":"small-plan","organization_guid":"org-1",
                "space_guid":"space-1","parameters":{parameters}}}"#
        );
        Ask::provision().body(text.as_bytes())
    };
    for same in
        [r#"{"b":{"d":"x","c":[1.0,25e-1]},"a":1.0}"#, r#"{"a":10e-1,"b":{"c":[1e0,2.50],"d":"\u0078"}}"#]
    {
        assert_eq!(decide(&body(same), Some(&instance)), ProvisionDecision::AlreadyThere, "{same}");
    }
    for other in
        [r#"{"a":1,"b":{"c":[2.5,1],"d":"x"}}"#, r#"{"a":"1","b":{"c":[1,2.5],"d":"x"}}"#, "{}", "null"]
    {
        assert_eq!(conflict(&body(other), Some(&instance)).status(), 409, "{other}");
    }
}

#[test]
fn r54_numbers_are_compared_exactly() {
    let same = |a: &str, b: &str| {
        let parse = |text| serde_json::from_str::<Value>(text).unwrap();
        same_json(&parse(a), &parse(b)) && same_json(&parse(b), &parse(a))
    };
    for (a, b) in [
        ("1", "1.0"),
        ("0", "-0.0"),
        ("18446744073709551615", "18446744073709551615"),
        ("1e300", "1e300"),
        ("-5", "-50e-1"),
        ("1e22", "10000000000000000000000"),
    ] {
        assert!(same(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("1", "2"),
        ("1", "1.5"),
        ("9007199254740993", "9007199254740992.0"),
        ("1", "true"),
        ("0", "null"),
        ("18446744073709551615", "18446744073709551616.0"),
        ("1e300", "1e301"),
    ] {
        assert!(!same(a, b), "{a} {b}");
    }
}

#[test]
fn r56_what_failed_or_goes_away_is_a_conflict_with_advice() {
    for (state, advice) in [
        (InstanceState::ProvisionFailed, "Delete it"),
        (deprovisioning(), "wait until it is gone"),
        (InstanceState::DeprovisionFailed, "Delete it again"),
    ] {
        let response = conflict(&Ask::provision(), Some(&existing(state)));
        assert_eq!(response.status(), 409);
        assert!(response.description().unwrap().contains(advice), "{response:?}");
    }
}

#[test]
fn r56_an_id_may_be_used_again_once_its_instance_is_gone() {
    assert_eq!(decide(&Ask::provision(), Some(&existing(InstanceState::Gone))), ProvisionDecision::New);
    assert_eq!(decide(&Ask::provision(), None), ProvisionDecision::New);
}

#[test]
fn r57_maintenance_info_must_be_that_of_the_catalog() {
    let with = |plan: &str, version: &str| {
        let info = json!({"version": version, "description": "ignored", "more": 1});
        Ask::provision().with("plan_id", &json!(plan)).with("maintenance_info", &info)
    };
    for (plan, version) in [
        ("kept-plan", "1.1.9"),
        ("kept-plan", "2.0.0"),
        ("kept-plan", "Invalid"),
        ("kept-plan", ""),
        ("small-plan", "1.2.0"),
    ] {
        for previous in [None, Some(&existing(InstanceState::Gone))] {
            let response = conflict(&with(plan, version), previous);
            assert_eq!(
                (response.status().as_u16(), response.error_code()),
                (422, Some("MaintenanceInfoConflict")),
                "{plan} {version}"
            );
        }
    }
    assert_eq!(decide(&with("kept-plan", "1.2.0"), None), ProvisionDecision::New);
    assert_eq!(decide(&Ask::provision().with("plan_id", &json!("kept-plan")), None), ProvisionDecision::New);
}

/// R115: an id whose provision was refused was never known.
#[test]
fn r97_r115_what_is_not_there_is_gone() {
    let request = as_deprovision(&Ask::deprovision());
    assert_eq!(decide_deprovision(&request, None), DeprovisionDecision::Gone);
    assert_eq!(decide_deprovision(&request, Some(&existing(InstanceState::Gone))), DeprovisionDecision::Gone);
}

#[test]
fn r98_a_repeated_deprovision_goes_on_with_the_same_operation() {
    let request = as_deprovision(&Ask::deprovision());
    let decision = decide_deprovision(&request, Some(&existing(deprovisioning())));
    assert_eq!(decision, DeprovisionDecision::Repeat { operation: operation("op-3") });
}

/// R99: during creation; R100: during an update and after failures; R104: again after a failed deletion.
#[test]
fn r99_r100_r104_a_deprovision_is_accepted_in_every_state() {
    let request = as_deprovision(&Ask::deprovision());
    let states = [
        provisioning(),
        InstanceState::Ready,
        updating(),
        InstanceState::ProvisionFailed,
        InstanceState::DeprovisionFailed,
    ];
    for state in states {
        let decision = decide_deprovision(&request, Some(&existing(state)));
        assert_eq!(decision, DeprovisionDecision::Start { as_recorded: true });
    }
}

#[test]
fn r102_another_plan_is_no_reason_to_keep_an_instance() {
    let query = "accepts_incomplete=true&service_id=cache-service&plan_id=kept-plan";
    let request = as_deprovision(&Ask::deprovision().query(query));
    let decision = decide_deprovision(&request, Some(&existing(InstanceState::Ready)));
    assert_eq!(decision, DeprovisionDecision::Start { as_recorded: false });
}

#[test]
fn r76_what_is_not_created_cannot_be_fetched() {
    let refused = |existing: Option<&Existing>| match decide_fetch(existing) {
        FetchDecision::Refused(response) => response.status().as_u16(),
        FetchDecision::Show => 200,
    };
    assert_eq!(refused(None), 404);
    assert_eq!(refused(Some(&existing(provisioning()))), 404);
    assert_eq!(refused(Some(&existing(InstanceState::ProvisionFailed))), 404);
    assert_eq!(refused(Some(&existing(InstanceState::Gone))), 404);
    assert_eq!(refused(Some(&existing(InstanceState::Ready))), 200);
    assert_eq!(refused(Some(&existing(InstanceState::Busy))), 200);
    assert_eq!(refused(Some(&existing(InstanceState::DeprovisionFailed))), 200);
}

#[test]
fn r77_what_is_changing_cannot_be_fetched_now() {
    for state in [updating(), deprovisioning()] {
        let FetchDecision::Refused(response) = decide_fetch(Some(&existing(state))) else { unreachable!() };
        assert_eq!((response.status().as_u16(), response.error_code()), (422, Some("ConcurrencyError")));
    }
}

/// A plan that is retired takes nothing new; what has it already has it.
#[test]
fn r49_a_retired_plan_takes_no_new_instance() {
    let mut catalog = catalog();
    catalog.services[0].plans[0].retired = true;
    let decide =
        |existing: Option<&Existing>| decide_provision(&catalog, &as_provision(&Ask::provision()), existing);
    for gone in [None, Some(existing(InstanceState::Gone))] {
        let ProvisionDecision::Conflict(refusal) = decide(gone.as_ref()) else { unreachable!() };
        assert_eq!((refusal.status().as_u16(), refusal.error_code()), (400, Some("UnknownServiceOrPlan")));
    }
    assert_eq!(decide(Some(&existing(InstanceState::Ready))), ProvisionDecision::AlreadyThere);
    let again = decide(Some(&existing(provisioning())));
    assert_eq!(again, ProvisionDecision::Repeat { operation: operation("op-1") });
}
