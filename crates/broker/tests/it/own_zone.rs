//! Names under the managed zone are the service's own: nobody gets them but the canary, and it only those that it has made.

use std::sync::Arc;

use broker::{Ports, Service};
use contract::{Chore, ChoreStore as _, Timestamp};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, DOMAINS, ID, ask, headers, path, provision_body};

const CANARY: &str = "cdn-broker-canary";

/// A broker that asks a platform which knows no domain.
fn service(bench: &Bench) -> Service {
    bench.service_on(Ports { platform: Some(Arc::new(bench.world.platform.clone())), ..bench.ports() })
}

async fn put(bench: &Bench, organization: &str, domains: &str) -> Answer {
    let path = format!("{}?accepts_incomplete=true", path());
    let mut body = provision_body(&json!({ "domain": domains }));
    body["organization_guid"] = json!(organization);
    ask(&service(bench), Method::PUT, &path, &headers(), Some(body)).await
}

/// What a broker of this store has kept of the canary that it is making.
async fn making(bench: &Bench, instance: &str, stage: &str) {
    let home = json!({ "instance": instance, "name": "canary-27e230f438.cdn.example" });
    let run = json!({
        "kind": "settle", "home": home, "stage": stage, "since": Timestamp::default(), "tries": 0, "counted": true,
        "times": {}, "failed": Value::Null,
    });
    let found = json!({ "home": home, "run": run }).to_string();
    let chore = Chore { name: "canary".to_owned(), next_at: Timestamp::default(), found: found.clone() };
    bench.world.store.ensure(&chore).await.unwrap();
    bench.world.store.note("canary", &found).await.unwrap();
}

#[tokio::test]
async fn nobody_gets_a_name_under_the_managed_zone() {
    let bench = Bench::new();
    bench.world.platform.share_with_all("cdn.example");
    bench.world.platform.share_with_all("example.gov");
    for domains in ["cdn.example", "*.cdn.example", "a.b.cdn.example", "www.example.gov,a.cdn.example"] {
        for organization in ["org-1", CANARY] {
            let refused = put(&bench, organization, domains).await;
            assert_eq!(refused.status, 400, "{domains}: {refused:?}");
            let text = refused.text("description");
            assert!(text.contains("to this service itself") && !text.contains("www.example.gov"), "{text}");
        }
    }
    assert_eq!(bench.instance().await, None);
    bench.world.platform.share_with_all("xcdn.example");
    assert_eq!(put(&bench, "org-1", "xcdn.example").await.status, 202, "it ends alike and is not below it");
}

#[tokio::test]
async fn an_update_adds_none_either() {
    let bench = Bench::serving().await;
    let body = json!({
        "service_id": broker::SERVICE_ID, "plan_id": broker::PLAN_ID,
        "parameters": { "domain": format!("{},a.cdn.example", DOMAINS[0]) },
    });
    let path = format!("{}?accepts_incomplete=true", path());
    let refused = ask(&bench.service(), Method::PATCH, &path, &headers(), Some(body)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text("description").starts_with("a.cdn.example belongs to this service"), "{refused:?}");
}

#[tokio::test]
async fn the_canary_gets_the_names_that_it_is_making_without_the_platform_and_no_other() {
    let bench = Bench::new();
    let own = "canary-27e230f438.cdn.example,*.canary-27e230f438.cdn.example";
    for (instance, stage) in [("another", "provision"), (ID, "provisioned")] {
        making(&bench, instance, stage).await;
        let refused = put(&bench, CANARY, own).await;
        assert_eq!(refused.status, 400, "it is not asked for: {refused:?}");
    }
    making(&bench, ID, "provision").await;
    for (organization, domains) in [
        ("org-1", own),
        (CANARY, "canary-0000000000.cdn.example"),
        (CANARY, "canary-27e230f438.cdn.example,www.example.gov"),
        (CANARY, "a.canary-27e230f438.cdn.example"),
        (CANARY, "www.example.gov"),
    ] {
        let refused = put(&bench, organization, domains).await;
        assert_eq!(refused.status, 400, "{organization} {domains}: {refused:?}");
    }
    assert_eq!(bench.instance().await, None);
    let accepted = put(&bench, CANARY, own).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
}
