use super::*;

/// The example of the documentation.
const EXAMPLE: &str = include_str!("../../../../docs/catalog-example.json");

fn example() -> Value {
    serde_json::from_str(EXAMPLE).expect("JSON")
}

/// What is wrong with the example once it has been changed.
fn mistakes(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut value = example();
    change(&mut value);
    Offering::from_json(&value.to_string()).err().unwrap_or_default()
}

#[test]
fn the_catalog_is_one_that_platforms_take() {
    for waf in [false, true] {
        let offering = Offering::built_in(waf);
        assert_eq!(offering.catalog.validate(), Vec::<String>::new());
        let plans = offering.catalog.services.iter().flat_map(|service| &service.plans);
        assert_eq!(plans.flat_map(meta_schema::problems).collect::<Vec<_>>(), Vec::<String>::new());
        assert_eq!(offering.guarded().len(), usize::from(waf));
    }
}

#[test]
fn the_example_is_read() {
    let offering = Offering::from_json(EXAMPLE).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let service = &offering.catalog.services[0];
    let names: Vec<&str> = service.plans.iter().map(|plan| plan.name.as_str()).collect();
    assert_eq!((names, offering.guarded()), (vec!["small", "global", "cdn-route"], vec!["global"]));
    assert!(service.plan_updateable && service.plans[2].retired);
    assert_eq!(service.plans[2].plan_updateable, Some(true), "what is retired can be left");
    let shown = serde_json::to_value(offering.catalog.offered()).expect("JSON");
    let small = &shown["services"][0]["plans"][0];
    assert_eq!(small["metadata"]["costs"][0]["unit"], json!("MONTHLY"));
    assert!(
        small.get("limits").is_none() && small.get("web_acl").is_none() && small.get("retired").is_none()
    );
    let parameters = &small["schemas"]["service_instance"]["create"]["parameters"]["properties"];
    assert_eq!(parameters["domains"]["maxItems"], json!(3));
    assert_eq!(parameters["price_class"]["enum"], json!(["PriceClass_100", null]));
    assert!(parameters.get("headers").is_none() && parameters.get("forward_headers").is_none());
}

#[test]
fn an_empty_file_and_one_that_is_no_catalog_are_refused() {
    for (text, told) in [("", "not JSON"), ("[]", "not an object"), ("{}", "services is not a list")] {
        let found = Offering::from_json(text).expect_err("mistakes");
        assert!(found[0].contains(told), "{text}: {found:?}");
    }
    assert!(!mistakes(|file| file["services"] = json!([])).is_empty());
}

#[test]
fn each_mistake_is_said_to_be_where_it_is() {
    for (path, wrong, told) in [
        ("/services/0", json!(7), "services[0] is not an object"),
        ("/services/0/name", json!("cdn route"), "its name is not 1 to 255"),
        ("/services/0/id", json!(7), "services[0].id is not a text"),
        ("/services/0/tags", json!("cdn"), "services[0].tags is not a list of texts"),
        ("/services/0/metadata", json!([]), "services[0].metadata is not an object"),
        ("/services/0/metadata/documentationUrl", json!("docs"), "metadata.documentationUrl"),
        ("/services/0/plans", json!({}), "services[0].plans is not a list"),
        ("/services/0/plans/0/id", json!("has space"), "its id is not"),
        ("/services/0/plans/0/name", json!("global"), "the plan name \"global\" is there more than once"),
        ("/services/0/plans/0/free", json!("no"), "plans[0].free is not true or false"),
        ("/services/0/plans/0/retired", json!(1), "plans[0].retired is not true or false"),
        ("/services/0/plans/0/metadata/costs", json!([{}]), "metadata.costs"),
        (
            "/services/0/plans/0/maximum_polling_duration",
            json!(1.5),
            "maximum_polling_duration is not a whole",
        ),
        ("/services/0/plans/0/maintenance_info", json!({"version": "1"}), "Semantic Version"),
        ("/services/0/plans/0/limits", json!([]), "limits is not an object"),
        (
            "/services/0/plans/0/limits/domains",
            json!(0),
            "limits.domains is not a whole number from 1 to 100",
        ),
        ("/services/0/plans/0/limits/domains", json!(101), "limits.domains"),
        ("/services/0/plans/0/limits/price_class", json!("PriceClass_1"), "PriceClass_100, PriceClass_200"),
        ("/services/0/plans/0/limits/without", json!(["domain"]), "limits.without has \"domain\""),
        ("/services/0/plans/0/limits/without", json!(["colour"]), "limits.without has \"colour\""),
    ] {
        let found = mistakes(|file| {
            let parent =
                path.rsplit_once('/').and_then(|(parent, name)| Some((file.pointer_mut(parent)?, name)));
            match parent {
                Some((Value::Array(list), index)) => list[index.parse::<usize>().expect("an index")] = wrong,
                Some((parent, name)) => parent[name] = wrong,
                None => unreachable!("{path}"),
            }
        });
        assert!(found.iter().any(|mistake| mistake.contains(told)), "{path}: {found:#?}");
    }
}

#[test]
fn all_mistakes_are_reported_at_once_and_unknown_fields_are_some() {
    let found = mistakes(|file| {
        file["version"] = json!(1);
        file["services"][0]["bindable"] = json!(true);
        file["services"][0]["plans"][0]["limits"]["domain"] = json!(3);
        file["services"][0]["plans"][1]["id"] = file["services"][0]["id"].clone();
        file["services"][0]["plans"][1]["description"] = json!("");
    });
    assert_eq!(found.len(), 5, "{found:#?}");
    for told in ["\"version\"", "\"bindable\"", "\"domain\"", "more than once", "description"] {
        assert!(found.iter().any(|mistake| mistake.contains(told)), "{told}: {found:#?}");
    }
}

/// Also when everything is retired: then nothing could be created any more.
#[test]
fn a_service_offers_at_least_one_plan() {
    let found = mistakes(|file| {
        for plan in file["services"][0]["plans"].as_array_mut().expect("a list") {
            plan["retired"] = json!(true);
        }
    });
    assert_eq!(found.len(), 1, "{found:?}");
}
