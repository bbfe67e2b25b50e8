//! Every text that `cf service` prints, as a whole.

use std::time::Duration;

use contract::{Clock, DomainName, OperationState};

use crate::harness::{Bench, DOMAINS};

async fn text(bench: &Bench) -> String {
    bench.poll().await.text("description").to_owned()
}

#[tokio::test]
async fn the_life_of_an_instance_as_its_user_reads_it() {
    let bench = Bench::new();
    bench.provision_both().await;
    insta::assert_snapshot!("accepted", text(&bench).await);
    bench.work_until(async |bench| text(bench).await.contains("IN TXT")).await;
    insta::assert_snapshot!("waiting_for_both", text(&bench).await);
    bench.world.issuer.prove(&DomainName::parse(DOMAINS[0]).unwrap());
    bench.work_until(async |bench| text(bench).await.contains("1 of 2")).await;
    insta::assert_snapshot!("waiting_for_one", text(&bench).await);
    bench.prove_all();
    bench.work_until(async |bench| text(bench).await.contains("all its locations")).await;
    insta::assert_snapshot!("deploying", text(&bench).await);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    insta::assert_snapshot!("serving", text(&bench).await);
    bench.deprovision().await;
    bench.work_until(async |bench| text(bench).await.contains("stop serving")).await;
    insta::assert_snapshot!("stopping", text(&bench).await);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    insta::assert_snapshot!("deleted", text(&bench).await);
}

#[tokio::test]
async fn who_is_held_back_reads_why_and_goes_on_by_itself() {
    let bench = Bench::new();
    let until = bench.world.clock.now() + Duration::from_hours(1);
    bench
        .world
        .issuer
        .hold_back(until, &format!("No more certificates fit into this hour; on {until} they do."));
    bench.provision_both().await;
    bench.work_until(async |bench| text(bench).await.contains("No more")).await;
    insta::assert_snapshot!("held_back", text(&bench).await);
    assert_eq!(bench.world.issuer.orders_placed(), 0);
    bench.work_until(async |bench| text(bench).await.contains("IN TXT")).await;
    assert!(!text(&bench).await.contains("No more"));
}

#[tokio::test]
async fn r108_every_text_is_ascii_and_begins_with_a_sentence() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    bench
        .work_until(async |bench| {
            let text = text(bench).await;
            let first = text.lines().next().unwrap_or_default();
            assert!(first.ends_with(['.', ':']), "{text}");
            assert!(text.is_ascii() && !text.contains('\t'), "{text}");
            bench.latest().await == Some(OperationState::Succeeded)
        })
        .await;
}

#[tokio::test]
async fn a_hundred_domains_are_all_explained() {
    let bench = Bench::new();
    let names: Vec<String> = (0..100).map(|i| format!("w{i}.example.gov")).collect();
    bench.provision(serde_json::json!({"domains": names})).await;
    bench.work_until(async |bench| text(bench).await.contains("IN TXT")).await;
    let text = text(&bench).await;
    assert_eq!(text.matches(" IN TXT ").count(), 100);
    assert!(text.len() <= 32 * 1024, "{}", text.len());
}
