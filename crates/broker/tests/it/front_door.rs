//! What the platform sees, by the rows of the protocol that need an instance.

use contract::{InstanceState, OperationState};
use http::{HeaderValue, Method};
use serde_json::json;

use crate::harness::{Bench, DOMAINS, ID, ask, headers, path, provision_body};

#[tokio::test]
async fn r51_r61_a_provision_is_stored_before_it_is_answered() {
    let bench = Bench::new();
    let answer = bench.provision_both().await;
    assert_eq!(answer.status, 202);
    let poll = bench.poll().await;
    assert_eq!((poll.status.as_u16(), poll.text("state")), (200, "in progress"));
    let instance = bench.instance().await.unwrap();
    assert_eq!(instance.request.organization, "org-1");
    assert!(instance.request.context.contains("my-cdn"));
    assert!(instance.request.parameters.contains(DOMAINS[0]));
    assert_eq!(instance.request.api_version, "2.15");
}

/// R12: the user's id, and nothing else of what the platform says about them.
#[tokio::test]
async fn r12_who_has_asked_is_kept() {
    let bench = Bench::new();
    let mut headers = headers();
    // {"user_id":"u-1","email":"x@y"}
    let identity = HeaderValue::from_static("cloudfoundry eyJ1c2VyX2lkIjoidS0xIiwiZW1haWwiOiJ4QHkifQ==");
    headers.insert("x-broker-api-originating-identity", identity);
    let path = format!("{}?accepts_incomplete=true", path());
    let body = provision_body(&json!({"domain": DOMAINS[0]}));
    assert_eq!(ask(&bench.service(), Method::PUT, &path, &headers, Some(body)).await.status, 202);
    assert_eq!(bench.instance().await.unwrap().request.identity.as_deref(), Some("cloudfoundry u-1"));
}

#[tokio::test]
async fn r52_r53_r54_the_same_again_and_something_else() {
    let bench = Bench::new();
    bench.prove_all();
    let first = bench.provision_both().await;
    let again = bench.provision_both().await;
    assert_eq!((again.status.as_u16(), again.text("operation")), (202, first.text("operation")));
    assert_eq!(bench.provision(json!({"domain": "other.example.gov"})).await.status, 409);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.provision_both().await.status, 200);
    assert_eq!(bench.provision(json!({"domain": "other.example.gov"})).await.status, 409);
}

#[tokio::test]
async fn r52_many_at_once_make_one_instance() {
    let bench = Bench::new();
    let ask = || bench.provision_both();
    let (a, b, c, d) = tokio::join!(ask(), ask(), ask(), ask());
    for one in [&b, &c, &d] {
        assert_eq!((one.status.as_u16(), one.text("operation")), (202, a.text("operation")));
    }
}

#[tokio::test]
async fn r58_r3_a_mistake_in_the_parameters_is_a_400_and_leaves_nothing() {
    let bench = Bench::new();
    let long_label = format!("{}.gov", "a".repeat(64));
    let long_name = format!("{}gov", "abcdefghi.".repeat(26));
    let many: Vec<String> = (0..101).map(|i| format!("w{i}.example.gov")).collect();
    for (parameters, value) in [
        (json!({}), "domain"),
        (json!({"domain": ""}), "domain"),
        (json!({"domain": "my site.gov"}), "my site.gov"),
        (json!({"domain": "http://a.gov"}), "http://a.gov"),
        (json!({"domain": "192.0.2.1"}), "192.0.2.1"),
        (json!({"domain": "a.gov,a.gov"}), "a.gov"),
        (json!({"domains": many}), "101"),
        (json!({"domain": long_label}), "aaaa"),
        (json!({"domain": long_name}), "abcdefghi"),
        (json!({"domain": 1}), "1"),
        (json!({"domain": "a.gov", "colour": "red"}), "colour"),
    ] {
        let answer = bench.provision(parameters.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text("error")),
            (400, "InvalidParameters"),
            "{parameters}"
        );
        assert!(answer.text("description").contains(value), "{parameters}: {answer:?}");
    }
    assert_eq!(bench.instance().await, None);
    assert_eq!(bench.world.issuer.orders_placed(), 0);
    assert!(bench.world.cdn.journal().is_empty());
    // R115: what was refused can be deleted, for the platform remembers it.
    assert_eq!(bench.deprovision().await.status, 410);
}

#[tokio::test]
async fn r57_maintenance_info_comes_before_the_parameters() {
    let bench = Bench::new();
    let mut body = provision_body(&json!({}));
    body["maintenance_info"] = json!({"version": "9.9.9"});
    let answer = bench.call(Method::PUT, &format!("{}?accepts_incomplete=true", path()), Some(body)).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (422, "MaintenanceInfoConflict"));
}

#[tokio::test]
async fn r76_r78_r80_an_instance_can_be_fetched_once_it_is_there() {
    let bench = Bench::new();
    bench.prove_all();
    assert_eq!(bench.call(Method::GET, &path(), None).await.status, 404);
    bench.provision_both().await;
    assert_eq!(bench.call(Method::GET, &path(), None).await.status, 404);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let shown = bench.call(Method::GET, &path(), None).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body["parameters"]["domain"], DOMAINS.join(","));
    assert_eq!(shown.text("plan_id"), broker::PLAN_ID);
}

#[tokio::test]
async fn r74_polling_and_fetching_touch_nothing_but_the_store() {
    let bench = Bench::new();
    bench.provision_both().await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 1).await;
    let writes = bench.world.cdn.journal().len();
    for _ in 0..5 {
        bench.poll().await;
        bench.call(Method::GET, &path(), None).await;
    }
    assert_eq!(bench.world.issuer.orders_placed(), 1);
    assert_eq!(bench.world.cdn.journal().len(), writes);
}

#[tokio::test]
async fn r97_r98_r99_deleting_at_any_time_is_one_deletion() {
    let bench = Bench::new();
    assert_eq!(bench.deprovision().await.status, 410);
    bench.provision_both().await;
    bench.work_until(async |bench| bench.world.cdn.alive().len() == 1).await;
    let first = bench.deprovision().await;
    let again = bench.deprovision().await;
    assert_eq!((again.status.as_u16(), again.text("operation")), (202, first.text("operation")));
    assert_eq!(bench.provision_both().await.status, 409);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert!(bench.world.cdn.alive().is_empty());
    assert_eq!(bench.deprovision().await.status, 410);
}

#[tokio::test]
async fn r67_r68_a_deletion_is_reported_as_succeeded_for_a_while_and_as_gone_for_ever() {
    let bench = Bench::new();
    bench.provision_both().await;
    bench.deprovision().await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let poll = bench.poll().await;
    assert_eq!((poll.status.as_u16(), poll.text("state")), (200, "succeeded"));
    bench.world.clock.advance(std::time::Duration::from_hours(2));
    assert_eq!(bench.poll().await.status, 410);
}

#[tokio::test]
async fn r56_what_is_gone_can_be_created_again_under_new_names_upstream() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    bench.deprovision().await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.provision_both().await.status, 202);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let instance = bench.instance().await.unwrap();
    assert_eq!((instance.state, instance.incarnation), (InstanceState::Ready, 2));
    assert_eq!(instance.reference.as_str(), format!("cdn-{ID}-2"));
}

#[tokio::test]
async fn r66_r70_polls_for_nothing_known() {
    let bench = Bench::new();
    assert_eq!(bench.poll().await.status, 404);
    bench.provision_both().await;
    let odd = bench.call(Method::GET, &format!("{}/last_operation?operation=provision", path()), None).await;
    assert_eq!((odd.status.as_u16(), odd.text("state")), (200, "in progress"));
}
