//! R21, R28–R34, R37–R46: the catalog.

use http::header::{CONTENT_TYPE, ETAG};
use osb_core::{
    Api, Catalog, CatalogQuery, DashboardClient, MaintenanceInfo, Operation, ParametersSchema, Plan,
    Response, Schemas, Service, ServiceInstanceSchema,
};
use serde_json::{Value, json};

use crate::support::{Ask, api, body, catalog, sent, shown};

fn answer(tags: Option<&str>) -> Response {
    let ask = Ask::new("GET", "/v2/catalog");
    let ask = tags.map_or(ask.clone(), |tags| ask.header("if-none-match", tags));
    let Operation::Catalog(query) = ask.call().operation else { unreachable!() };
    api().answer_catalog(&query)
}

/// What is wrong with the catalog of the tests once it has been changed.
fn problems(change: impl FnOnce(&mut Catalog)) -> Vec<String> {
    let mut changed = catalog();
    change(&mut changed);
    let problems = changed.validate();
    assert_eq!(Api::new(changed, Vec::new()).err().map_or_else(Vec::new, |invalid| invalid.0), problems);
    problems
}

fn service(change: impl FnOnce(&mut Service)) -> Vec<String> {
    problems(|catalog| change(&mut catalog.services[0]))
}

fn plan(change: impl FnOnce(&mut Plan)) -> Vec<String> {
    service(|service| change(&mut service.plans[0]))
}

/// R15, R28, R34: also without a single null.
#[test]
fn r28_the_catalog_as_it_is_sent() {
    insta::assert_json_snapshot!(shown(answer(None)));
}

#[test]
fn r28_a_full_catalog_as_it_is_sent() {
    let schema = ParametersSchema {
        parameters: json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}),
    };
    let instance = ServiceInstanceSchema { create: Some(schema.clone()), update: Some(schema) };
    let plan = Plan {
        free: false,
        plan_updateable: Some(false),
        maximum_polling_duration: Some(86_400),
        maintenance_info: Some(MaintenanceInfo {
            version: "1.0.0+a".to_owned(),
            description: Some("New.".to_owned()),
        }),
        metadata: json!({"bullets": ["fast"]}).as_object().unwrap().clone(),
        schemas: Some(Schemas { service_instance: instance }),
        ..Plan::new("full", "full-plan", "A full plan.")
    };
    let service = Service {
        tags: vec!["cdn".to_owned()],
        requires: vec!["route_forwarding".to_owned()],
        allow_context_updates: true,
        plan_updateable: true,
        metadata: json!({"displayName": "Full", "shareable": false}).as_object().unwrap().clone(),
        ..Service::new("full", "full-service", "A full service.", vec![plan])
    };
    let api = Api::new(Catalog { services: vec![service] }, Vec::new()).unwrap();
    let sent = body(api.answer_catalog(&CatalogQuery { if_none_match: None }));
    insta::assert_json_snapshot!(sent);
    let read: Catalog = serde_json::from_value(sent).unwrap();
    assert_eq!(&read, api.catalog());
}

#[test]
fn r21_a_catalog_the_platform_has_is_304() {
    let (_, headers, _) = sent(answer(None));
    let etag = headers[ETAG].to_str().unwrap().to_owned();
    for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let (status, headers, content) = sent(answer(Some(&tags)));
        assert_eq!(
            (status.as_u16(), headers[ETAG].to_str().unwrap(), content.len()),
            (304, etag.as_str(), 0),
            "{tags}"
        );
        assert!(!headers.contains_key(CONTENT_TYPE));
    }
    for tags in ["", "\"x\"", etag.trim_matches('"')] {
        assert_eq!(answer(Some(tags)).status(), 200, "{tags}");
    }
}

/// R30: two starts, one answer; another catalog, another tag.
#[test]
fn r21_r30_the_tag_is_that_of_the_content() {
    let tag = |catalog| {
        let api = Api::new(catalog, Vec::new()).unwrap();
        api.answer_catalog(&CatalogQuery { if_none_match: None }).headers()[ETAG].clone()
    };
    let mut other = catalog();
    other.services[0].description.push('!');
    assert_eq!(tag(catalog()), tag(catalog()));
    assert_ne!(tag(catalog()), tag(other));
}

#[test]
fn r28_a_good_catalog_has_no_problems() {
    assert_eq!(problems(|_| ()), Vec::<String>::new());
    assert_eq!(problems(|catalog| catalog.services.clear()).len(), 1);
}

#[test]
fn r29_services() {
    for broken in [
        service(|service| service.name.clear()),
        service(|service| service.id.clear()),
        service(|service| service.description.clear()),
        service(|service| service.plans.clear()),
        problems(|catalog| catalog.services[1].name = "cache".to_owned()),
        problems(|catalog| catalog.services[1].id = "cache-service".to_owned()),
    ] {
        assert_eq!(broken.len(), 1, "{broken:?}");
    }
}

#[test]
fn r31_plans() {
    for broken in [
        plan(|plan| plan.name.clear()),
        plan(|plan| plan.id.clear()),
        plan(|plan| plan.description.clear()),
        plan(|plan| plan.name = "kept".to_owned()),
        plan(|plan| plan.id = "kept-plan".to_owned()),
        plan(|plan| plan.id = "only-plan".to_owned()),
        plan(|plan| plan.id = "queue-service".to_owned()),
    ] {
        assert_eq!(broken.len(), 1, "{broken:?}");
    }
    assert!(problems(|catalog| catalog.services[1].plans[0].name = "small".to_owned()).is_empty());
}

#[test]
fn r32_r33_names_and_lengths() {
    for name in ["with space", "slash/", "ü", &"x".repeat(256)] {
        assert_eq!(service(|service| name.clone_into(&mut service.name)).len(), 1, "{name}");
    }
    assert!(service(|service| service.name = "Cdn-route.2".to_owned()).is_empty());
    assert_eq!(plan(|plan| plan.id = "a b".to_owned()).len(), 1);
    assert_eq!(plan(|plan| plan.description = "x".repeat(10_001)).len(), 1);
    assert!(plan(|plan| plan.description = "é".repeat(10_000)).is_empty());
    assert_eq!(service(|service| service.tags = vec!["x".repeat(2049)]).len(), 1);
}

#[test]
fn r34_r45_r46_what_a_service_may_say() {
    assert_eq!(service(|service| service.bindable = true).len(), 1);
    assert_eq!(service(|service| service.requires = vec!["root".to_owned()]).len(), 1);
    assert!(service(|service| service.requires = vec!["syslog_drain".to_owned()]).is_empty());
    let shareable =
        |value: Value| service(|service| drop(service.metadata.insert("shareable".to_owned(), value)));
    assert_eq!(shareable(json!("false")).len(), 1);
    assert!(shareable(json!(false)).is_empty());
}

#[test]
fn r39_r40_schemas() {
    let check = |parameters: Value| {
        let schema = Some(ParametersSchema { parameters });
        let schemas = Schemas { service_instance: ServiceInstanceSchema { create: None, update: schema } };
        plan(|plan| plan.schemas = Some(schemas)).len()
    };
    let draft = "http://json-schema.org/draft-04/schema#";
    assert_eq!(check(json!({"$schema": draft, "properties": {"a": {"$ref": "#/definitions/a"}}})), 0);
    assert_eq!(check(json!({"type": "object"})), 1);
    assert_eq!(check(json!({"$schema": draft, "anyOf": [{"$ref": "http://example.com/a"}]})), 1);
    assert_eq!(check(json!({"$schema": draft, "title": "x".repeat(65_536)})), 1);
}

#[test]
fn r42_r43_durations_and_versions() {
    assert_eq!(plan(|plan| plan.maximum_polling_duration = Some(0)).len(), 1);
    let version = |version: &str, description: Option<String>| {
        let info = MaintenanceInfo { version: version.to_owned(), description };
        plan(|plan| plan.maintenance_info = Some(info)).len()
    };
    for good in ["1.0.0", "0.0.1-alpha.1+build"] {
        assert_eq!(version(good, None), 0, "{good}");
    }
    for bad in ["", "1", "1.0", "v1.0.0", "01.0.0"] {
        assert_eq!(version(bad, None), 1, "{bad}");
    }
    assert_eq!(version("1.0.0", Some("x".repeat(2000))), 1);
}

#[test]
fn every_problem_is_reported_at_once_and_says_where() {
    let found = service(|service| {
        service.bindable = true;
        service.plans[0].id.clear();
        service.plans[1].description.clear();
    });
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[1].starts_with("service \"cache\", plan \"small\": its id"), "{found:?}");
}

/// A catalog may come from a file: a misspelt name is an error, not a silent nothing.
#[test]
fn a_misspelt_name_in_a_catalog_is_an_error() {
    let plan = json!({"id": "p", "name": "p", "description": "p"});
    let service = |more: &str| json!({"services": [{"id": "s", "name": "s", "description": "s", "bindable": false, "plans": [plan], more: true}]});
    assert!(serde_json::from_value::<Catalog>(service("plan_updatable")).is_err());
    let read: Catalog = serde_json::from_value(service("plan_updateable")).unwrap();
    assert!(read.services[0].plan_updateable && read.services[0].plans[0].free);
}

/// R47: Cloud Controller makes a client for each dashboard that is offered, which takes all three fields.
#[test]
fn r47_a_dashboard_client_is_whole_or_not_there() {
    let client = DashboardClient {
        id: "cdn-pages".to_owned(),
        secret: "hunter2".to_owned(),
        redirect_uri: "https://broker.example.gov/sso/callback".to_owned(),
    };
    assert!(!format!("{client:?}").contains("hunter2"));
    let offered = problems(|catalog| catalog.services[0].dashboard_client = Some(client.clone()));
    assert_eq!(offered, Vec::<String>::new());
    for lacking in [
        DashboardClient { id: String::new(), ..client.clone() },
        DashboardClient { secret: String::new(), ..client.clone() },
        DashboardClient { redirect_uri: "broker.example.gov".to_owned(), ..client },
    ] {
        let found = problems(|catalog| catalog.services[0].dashboard_client = Some(lacking.clone()));
        assert!(found.len() == 1 && found[0].contains("dashboard_client"), "{found:?}");
    }
    let plan = json!({"id": "p", "name": "p", "description": "p"});
    let service = json!({
        "id": "s", "name": "s", "description": "s", "bindable": false, "plans": [plan], "dashboard_client": {"id": "i"},
    });
    let refusal = serde_json::from_value::<Catalog>(json!({"services": [service]})).unwrap_err().to_string();
    assert!(refusal.contains("secret"), "{refusal}");
    assert!(!body(answer(None)).to_string().contains("dashboard_client"));
}

/// A plan that is retired is known, and nobody is told of it.
#[test]
fn a_retired_plan_is_not_in_the_catalog_as_it_is_sent() {
    let mut changed = catalog();
    changed.services[0].plans[0].retired = true;
    let api = Api::new(changed, Vec::new()).unwrap();
    let sent = body(api.answer_catalog(&CatalogQuery { if_none_match: None }));
    let plans = sent["services"][0]["plans"].as_array().unwrap();
    assert_eq!(plans.iter().map(|plan| &plan["name"]).collect::<Vec<_>>(), ["kept"]);
    assert!(plans[0].get("retired").is_none());
    assert!(api.catalog().plan("cache-service", "small-plan").is_some());
    assert_eq!(plan(|plan| plan.retired = true), Vec::<String>::new());
    let none_left = service(|service| service.plans.iter_mut().for_each(|plan| plan.retired = true));
    assert_eq!(none_left.len(), 1, "{none_left:?}");
}

/// R46: what marketplaces know has the form that they know.
#[test]
fn r46_metadata_has_the_form_that_marketplaces_show() {
    let object = |value: Value| value.as_object().unwrap().clone();
    let good = json!({
        "displayName": "D", "longDescription": "L", "providerDisplayName": "P", "imageUrl": "data:image/png;base64,x",
        "documentationUrl": "https://docs.example", "supportUrl": "http://help.example", "shareable": false, "other": 7,
    });
    assert_eq!(service(|service| service.metadata = object(good)), Vec::<String>::new());
    for (name, wrong) in [
        ("displayName", json!("")),
        ("longDescription", json!(7)),
        ("imageUrl", json!("logo.png")),
        ("documentationUrl", json!("docs.example")),
        ("supportUrl", json!(["https://help.example"])),
        ("shareable", json!("no")),
    ] {
        let found = service(|service| service.metadata = object(json!({name: wrong})));
        assert!(found.len() == 1 && found[0].contains(&format!("metadata.{name}")), "{found:?}");
    }
    let costs = json!([{"amount": {"usd": 9.5, "eur": 9}, "unit": "MONTHLY"}]);
    let good = json!({"displayName": "D", "bullets": ["one"], "costs": costs});
    assert_eq!(plan(|plan| plan.metadata = object(good)), Vec::<String>::new());
    for (name, wrong) in [
        ("bullets", json!("one")),
        ("bullets", json!([1])),
        ("costs", json!({"usd": 1})),
        ("costs", json!([{"amount": {}, "unit": "MONTHLY"}])),
        ("costs", json!([{"amount": {"usd": "1"}, "unit": "MONTHLY"}])),
        ("costs", json!([{"amount": {"usd": 1}}])),
    ] {
        let found = plan(|plan| plan.metadata = object(json!({name: wrong})));
        assert!(found.len() == 1 && found[0].contains(&format!("metadata.{name}")), "{found:?}");
    }
}
