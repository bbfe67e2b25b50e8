//! The records of ours that users point their names at: they lead to the challenge host, then to the distribution, and are
//! gone with the name.

use std::time::Duration;

use contract::OperationState;
use contract::testing::sample;
use serde_json::json;

use crate::harness::{Bench, CHALLENGE_HOST, DOMAINS, ID, path, provision_body};

const DELETE_QUERY: &str = "accepts_incomplete=true&service_id=8478b533-2b59-4007-8494-2feec5970f94&\
                            plan_id=fc055c72-1075-44c9-9aee-bddd52e1b053";

fn targets(bench: &Bench, names: &[&str]) -> Vec<Option<String>> {
    names.iter().map(|name| bench.managed_target(name)).collect()
}

async fn target_of_the_distribution(bench: &Bench) -> Option<String> {
    bench.instance().await.unwrap().distribution_domain
}

async fn serving() -> Bench {
    let bench = Bench::new();
    bench.provision_both().await;
    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    bench
}

#[tokio::test]
async fn a_record_leads_to_the_challenge_host_first_and_flips_by_itself() {
    let bench = Bench::new();
    bench.provision_both().await;
    let worker = bench.worker();
    worker.run_due().await.unwrap();
    assert_eq!(targets(&bench, &DOMAINS), [Some(CHALLENGE_HOST.to_owned()), Some(CHALLENGE_HOST.to_owned())]);

    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let distribution = target_of_the_distribution(&bench).await;
    assert!(distribution.is_some());
    assert_eq!(targets(&bench, &DOMAINS), [distribution.clone(), distribution]);
}

#[tokio::test]
async fn a_wildcard_has_no_record() {
    let bench = Bench::new();
    bench.provision(json!({"domain": "*.example.gov"})).await;
    bench.worker().run_due().await.unwrap();
    assert!(bench.world.zone.is_empty());
}

/// It needs no proof and no certificate, and its record has gone with it.
#[tokio::test]
async fn the_record_of_a_name_that_comes_back_comes_back_with_it() {
    let bench = serving().await;
    let distribution = target_of_the_distribution(&bench).await;
    for (domains, expected) in [(DOMAINS[0].to_owned(), None), (DOMAINS.join(","), distribution.clone())] {
        bench.update(json!({"domain": domains})).await;
        bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
        assert_eq!(targets(&bench, &DOMAINS), [distribution.clone(), expected]);
    }
    assert_eq!(bench.world.vault.uploads(), 1);
}

#[tokio::test]
async fn an_added_name_is_offered_while_the_others_stay_where_they_are() {
    let bench = serving().await;
    let distribution = target_of_the_distribution(&bench).await;
    let domains = [DOMAINS[0], DOMAINS[1], "new.example.gov"];
    bench.update(json!({"domain": domains.join(",")})).await;
    bench.worker().run_due().await.unwrap();
    let expected = [distribution.clone(), distribution.clone(), Some(CHALLENGE_HOST.to_owned())];
    assert_eq!(targets(&bench, &domains), expected);

    bench.world.issuer.prove(&sample::name("new.example.gov"));
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(targets(&bench, &domains), [distribution.clone(), distribution.clone(), distribution]);
}

#[tokio::test]
async fn a_name_that_leaves_takes_its_record_along() {
    let bench = serving().await;
    let distribution = target_of_the_distribution(&bench).await;
    bench.update(json!({"domain": DOMAINS[0]})).await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(targets(&bench, &DOMAINS), [distribution, None]);
}

#[tokio::test]
async fn what_one_instance_serves_is_not_led_astray_by_another_that_only_asks() {
    let bench = Bench::new();
    let other = path().replace(ID, "9a4b0c1e-0000-4000-8000-000000000002");
    let asked = provision_body(&json!({"domain": DOMAINS.join(",")}));
    // Both ask before either has proven anything.
    bench.provision_both().await;
    bench.call(http::Method::PUT, &format!("{other}?accepts_incomplete=true"), Some(asked)).await;
    bench.prove_all();
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let distribution = target_of_the_distribution(&bench).await;
    assert_eq!(targets(&bench, &DOMAINS), [distribution.clone(), distribution.clone()]);

    // The one that came too late is deleted: the record is not its own to take away.
    bench.call(http::Method::DELETE, &format!("{other}?{DELETE_QUERY}"), None).await;
    let worker = bench.worker();
    for _ in 0..40 {
        worker.run_due().await.unwrap();
        bench.world.clock.advance(Duration::from_mins(1));
    }
    assert_eq!(targets(&bench, &DOMAINS), [distribution.clone(), distribution]);
}
