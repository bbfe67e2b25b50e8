//! R7, R37, R81–R94: what becomes of an update.

use osb_core::{
    AskedChange, Catalog, Existing, InstanceState, OperationId, Response, UpdateDecision, decide_update,
};
use serde_json::{Map, Value, json};

use crate::support::{Ask, as_update, body, catalog};

fn operation(id: &str) -> OperationId {
    OperationId::parse(id).unwrap()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn existing(state: InstanceState) -> Existing {
    Existing {
        service_id: "cache-service".to_owned(),
        plan_id: "small-plan".to_owned(),
        organization_guid: "org-1".to_owned(),
        space_guid: "space-1".to_owned(),
        parameters: object(&json!({"a": 1})),
        state,
    }
}

fn ready() -> Existing {
    existing(InstanceState::Ready)
}

/// Being changed to plan `kept` with these parameters.
fn updating(parameters: &Value) -> Existing {
    let asked = AskedChange { plan_id: "kept-plan".to_owned(), parameters: object(parameters) };
    existing(InstanceState::Updating { operation: operation("op-2"), asked })
}

fn decide_in(catalog: &Catalog, ask: &Ask, existing: Option<&Existing>) -> UpdateDecision {
    decide_update(catalog, &as_update(ask), existing)
}

fn decide(ask: &Ask, existing: &Existing) -> UpdateDecision {
    decide_in(&updateable(None, true), ask, Some(existing))
}

fn refusal(decision: UpdateDecision) -> (u16, String) {
    match decision {
        UpdateDecision::Refused(response) => {
            (response.status().as_u16(), response.error_code().unwrap_or_default().to_owned())
        }
        other => unreachable!("{other:?}"),
    }
}

/// The catalog with `plan_updateable` as plan `small` and its service say it.
fn updateable(plan: Option<bool>, service: bool) -> Catalog {
    let mut catalog = catalog();
    catalog.services[0].plan_updateable = service;
    catalog.services[0].plans[0].plan_updateable = plan;
    catalog
}

fn change(plan: &str) -> UpdateDecision {
    UpdateDecision::Change { plan_id: plan.to_owned() }
}

#[test]
fn r81_service_id_is_required_and_must_be_the_instances() {
    for broken in [json!(""), json!(null), json!(7)] {
        assert_eq!(Ask::update().with("service_id", &broken).refused().0, 400, "{broken}");
    }
    assert_eq!(Ask::update().lacking("service_id").refused().0, 400);
    assert_eq!(Ask::update().with("service_id", &json!("none")).refused().0, 400);
    assert_eq!(Ask::update().with("plan_id", &json!("only-plan")).refused().0, 400);
    let of_another_service = Ask::update().with("service_id", &json!("queue-service"));
    assert_eq!(refusal(decide(&of_another_service, &ready())), (400, "InvalidRequest".to_owned()));
}

#[test]
fn r82_r83_what_is_absent_or_empty_or_as_it_is_changes_nothing() {
    for ask in [
        Ask::update(),
        Ask::update().with("parameters", &json!({})),
        Ask::update().with("parameters", &json!(null)),
        Ask::update().with("plan_id", &json!("small-plan")).with("parameters", &json!({})),
        Ask::update().with("context", &json!({"instance_name": "another"})),
        Ask::update().with("maintenance_info", &json!({})),
    ] {
        for catalog in [updateable(None, true), updateable(None, false), updateable(Some(false), true)] {
            assert_eq!(decide_in(&catalog, &ask, Some(&ready())), UpdateDecision::Nothing, "{ask:?}");
        }
    }
}

/// R84: an explicit `null` is a wish, and reaches the broker.
#[test]
fn r82_r84_a_parameter_is_a_change_and_leaves_the_plan() {
    for parameters in [json!({"a": 2}), json!({"a": null})] {
        let ask = Ask::update().with("parameters", &parameters);
        assert_eq!(decide_in(&catalog(), &ask, Some(&ready())), change("small-plan"));
        assert_eq!(as_update(&ask).parameters, object(&parameters));
    }
}

#[test]
fn r37_r89_the_plan_of_the_instance_says_whether_plans_can_be_changed() {
    let ask = Ask::update().with("plan_id", &json!("kept-plan"));
    for (plan, service) in [(Some(true), false), (Some(true), true), (None, true)] {
        assert_eq!(decide_in(&updateable(plan, service), &ask, Some(&ready())), change("kept-plan"));
    }
    for (plan, service) in [(Some(false), true), (Some(false), false), (None, false)] {
        let decision = decide_in(&updateable(plan, service), &ask, Some(&ready()));
        assert_eq!(refusal(decision), (422, "PlanChangeNotSupported".to_owned()));
    }
}

#[test]
fn r85_the_answers_are_200_and_202() {
    assert_eq!(Response::updated(None, None).status(), 200);
    assert_eq!(body(Response::updated(None, None)), json!({}));
    let accepted = Response::update_accepted(&operation("op-2"), None, None);
    assert_eq!(accepted.status(), 202);
    assert_eq!(body(accepted), json!({"operation": "op-2"}));
}

#[test]
fn r86_the_same_change_goes_on_with_the_same_operation() {
    let repeat = UpdateDecision::Repeat { operation: operation("op-2") };
    let asked = json!({"a": 1, "b": null});
    for ask in [
        Ask::update().with("plan_id", &json!("kept-plan")).with("parameters", &asked),
        Ask::update().with("plan_id", &json!("kept-plan")).with("parameters", &json!({"b": null, "a": 1.0})),
        // What says nothing about what is wanted is not compared.
        Ask::update()
            .with("plan_id", &json!("kept-plan"))
            .with("parameters", &asked)
            .with("context", &json!({"x": 1}))
            .with("maintenance_info", &json!({"version": "9.9.9"})),
    ] {
        assert_eq!(decide(&ask, &updating(&asked)), repeat, "{ask:?}");
    }
}

#[test]
fn r86_a_plan_that_is_not_named_is_the_present_one() {
    let asked = AskedChange { plan_id: "small-plan".to_owned(), parameters: object(&json!({"a": 2})) };
    let existing = existing(InstanceState::Updating { operation: operation("op-2"), asked });
    for ask in [Ask::update(), Ask::update().with("plan_id", &json!("small-plan"))] {
        let ask = ask.with("parameters", &json!({"a": 2}));
        assert_eq!(decide(&ask, &existing), UpdateDecision::Repeat { operation: operation("op-2") });
    }
}

#[test]
fn r87_anything_else_during_an_operation_is_a_conflict() {
    let running = updating(&json!({"a": 2}));
    let kept = || Ask::update().with("plan_id", &json!("kept-plan"));
    for ask in [
        Ask::update(),
        kept(),
        kept().with("parameters", &json!({"a": 3})),
        Ask::update().with("parameters", &json!({"a": 2})),
    ] {
        assert_eq!(refusal(decide(&ask, &running)), (422, "ConcurrencyError".to_owned()), "{ask:?}");
    }
    let provisioning = InstanceState::Provisioning { operation: operation("op-1") };
    let deprovisioning = InstanceState::Deprovisioning { operation: operation("op-3") };
    for state in [provisioning, deprovisioning] {
        let decision = decide(&Ask::update(), &existing(state));
        assert_eq!(refusal(decision), (422, "ConcurrencyError".to_owned()));
    }
}

#[test]
fn r87_what_the_broker_is_at_work_on_can_be_looked_at_and_not_changed() {
    let busy = existing(InstanceState::Busy);
    assert_eq!(decide(&Ask::update().with("parameters", &json!({})), &busy), UpdateDecision::Nothing);
    for ask in [
        Ask::update().with("parameters", &json!({"a": 1})),
        Ask::update().with("plan_id", &json!("kept-plan")),
    ] {
        assert_eq!(refusal(decide(&ask, &busy)), (422, "ConcurrencyError".to_owned()), "{ask:?}");
    }
}

#[test]
fn r88_asynchronous_is_asked_for_before_anything_is_compared() {
    for query in ["", "accepts_incomplete=false", "accepts_incomplete=TRUE"] {
        assert_eq!(Ask::update().query(query).refused(), (422, "AsyncRequired".to_owned()), "{query}");
    }
}

#[test]
fn r89_what_never_came_to_life_or_is_half_gone_cannot_be_changed() {
    for (state, advice) in
        [(InstanceState::ProvisionFailed, "Delete it"), (InstanceState::DeprovisionFailed, "Delete it again")]
    {
        let UpdateDecision::Refused(response) = decide(&Ask::update(), &existing(state)) else {
            unreachable!()
        };
        assert_eq!((response.status().as_u16(), response.error_code()), (422, Some("UpdateNotSupported")));
        assert!(response.description().unwrap().contains(advice), "{response:?}");
    }
}

#[test]
fn r90_an_unknown_instance_is_not_found() {
    for previous in [None, Some(&existing(InstanceState::Gone))] {
        let decision = decide_in(&catalog(), &Ask::update(), previous);
        assert_eq!(refusal(decision), (404, "NotFound".to_owned()));
    }
}

#[test]
fn r91_maintenance_info_must_be_that_of_the_plan_the_instance_is_to_have() {
    let with = |plan: &str, version: &str| {
        let info = json!({"version": version, "description": "ignored"});
        Ask::update().with("plan_id", &json!(plan)).with("maintenance_info", &info)
    };
    assert_eq!(decide(&with("kept-plan", "1.2.0"), &ready()), change("kept-plan"));
    for (plan, version) in [("kept-plan", "1.1.9"), ("kept-plan", ""), ("small-plan", "1.2.0")] {
        let decision = decide(&with(plan, version), &ready());
        assert_eq!(refusal(decision), (422, "MaintenanceInfoConflict".to_owned()), "{plan} {version}");
    }
    let mut kept = ready();
    "kept-plan".clone_into(&mut kept.plan_id);
    let unnamed = Ask::update().with("maintenance_info", &json!({"version": "1.2.0"}));
    assert_eq!(decide(&unnamed, &kept), UpdateDecision::Nothing);
}

/// R1: concurrency before plan before maintenance info.
#[test]
fn r1_the_first_thing_that_is_wrong_is_answered() {
    let ask = Ask::update()
        .with("plan_id", &json!("kept-plan"))
        .with("maintenance_info", &json!({"version": "9.9.9"}));
    let running = existing(InstanceState::Provisioning { operation: operation("op-1") });
    assert_eq!(refusal(decide_in(&catalog(), &ask, Some(&running))).1, "ConcurrencyError");
    assert_eq!(refusal(decide_in(&catalog(), &ask, Some(&ready()))).1, "PlanChangeNotSupported");
    assert_eq!(refusal(decide(&ask, &ready())).1, "MaintenanceInfoConflict");
}

/// R6, R7: it is what the platform believes, in whatever shape.
#[test]
fn r7_previous_values_are_not_looked_at() {
    for previous in [
        json!({}),
        json!(null),
        json!({"plan_id": "none", "service_id": "none", "maintenance_info": {}}),
        json!({"plan_id": "small-plan", "maintenance_info": null, "organization_id": "o", "space_id": "s"}),
        json!("nonsense"),
    ] {
        let ask = Ask::update().with("previous_values", &previous);
        assert_eq!(decide(&ask, &ready()), UpdateDecision::Nothing, "{previous}");
    }
}

/// R92, R93: nothing is null; a dashboard is named in the first answer or not at all.
#[test]
fn r92_r93_an_accepted_update_names_its_operation_and_nothing_that_is_absent() {
    let url = "https://broker.example/i-1";
    let accepted = Response::update_accepted(&operation("op-2"), Some(url), Some("On its way."));
    let expected = json!({"operation": "op-2", "dashboard_url": url, "description": "On its way."});
    assert_eq!(body(accepted), expected);
}

/// What has a plan that is retired can be changed to another plan, and nothing can be changed to one.
#[test]
fn r89_nothing_is_changed_to_a_retired_plan_and_what_has_one_can_be_changed() {
    let ask = Ask::update().with("plan_id", &json!("kept-plan"));
    let retiring = |plan: usize| {
        let mut catalog = updateable(None, true);
        catalog.services[0].plans[plan].retired = true;
        decide_in(&catalog, &ask, Some(&ready()))
    };
    assert_eq!(retiring(0), change("kept-plan"));
    assert_eq!(refusal(retiring(1)), (422, "PlanChangeNotSupported".to_owned()));
}
