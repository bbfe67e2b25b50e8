//! What the plans of a catalog file allow, and what becomes of instances whose plan is not offered any more.

use broker::Offering;
use contract::OperationState;
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, DOMAINS, path, provision_body};

const SERVICE: &str = broker::SERVICE_ID;

/// A service with these plans.
fn offering(plans: &Value) -> Offering {
    let service = json!({"id": SERVICE, "name": "cdn", "description": "A CDN.", "plans": plans});
    Offering::from_json(&json!({"services": [service]}).to_string()).unwrap()
}

/// Plans `small` and `large`; the limits are those of `small`.
fn limited(limits: &Value) -> Bench {
    let plans = json!([
        {"id": "small-plan", "name": "small", "description": "Small.", "limits": limits},
        {"id": "large-plan", "name": "large", "description": "Large."},
    ]);
    Bench { offering: offering(&plans), ..Bench::new() }
}

async fn provision(bench: &Bench, plan: &str, parameters: &Value) -> Answer {
    let mut body = provision_body(parameters);
    body["plan_id"] = json!(plan);
    bench.call(Method::PUT, &format!("{}?accepts_incomplete=true", path()), Some(body)).await
}

async fn served(bench: &Bench, plan: &str, parameters: &Value) {
    bench.prove_all();
    assert_eq!(provision(bench, plan, parameters).await.status, 202);
    until_done(bench).await;
}

async fn until_done(bench: &Bench) {
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
}

async fn change(bench: &Bench, plan: Option<&str>, parameters: Value) -> Answer {
    let mut body = json!({"service_id": SERVICE, "parameters": parameters});
    if let Some(plan) = plan {
        body["plan_id"] = json!(plan);
    }
    bench.patch(body).await
}

async fn delete(bench: &Bench, plan: &str) {
    let path = format!("{}?accepts_incomplete=true&service_id={SERVICE}&plan_id={plan}", path());
    assert_eq!(bench.call(Method::DELETE, &path, None).await.status, 202);
    until_done(bench).await;
    assert!(bench.world.cdn.alive().is_empty());
}

#[track_caller]
fn refused(answer: &Answer, told: &str) {
    let (status, error) = (answer.status.as_u16(), answer.text("error"));
    assert_eq!((status, error), (400, "InvalidParameters"), "{answer:?}");
    assert!(answer.text("description").contains(told), "{answer:?}");
}

#[tokio::test]
async fn a_new_instance_keeps_within_the_limits_of_its_plan() {
    let limits = json!({
        "domains": 2, "wildcards": false, "price_class": "PriceClass_200", "without": ["headers", "hsts"],
    });
    let bench = limited(&limits);
    for (parameters, told) in [
        (json!({"domain": "a.gov,b.gov,c.gov"}), "at most 2"),
        (json!({"domains": ["a.gov", "b.gov", "c.gov"]}), "at most 2"),
        (json!({"domain": "*.example.gov"}), "`*.example.gov`"),
        (json!({"domain": "a.gov", "price_class": "PriceClass_All"}), "`PriceClass_200`"),
        (json!({"domain": "a.gov", "hsts": true}), "`hsts`"),
        (json!({"domain": "a.gov", "headers": ["X-A"]}), "`headers`"),
        (json!({"domain": "a.gov", "forward_headers": "X-A"}), "`forward_headers`"),
    ] {
        let answer = provision(&bench, "small-plan", &parameters).await;
        refused(&answer, told);
        assert!(answer.text("description").contains("`small`"), "{answer:?}");
        assert!(bench.instance().await.is_none());
    }
    let fits = json!({"domain": DOMAINS.join(","), "price_class": "PriceClass_200", "hsts": null});
    served(&bench, "small-plan", &fits).await;
}

#[tokio::test]
async fn an_update_keeps_within_the_limits_and_a_change_of_plan_with_everything() {
    let bench = limited(&json!({"domains": 1, "without": ["hsts"]}));
    served(&bench, "large-plan", &json!({"domain": DOMAINS.join(","), "hsts": true})).await;
    refused(&change(&bench, Some("small-plan"), json!({})).await, "`hsts`");
    refused(&change(&bench, Some("small-plan"), json!({"hsts": null})).await, "at most 1");
    let fitting = json!({"hsts": null, "domain": DOMAINS[0]});
    assert_eq!(change(&bench, Some("small-plan"), fitting).await.status, 202);
    until_done(&bench).await;
    refused(&change(&bench, None, json!({"domain": DOMAINS.join(",")})).await, "at most 1");
    refused(&change(&bench, None, json!({"hsts": true})).await, "`hsts`");
}

/// Who has more than a plan allows by now keeps it, and may change something else.
#[tokio::test]
async fn what_was_there_before_a_plan_was_narrowed_stays() {
    let bench = limited(&json!({}));
    served(&bench, "small-plan", &json!({"domain": DOMAINS.join(","), "compress": true})).await;
    let narrow = limited(&json!({"domains": 1, "without": ["compress"]}));
    let bench = Bench { offering: narrow.offering, ..bench };
    assert_eq!(change(&bench, None, json!({"path": "/p"})).await.status, 202);
    until_done(&bench).await;
    assert_eq!(bench.instance().await.map(|instance| instance.settings.domains.len()), Some(2));
    assert_eq!(change(&bench, None, json!({"compress": null})).await.status, 202);
}

/// What the plan of a web ACL has made outlives the setting: it can be looked at, left and deleted, not made anew.
#[tokio::test]
async fn instances_of_a_retired_plan_can_be_looked_at_left_and_deleted() {
    for leaves in [false, true] {
        let bench = Bench::new();
        served(&bench, broker::WAF_PLAN_ID, &json!({"domain": DOMAINS[0]})).await;
        let bench = Bench { offering: Offering::built_in(false), ..bench };
        let catalog = bench.call(Method::GET, "/v2/catalog", None).await;
        assert_eq!(catalog.body["services"][0]["plans"].as_array().map(Vec::len), Some(1));
        let shown = bench.call(Method::GET, &path(), None).await;
        assert_eq!((shown.status.as_u16(), shown.text("plan_id")), (200, broker::WAF_PLAN_ID));
        assert_eq!(change(&bench, None, json!({"path": "/p"})).await.status, 202);
        until_done(&bench).await;
        let mut plan = broker::WAF_PLAN_ID;
        if leaves {
            plan = broker::PLAN_ID;
            assert_eq!(change(&bench, Some(plan), json!({})).await.status, 202);
            until_done(&bench).await;
            let back = change(&bench, Some(broker::WAF_PLAN_ID), json!({})).await;
            assert_eq!((back.status.as_u16(), back.text("error")), (422, "PlanChangeNotSupported"));
        }
        delete(&bench, plan).await;
        let again = provision(&bench, broker::WAF_PLAN_ID, &json!({"domain": DOMAINS[0]})).await;
        assert_eq!((again.status.as_u16(), again.text("error")), (400, "UnknownServiceOrPlan"));
    }
}

#[tokio::test]
async fn a_plan_of_the_file_has_the_web_acl_that_it_says() {
    let plans = json!([{"id": "p", "name": "guarded", "description": "Guarded.", "web_acl": true}]);
    let bench = Bench { offering: offering(&plans), ..Bench::new() };
    served(&bench, "p", &json!({"domain": DOMAINS[0]})).await;
    let id = bench.world.cdn.alive()[0].id.clone();
    assert!(bench.world.cdn.spec(&id).unwrap().web_acl);
}

/// The operator has removed the plan from the file instead of retiring it. No platform can mend that.
#[tokio::test]
async fn whoever_has_a_plan_that_the_catalog_lacks_is_told_whom_to_ask() {
    let mut bench = limited(&json!({}));
    served(&bench, "small-plan", &json!({"domain": DOMAINS[0]})).await;
    let large = json!([{"id": "large-plan", "name": "large", "description": "Large."}]);
    bench.offering = offering(&large);
    let query = format!("accepts_incomplete=true&service_id={SERVICE}&plan_id=small-plan");
    let deleted = bench.call(Method::DELETE, &format!("{}?{query}", path()), None).await;
    let changed = change(&bench, Some("small-plan"), json!({"default_ttl": 60})).await;
    let repeated = provision(&bench, "small-plan", &json!({"domain": DOMAINS[0]})).await;
    for answer in [deleted, changed, repeated] {
        let told = (answer.status.as_u16(), answer.text("error"));
        assert_eq!(told, (400, "UnknownServiceOrPlan"), "{answer:?}");
        let text = answer.text("description");
        assert!(text.contains("Ask the operators") && !text.contains("Update the service broker"), "{text}");
    }
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded), "nothing was begun");

    // Whoever has no instance, or one whose plan is there, hears that the platform is behind.
    let other = format!("/v2/service_instances/another?{query}");
    let unknown = bench.call(Method::DELETE, &other, None).await;
    assert!(unknown.text("description").contains("Update the service broker in the platform"), "{unknown:?}");
    bench.offering = offering(
        &json!([{"id": "small-plan", "name": "small", "description": "Small.", "retired": true}, large[0]]),
    );
    let unknown = change(&bench, Some("no-plan"), json!({})).await;
    assert!(unknown.text("description").contains("Update the service broker in the platform"), "{unknown:?}");
    delete(&bench, "small-plan").await;
}
