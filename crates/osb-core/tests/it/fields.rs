//! R6, R7, R16, R20, R48–R50, R81–R83, R88, R95, R96: bodies and queries.

use serde_json::{Value, json};

use crate::support::{Ask, as_deprovision, as_provision, as_update};

#[test]
fn r6_unknown_fields_are_ignored() {
    let body = json!({
        "service_id": "cache-service", "plan_id": "small-plan", "organization_guid": "o", "space_guid": "s",
        "x-vendor": [1, {"a": null}], "context": {"platform": "cloudfoundry", "new": 1},
        "maintenance_info": {"new": true}, "previous_values": {"new": 1, "plan_id": 7},
    });
    let provision = as_provision(&Ask::provision().json(&body));
    assert_eq!(provision.context["new"], 1);
    assert_eq!(provision.maintenance_info_version, None);
    let update = as_update(&Ask::update().json(&body));
    assert_eq!(update.context["platform"], "cloudfoundry");
    let query = "service_id=queue-service&plan_id=only-plan&accepts_incomplete=true&%zz=1&new&=&&x=%ff";
    assert_eq!(as_deprovision(&Ask::deprovision().query(query)).plan_id, "only-plan");
}

/// What go-checker and Cloud Controller send.
#[test]
fn r7_null_and_empty_objects_are_absent() {
    for nothing in [json!({}), Value::Null] {
        let fill = |ask: Ask| {
            ask.with("maintenance_info", &nothing)
                .with("parameters", &nothing)
                .with("context", &nothing)
                .with("previous_values", &json!({"maintenance_info": nothing.clone()}))
        };
        let provision = as_provision(&fill(Ask::provision()));
        assert!(provision.parameters.is_empty() && provision.context.is_empty());
        assert_eq!(provision.maintenance_info_version, None);
        let update = as_update(&fill(Ask::update()));
        assert!(update.parameters.is_empty() && update.context.is_empty());
        assert_eq!(update.maintenance_info_version, None);
    }
    let ask = Ask::provision().with("maintenance_info", &json!({"version": null}));
    assert_eq!(as_provision(&ask).maintenance_info_version, None);
}

#[test]
fn r16_what_is_not_a_json_object_is_400() {
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\"x\"",
        b"{} {}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":1e999}",
        deep.as_bytes(),
    ];
    for ask in [Ask::provision(), Ask::update()] {
        for body in bodies {
            assert_eq!(
                ask.clone().body(body).refused(),
                (400, "InvalidRequest".to_owned()),
                "{:?}",
                body.first()
            );
        }
    }
}

#[test]
fn r16_optional_fields_of_a_wrong_type_are_400() {
    for ask in [Ask::provision(), Ask::update()] {
        for field in ["parameters", "context", "maintenance_info"] {
            for wrong in [json!("x"), json!([]), json!(1), json!(true)] {
                let response = ask.clone().with(field, &wrong).refusal();
                assert_eq!(response.status(), 400, "{field} {wrong}");
                assert!(response.description().unwrap().contains(field));
            }
        }
        let ask = ask.with("maintenance_info", &json!({"version": 1}));
        assert_eq!(ask.refused(), (400, "InvalidRequest".to_owned()));
    }
}

#[test]
fn r48_required_fields_of_a_provision() {
    for field in ["service_id", "plan_id", "organization_guid", "space_guid"] {
        let mut wrong = vec![Ask::provision().lacking(field)];
        wrong.extend(
            [json!(""), Value::Null, json!(1), json!([]), json!({}), json!(true)]
                .map(|value| Ask::provision().with(field, &value)),
        );
        for ask in wrong {
            let response = ask.refusal();
            assert_eq!(response.status(), 400, "{ask:?}");
            assert!(response.description().unwrap().contains(field), "{ask:?}");
        }
        assert_eq!(Ask::provision().lacking(field).refused().1, "MissingField");
    }
}

/// R4: what a database might refuse later is refused now.
#[test]
fn r48_texts_that_cannot_be_stored_are_400() {
    for field in ["organization_guid", "space_guid"] {
        for wrong in ["a\0b".to_owned(), "a\nb".to_owned(), "x".repeat(256)] {
            let ask = Ask::provision().with(field, &json!(wrong));
            assert_eq!(ask.refused(), (400, "InvalidRequest".to_owned()), "{field}");
        }
        assert!(Ask::provision().with(field, &json!("x".repeat(255))).read().is_ok());
    }
}

#[test]
fn r49_ids_that_are_not_in_the_catalog_are_400() {
    let refused = (400, "UnknownServiceOrPlan".to_owned());
    for (service, plan) in [("none", "small-plan"), ("cache-service", "none"), ("cache-service", "only-plan")]
    {
        let (service_id, plan_id) = (json!(service), json!(plan));
        for ask in [Ask::provision(), Ask::update()] {
            let ask = ask.with("service_id", &service_id).with("plan_id", &plan_id);
            assert_eq!(ask.refused(), refused, "{service} {plan}");
        }
        let query = format!("service_id={service}&plan_id={plan}&accepts_incomplete=true");
        assert_eq!(Ask::deprovision().query(&query).refused(), refused, "{service} {plan}");
    }
}

/// R50, R88, R96: the same for all three, before anything is known of the instance.
#[test]
fn r50_r88_r96_only_the_literal_true_counts() {
    let hints = "&service_id=cache-service&plan_id=small-plan";
    for ask in [Ask::provision(), Ask::update(), Ask::deprovision()] {
        for value in ["false", "TRUE", "True", "1", "yes", "", "true%20", "+true", "%22true%22"] {
            let ask = ask.clone().query(&format!("accepts_incomplete={value}{hints}"));
            assert_eq!(ask.refused(), (422, "AsyncRequired".to_owned()), "{value:?}");
        }
        for query in
            [hints, &format!("accepts_incomplete{hints}"), &format!("Accepts_Incomplete=true{hints}")]
        {
            assert_eq!(ask.clone().query(query).refused(), (422, "AsyncRequired".to_owned()), "{query}");
        }
        for query in ["accepts_incomplete=true", "accepts%5Fincomplete=%74rue"] {
            assert!(ask.clone().query(&format!("{query}{hints}")).read().is_ok(), "{query}");
        }
    }
    let ask = Ask { query: None, ..Ask::provision() };
    assert_eq!(ask.refused(), (422, "AsyncRequired".to_owned()));
}

#[test]
fn r20_ambiguous_and_broken_query_values_are_400() {
    let hints = "&service_id=cache-service&plan_id=small-plan";
    for ask in [Ask::provision(), Ask::update(), Ask::deprovision()] {
        for query in [
            "accepts_incomplete=true&accepts_incomplete=false",
            "accepts_incomplete=%zz",
            "accepts_incomplete=%ff",
        ] {
            let ask = ask.clone().query(&format!("{query}{hints}"));
            assert_eq!(ask.refused(), (400, "InvalidRequest".to_owned()), "{query}");
        }
    }
}

#[test]
fn r112_a_provision_keeps_all_that_was_sent() {
    let text = r#"{ "service_id":"cache-service", "plan_id":"kept-plan","organization_guid":"o","space_guid":"s",
        "parameters":{"b":1.0,"a":[null]},"context":{"instance_name":"mine"},"maintenance_info":{"version":"1.2.0"}, "x":"\u0000" }"#;
    let provision = as_provision(&Ask::provision().body(text.as_bytes()));
    assert_eq!(provision.body, text);
    assert_eq!(provision.instance_id, "i-1");
    assert_eq!((provision.service_id.as_str(), provision.plan_id.as_str()), ("cache-service", "kept-plan"));
    assert_eq!((provision.organization_guid.as_str(), provision.space_guid.as_str()), ("o", "s"));
    assert_eq!(Value::Object(provision.parameters), json!({"a": [null], "b": 1.0}));
    assert_eq!(Value::Object(provision.context), json!({"instance_name": "mine"}));
    assert_eq!(provision.maintenance_info_version.as_deref(), Some("1.2.0"));
}

#[test]
fn r81_required_fields_of_an_update() {
    for wrong in [Ask::update().lacking("service_id"), Ask::update().with("service_id", &json!(""))] {
        assert_eq!(wrong.refused(), (400, "MissingField".to_owned()));
    }
    assert_eq!(
        Ask::update().with("service_id", &json!("none")).refused(),
        (400, "UnknownServiceOrPlan".to_owned())
    );
    assert_eq!(Ask::update().with("plan_id", &json!("")).refused(), (400, "MissingField".to_owned()));
    assert_eq!(Ask::update().with("plan_id", &json!(3)).refused(), (400, "InvalidRequest".to_owned()));
}

/// R38: an update with nothing but a context is one, too.
#[test]
fn r82_r83_what_an_update_leaves_out_does_not_change() {
    let update = as_update(&Ask::update());
    assert_eq!(update.plan_id, None);
    assert!(update.parameters.is_empty());
    assert_eq!(as_update(&Ask::update().with("plan_id", &Value::Null)).plan_id, None);
    assert_eq!(
        as_update(&Ask::update().with("plan_id", &json!("kept-plan"))).plan_id.as_deref(),
        Some("kept-plan")
    );
    let update = as_update(&Ask::update().with("context", &json!({"instance_name": "renamed"})));
    assert_eq!(Value::Object(update.context), json!({"instance_name": "renamed"}));
}

#[test]
fn r112_an_update_keeps_all_that_was_sent() {
    let text = r#"{ "service_id": "cache-service", "parameters": {"a": 1.0}, "x": 1 }"#;
    let update = as_update(&Ask::update().body(text.as_bytes()));
    assert_eq!(update.body, text);
    assert_eq!(Value::Object(update.parameters), json!({"a": 1.0}));
}

/// R84: an explicit `null` is for the broker to read.
#[test]
fn r84_a_null_inside_parameters_is_kept() {
    let update = as_update(&Ask::update().with("parameters", &json!({"path": null})));
    assert_eq!(Value::Object(update.parameters), json!({"path": null}));
}

#[test]
fn r95_required_parameters_of_a_deprovision() {
    let missing = [
        "accepts_incomplete=true&plan_id=small-plan",
        "accepts_incomplete=true&service_id=cache-service",
        "accepts_incomplete=true&service_id=&plan_id=small-plan",
        "accepts_incomplete=true&service_id=cache-service&plan_id",
    ];
    for query in missing {
        assert_eq!(Ask::deprovision().query(query).refused(), (400, "MissingField".to_owned()), "{query}");
    }
    let deprovision = as_deprovision(&Ask::deprovision());
    assert_eq!(
        (deprovision.service_id.as_str(), deprovision.plan_id.as_str()),
        ("cache-service", "small-plan")
    );
}

/// R116: the clean-up after a failed creation comes without an identity, and some clients send a body.
#[test]
fn r116_a_deprovision_without_identity_and_with_a_body() {
    let ask = Ask::deprovision().body(b"{not json");
    assert_eq!(ask.call().identity, None);
    assert_eq!(as_deprovision(&ask).instance_id, "i-1");
}

/// R111: Kubernetes speaks of namespaces and clusters; organization and space are required all the same.
#[test]
fn r111_the_context_of_kubernetes_is_taken() {
    let context =
        json!({"platform": "kubernetes", "namespace": "default", "clusterid": "c-1", "instance_name": "cdn"});
    let ask = Ask::provision().with("context", &context);
    assert_eq!(Value::Object(as_provision(&ask).context), context);
    let update = Ask::update().with("context", &context);
    assert_eq!(Value::Object(as_update(&update).context), context);
    for field in ["organization_guid", "space_guid"] {
        assert_eq!(ask.clone().lacking(field).refused(), (400, "MissingField".to_owned()), "{field}");
    }
}
