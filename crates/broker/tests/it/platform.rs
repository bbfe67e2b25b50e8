//! What the platform says of a domain decides before anything is stored, and nothing afterwards (D27, D28).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use broker::{Ports, Service};
use contract::{
    DomainName, OperationState, Place, PlatformDirectory, PlatformDomain, PortError, PortResult, Remedy,
};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, DOMAINS, ID, ask, headers, path, provision_body};

/// A broker that asks a platform.
fn service(bench: &Bench, platform: impl PlatformDirectory + 'static) -> Service {
    bench.service_on(Ports { platform: Some(Arc::new(platform)), ..bench.ports() })
}

async fn put(service: &Service, body: Value) -> Answer {
    let path = format!("{}?accepts_incomplete=true", path());
    ask(service, Method::PUT, &path, &headers(), Some(body)).await
}

async fn patch(service: &Service, parameters: Value) -> Answer {
    let path = format!("{}?accepts_incomplete=true", path());
    let body =
        json!({"service_id": broker::SERVICE_ID, "plan_id": broker::PLAN_ID, "parameters": parameters});
    ask(service, Method::PATCH, &path, &headers(), Some(body)).await
}

/// A platform that never lets us in, or does not answer.
struct Closed(Remedy);

#[async_trait]
impl PlatformDirectory for Closed {
    async fn domains(&self, _: &str, _: &[DomainName]) -> PortResult<Vec<PlatformDomain>> {
        Err(PortError::new("look domains up", self.0, "no"))
    }

    async fn place(&self, _: &str, _: &str) -> PortResult<Place> {
        Err(PortError::new("look up names", self.0, "no"))
    }
}

#[tokio::test]
async fn a_domain_that_the_platform_does_not_know_is_refused_with_the_command_and_nothing_is_stored() {
    let bench = Bench::new();
    let platform = bench.world.platform.clone();
    platform.name("org-1", "my org");
    platform.own("docs.example.gov", &["org-2"]);
    let service = service(&bench, platform.clone());
    let refused = put(&service, provision_body(&json!({"domain": DOMAINS.join(",")}))).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let text = refused.text("description");
    assert!(text.contains("\n  cf create-domain 'my org' www.example.gov\n"), "{text}");
    assert!(text.contains("\n  cf share-private-domain 'my org' docs.example.gov"), "{text}");
    assert_eq!(bench.instance().await, None);

    platform.own("example.gov", &["org-1"]);
    platform.own("docs.example.gov", &["org-2", "org-1"]);
    let accepted = put(&service, provision_body(&json!({"domain": DOMAINS.join(",")}))).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
}

#[tokio::test]
async fn the_name_that_the_platform_sends_along_stands_in_the_command() {
    let bench = Bench::new();
    let mut body = provision_body(&json!({"domain": "www.example.gov", "origin": "own.example.org"}));
    body["context"] = json!({"platform": "cloudfoundry", "organization_name": "sent-along"});
    let refused = put(&service(&bench, bench.world.platform.clone()), body).await;
    let text = refused.text("description");
    assert!(text.ends_with("\n  cf create-domain sent-along www.example.gov"), "{text}");
}

#[tokio::test]
async fn without_an_answer_of_the_platform_nothing_new_is_accepted_and_nothing_is_stored() {
    let bench = Bench::new();
    let body = || provision_body(&json!({"domain": "www.example.gov"}));
    let silent = put(&service(&bench, Closed(Remedy::Retry { after: None })), body()).await;
    assert_eq!(silent.status, 503, "{silent:?}");
    assert!(silent.text("description").contains("Try again in a few minutes"), "{silent:?}");
    assert_eq!(bench.instance().await, None);
    assert_eq!(bench.world.alerts.raised(), [], "an outage of the platform is not ours to tell");
    // What is wrong anyway is still said to be wrong, and not that the platform is silent.
    let wrong = provision_body(&json!({"domain": "no domain"}));
    assert_eq!(put(&service(&bench, Closed(Remedy::GiveUp)), wrong).await.status, 400);
}

#[tokio::test]
async fn the_operator_is_told_when_the_platform_does_not_let_us_in_and_when_it_does_again() {
    let bench = Bench::new();
    let platform = bench.world.platform.clone();
    platform.share_with_all("example.gov");
    let plan = &bench.world.plan;
    let service = service(&bench, platform);
    plan.fail("platform.domains", 1, || PortError::new("look domains up", Remedy::AwaitOperator, "401"));
    let body = provision_body(&json!({"domain": "www.example.gov"}));
    let refused = put(&service, body.clone()).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.text("description").contains("have been told"), "{refused:?}");
    let raised = bench.world.alerts.raised();
    assert_eq!(raised.iter().map(|alert| alert.subject.as_str()).collect::<Vec<_>>(), ["the platform"]);
    assert_eq!(put(&service, body).await.status, 202);
    let resolved = bench.world.alerts.resolved();
    assert_eq!(resolved.iter().map(|alert| alert.subject.as_str()).collect::<Vec<_>>(), ["the platform"]);
}

#[tokio::test]
async fn an_update_asks_for_the_names_that_it_adds_and_for_no_other() {
    let bench = Bench::serving().await;
    let closed = || service(&bench, Closed(Remedy::Retry { after: None }));
    // Not a word about domains, the same domains, fewer of them: the platform has nothing to say about these.
    let ttl = patch(&closed(), json!({"default_ttl": 60})).await;
    assert_eq!(ttl.status, 202, "{ttl:?}");
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let fewer = patch(&closed(), json!({"domain": DOMAINS[0]})).await;
    assert_eq!(fewer.status, 202, "{fewer:?}");
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;

    let more = || json!({"domain": format!("{},new.example.org", DOMAINS[0])});
    let refused = patch(&closed(), more()).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    let platform = bench.world.platform.clone();
    let refused = patch(&service(&bench, platform.clone()), more()).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(
        refused.text("description").contains("cf create-domain ORGANIZATION new.example.org"),
        "{refused:?}"
    );
    assert!(!refused.text("description").contains(DOMAINS[0]), "{refused:?}");
    platform.own("new.example.org", &["org-1"]);
    assert_eq!(patch(&service(&bench, platform), more()).await.status, 202);
}

#[tokio::test]
async fn what_is_accepted_does_not_depend_on_the_platform() {
    let bench = Bench::new();
    bench.world.platform.own("example.gov", &["org-1"]);
    let accepted = put(
        &service(&bench, bench.world.platform.clone()),
        provision_body(&json!({"domain": DOMAINS.join(",")})),
    )
    .await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    bench.prove_all();
    let closed = Ports { platform: Some(Arc::new(Closed(Remedy::AwaitOperator))), ..bench.ports() };
    let worker = broker::Worker::new(closed.clone(), broker::WorkSettings::default());
    for _ in 0..200 {
        worker.run_due().await.unwrap();
        if bench.latest().await == Some(OperationState::Succeeded) {
            break;
        }
        bench.world.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    // The platform asks again for what it has asked for, looks and deletes.
    let service = bench.service_on(closed);
    let again = put(&service, provision_body(&json!({"domain": DOMAINS.join(",")}))).await;
    assert_eq!(again.status, 200, "{again:?}");
    let delete = format!(
        "{}?accepts_incomplete=true&service_id={}&plan_id={}",
        path(),
        broker::SERVICE_ID,
        broker::PLAN_ID
    );
    assert_eq!(ask(&service, Method::GET, &path(), &headers(), None).await.status, 200);
    assert_eq!(ask(&service, Method::DELETE, &delete, &headers(), None).await.status, 202);
    assert_eq!(bench.instance().await.map(|instance| instance.id.to_string()), Some(ID.to_owned()));
}

#[tokio::test]
async fn a_distribution_carries_the_names_of_organization_and_space() {
    for (context, expected) in [
        (
            json!({"organization_name": "sent", "space_name": "along"}),
            [("OrganizationName", "sent"), ("SpaceName", "along")],
        ),
        (json!({"organization_name": "sent"}), [("OrganizationName", "sent"), ("SpaceName", "dev")]),
        (json!({}), [("OrganizationName", "asked"), ("SpaceName", "dev")]),
    ] {
        let bench = Bench::new();
        let platform = bench.world.platform.clone();
        platform.own("example.gov", &["org-1"]);
        platform.name("org-1", "asked");
        platform.name("space-1", "dev");
        let ports = Ports { platform: Some(Arc::new(platform)), ..bench.ports() };
        let mut body = provision_body(&json!({"domain": "www.example.gov"}));
        body["context"] = context;
        assert_eq!(put(&bench.service_on(ports.clone()), body).await.status, 202);
        broker::Worker::new(ports, broker::WorkSettings::default()).run_due().await.unwrap();
        let made = bench.world.cdn.alive();
        let spec = bench.world.cdn.spec(&made[0].id).unwrap();
        for (tag, name) in expected {
            assert_eq!(spec.tags.get(tag).map(String::as_str), Some(name));
        }
    }
}
