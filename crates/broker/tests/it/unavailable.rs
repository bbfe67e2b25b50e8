//! The store refuses, or the world does not answer: the platform hears it quickly, and nothing has changed.

use std::sync::Arc;

use broker::{ManagedNames, Ports};
use contract::testing::{
    MockAlerts, MockCdn, MockCertificateIssuer, MockCertificateVault, MockChallengeSite, MockManagedZone,
};
use contract::{PortError, Remedy};
use http::Method;
use serde_json::json;

use crate::harness::{Answer, Bench, DOMAINS, ask, headers, path, provision_body};

fn refused() -> PortError {
    PortError::new("ask the database", Remedy::Retry { after: None }, "connection refused")
}

/// Everything that is stored, and everything that was done to the cloud.
async fn everything(bench: &Bench) -> String {
    let store = &bench.world.store;
    let stored = (store.operations(), store.domains(), store.certificates(), store.renewals());
    format!("{:?}", (bench.instance().await, stored, bench.world.cdn.journal()))
}

async fn is_unavailable(bench: &Bench, method: &str, answer: Answer, before: &str) {
    assert_eq!((answer.status.as_u16(), answer.text("error")), (503, "Unavailable"), "{method}");
    assert!(!answer.text("description").contains("refused"), "{answer:?}");
    assert_eq!(everything(bench).await, before, "{method}");
}

/// R3, R4, R63: a 5xx has changed nothing, neither of what was asked nor of anything else, and can be asked again.
#[tokio::test]
async fn r3_r4_r63_what_the_store_refuses_is_a_503_and_has_changed_nothing() {
    for method in ["operations.standing", "domains.owners", "instances.create"] {
        let bench = Bench::new();
        let before = everything(&bench).await;
        bench.world.plan.fail(method, 1, refused);
        is_unavailable(&bench, method, bench.provision_both().await, &before).await;
        assert_eq!(bench.poll().await.status, 404, "nothing is left behind");
        assert_eq!(bench.provision_both().await.status, 202);
    }
    for method in ["operations.standing", "domains.owners", "operations.begin_update"] {
        let bench = Bench::serving().await;
        let before = everything(&bench).await;
        let change = || bench.update(json!({"domains": [DOMAINS[0], "new.example.gov"], "path": "/p"}));
        bench.world.plan.fail(method, 1, refused);
        is_unavailable(&bench, method, change().await, &before).await;
        assert_eq!(change().await.status, 202);
    }
    for method in ["operations.standing", "operations.begin_deprovision"] {
        let bench = Bench::serving().await;
        let before = everything(&bench).await;
        bench.world.plan.fail(method, 1, refused);
        is_unavailable(&bench, method, bench.deprovision().await, &before).await;
        assert_eq!(bench.deprovision().await.status, 202);
    }
}

/// Whoever is asked anything here ends the test. The issuer may be asked what it has stored, and, by a change of nothing, to
/// look ahead, which asks nothing of the authority.
fn deaf_world(bench: &Bench) -> Ports {
    let ports = bench.ports();
    let managed = ports
        .managed
        .clone()
        .map(|managed| ManagedNames { zone: Arc::new(MockManagedZone::new()), ..managed });
    let mut issuer = MockCertificateIssuer::new();
    issuer.expect_instructions().returning(|_| Ok(Vec::new()));
    issuer.expect_outlook().returning(|_| Ok(Vec::new()));
    Ports {
        issuer: Arc::new(issuer),
        cdn: Arc::new(MockCdn::new()),
        vault: Arc::new(MockCertificateVault::new()),
        site: Arc::new(MockChallengeSite::new()),
        managed,
        letters: None,
        alerts: Arc::new(MockAlerts::new()),
        ..ports
    }
}

/// R5, R74, D23: an answer waits for the store and for nobody else.
#[tokio::test]
async fn r5_no_answer_waits_for_the_cloud_or_the_authority() {
    let bench = Bench::serving().await;
    let service = bench.service_on(deaf_world(&bench));
    let instance = path();
    let other = instance.replace("0001", "0002");
    let accepting = "?accepts_incomplete=true";
    let update = |parameters| json!({"service_id": broker::SERVICE_ID, "parameters": parameters});
    let delete =
        format!("{instance}{accepting}&service_id={}&plan_id={}", broker::SERVICE_ID, broker::PLAN_ID);
    for (method, path, body, status) in [
        (Method::GET, "/v2/catalog".to_owned(), None, 200),
        (Method::PUT, format!("{other}{accepting}"), Some(provision_body(&json!({"domain": "a.gov"}))), 202),
        (Method::GET, format!("{other}/last_operation"), None, 200),
        (Method::GET, instance.clone(), None, 200),
        (Method::PATCH, format!("{instance}{accepting}"), Some(update(json!({}))), 200),
        (Method::PATCH, format!("{instance}{accepting}"), Some(update(json!({"path": "/p"}))), 202),
        (Method::GET, format!("{instance}/last_operation"), None, 200),
        (Method::DELETE, delete, None, 202),
    ] {
        let answer = ask(&service, method.clone(), &path, &headers(), body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
}
