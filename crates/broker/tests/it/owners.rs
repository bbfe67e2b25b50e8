//! Two instances that ask for one name: the first to prove it has it, the other is told, and asks for nothing that it
//! could not use.

use contract::OperationState;
use http::Method;
use serde_json::json;

use crate::harness::{Answer, Bench, DOMAINS, ID, path, provision_body};

const OTHER: &str = "9a4b0c1e-0000-4000-8000-000000000002";

async fn ask_as_other(bench: &Bench, domain: &str) -> Answer {
    let path = path().replace(ID, OTHER);
    let body = provision_body(&json!({"domain": domain}));
    bench.call(Method::PUT, &format!("{path}?accepts_incomplete=true"), Some(body)).await
}

async fn told(bench: &Bench) -> String {
    let path = path().replace(ID, OTHER);
    let answer = bench.call(Method::GET, &format!("{path}/last_operation"), None).await;
    assert_eq!(answer.text("state"), "in progress", "{answer:?}");
    answer.text("description").to_owned()
}

#[tokio::test]
async fn whoever_asks_for_a_proven_name_is_refused_and_nothing_is_stored() {
    let bench = Bench::serving().await;
    let refused = ask_as_other(&bench, DOMAINS[0]).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let path = path().replace(ID, OTHER);
    assert_eq!(bench.call(Method::GET, &path, None).await.status, 404);
}

#[tokio::test]
async fn whoever_waits_for_a_name_is_told_when_another_has_proven_it_and_goes_on_when_it_is_free() {
    let bench = Bench::new();
    bench.provision_both().await;
    assert_eq!(ask_as_other(&bench, &format!("{},own.example.gov", DOMAINS[0])).await.status, 202);
    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;

    bench.world.issuer.prove(&contract::testing::sample::name("own.example.gov"));
    bench.work_until(async |bench| told(bench).await.contains("another service instance")).await;
    let text = told(&bench).await;
    assert!(text.contains(DOMAINS[0]) && !text.contains("own.example.gov belongs"), "{text}");
    assert_eq!(bench.world.issuer.finalized_in_all(), 1, "a certificate that could not be used");

    bench.deprovision().await;
    let path = path().replace(ID, OTHER);
    bench
        .work_until(async |bench| {
            let answer = bench.call(Method::GET, &format!("{path}/last_operation"), None).await;
            answer.text("state") == "succeeded"
        })
        .await;
    assert_eq!(bench.world.issuer.finalized_in_all(), 2);
}
