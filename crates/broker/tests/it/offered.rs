//! What the catalog says, and whether it is so.

use std::collections::BTreeSet;

use contract::OperationState;
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Bench, DOMAINS, path, provision_body};

async fn service(bench: &Bench) -> Value {
    bench.call(Method::GET, "/v2/catalog", None).await.body["services"][0].clone()
}

/// R34, R44, R47: no bindings, no maintenance info that would refuse every create until the platform has read the catalog
/// again, no dashboard client.
#[tokio::test]
async fn r34_r44_r47_the_catalog_claims_nothing_that_is_not_there() {
    let bench = Bench::new();
    let service = service(&bench).await;
    assert_eq!((&service["bindable"], service.get("dashboard_client")), (&json!(false), None));
    let plans = service["plans"].as_array().unwrap();
    assert_eq!(plans.len(), 2);
    assert!(plans.iter().all(|plan| plan.get("maintenance_info").is_none()), "{plans:?}");
    let bind = format!("{}/service_bindings/b", path());
    let bound = bench.call(Method::PUT, &bind, Some(provision_body(&json!({})))).await;
    assert_eq!((bound.status.as_u16(), bound.text("error")), (400, "BindingNotSupported"));
}

/// R36: with every plan, at the very moment at which the last operation has succeeded.
#[tokio::test]
async fn r36_what_is_retrievable_is_there_as_soon_as_it_has_succeeded() {
    let bench = Bench::new();
    let service = service(&bench).await;
    assert_eq!(service["instances_retrievable"], json!(true));
    for plan in service["plans"].as_array().unwrap() {
        let bench = Bench::new();
        bench.prove_all();
        let mut body = provision_body(&json!({"domain": DOMAINS[0]}));
        body["plan_id"] = plan["id"].clone();
        bench.call(Method::PUT, &format!("{}?accepts_incomplete=true", path()), Some(body)).await;
        bench.work_until(async |bench| bench.poll().await.text("state") == "succeeded").await;
        let shown = bench.call(Method::GET, &path(), None).await;
        assert_eq!((shown.status.as_u16(), &shown.body["plan_id"]), (200, &plan["id"]));
    }
}

/// R37: plans can be changed where there are two, and the catalog says so.
#[tokio::test]
async fn r37_plans_are_updateable_where_there_is_another_one() {
    for two in [false, true] {
        let catalog = serde_json::to_value(broker::Offering::built_in(two).catalog.offered()).unwrap();
        assert_eq!(catalog["services"][0]["plan_updateable"], json!(two));
        assert_eq!(catalog["services"][0]["plans"].as_array().unwrap().len(), 1 + usize::from(two));
    }
}

/// R38: the platform is not told to send updates of the context alone, and one that comes anyway is welcome and changes
/// nothing.
#[tokio::test]
async fn r38_an_update_of_the_context_alone_changes_nothing() {
    let bench = Bench::serving().await;
    assert_eq!(service(&bench).await["allow_context_updates"], json!(false));
    let before = (bench.instance().await, bench.world.cdn.journal());
    let context = json!({"platform": "cloudfoundry", "instance_name": "renamed"});
    let answer = bench.patch(json!({"service_id": broker::SERVICE_ID, "context": context})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!((bench.instance().await, bench.world.cdn.journal()), before);
}

/// R110: what the platform tells about itself is kept, and the newest of it with each change.
#[tokio::test]
async fn r110_the_context_is_kept_and_follows_the_updates() {
    let bench = Bench::serving().await;
    let context = async || bench.instance().await.unwrap().request.context;
    assert!(context().await.contains("my-cdn"));
    let renamed = json!({"platform": "cloudfoundry", "instance_name": "renamed"});
    let body = json!({"service_id": broker::SERVICE_ID, "context": renamed, "parameters": {"path": "/p"}});
    assert_eq!(bench.patch(body).await.status, 202);
    assert!(context().await.contains("my-cdn"), "not before it is done");
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(serde_json::from_str::<Value>(&context().await).unwrap(), renamed);
}

/// R79: what is shown is what can be asked for, and nothing that is only the broker's or the operator's.
#[tokio::test]
async fn r79_an_instance_shows_its_parameters_and_nothing_else() {
    let bench = Bench::serving().await;
    let shown = bench.call(Method::GET, &path(), None).await;
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let expected = BTreeSet::from(["parameters", "plan_id", "service_id"].map(str::to_owned));
    assert_eq!(names(&shown.body).into_iter().collect::<BTreeSet<_>>(), expected);
    let service = service(&bench).await;
    let asked = &service["plans"][0]["schemas"]["service_instance"]["update"]["parameters"]["properties"];
    assert!(names(&shown.body["parameters"]).iter().all(|name| asked.get(name).is_some()), "{shown:?}");
    let instance = bench.instance().await.unwrap();
    let text = shown.body.to_string();
    for secret in [instance.distribution.unwrap().as_str(), instance.reference.as_str(), "org-1", "my-cdn"] {
        assert!(!text.contains(secret), "{secret} is shown: {text}");
    }
}
