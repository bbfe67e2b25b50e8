//! An update for whose names the authority will never issue, as things are: it fails, nothing changes, and when the same is
//! asked for again it begins afresh instead of being refused by what was left behind.

use std::time::Duration;

use contract::{CertificateState, DomainName, OperationState, PortError, Remedy};
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, DOMAINS};

const ADDED: &str = "new.example.gov";

fn wanted() -> Value {
    json!({"domains": [DOMAINS[0], ADDED]})
}

/// From now on the authority refuses whatever it is asked for.
fn refuse(bench: &Bench, remedy: Remedy) {
    let refused = move || {
        PortError::new("obtain the certificate", remedy, "rejectedIdentifier")
            .for_tenant("The certificate authority does not issue for new.example.gov.")
    };
    bench.world.plan.fail("issuer.advance", usize::MAX, refused);
}

/// Whatever stood in the way is gone.
fn relent(bench: &Bench) {
    bench.world.plan.mend("issuer.advance");
    bench.world.issuer.prove(&DomainName::parse(ADDED).unwrap());
}

async fn until(bench: &Bench, state: OperationState) {
    bench.work_until(async |bench| bench.latest().await == Some(state)).await;
}

async fn asked_again(bench: &Bench) -> Answer {
    let again = bench.update(wanted()).await;
    until(bench, OperationState::Succeeded).await;
    again
}

/// Of all issuances only the one that is served still has its key, and only its certificate is in the vault.
fn check_nothing_is_left(bench: &Bench, context: &str) {
    let live = bench.certificates(CertificateState::Live);
    let [live] = &live[..] else { panic!("{live:?}: {context}") };
    let opened = bench.world.issuer.opened();
    let kept: Vec<_> = opened.iter().filter(|one| !bench.world.issuer.is_abandoned(one)).collect();
    assert_eq!(kept, [&live.issuance], "{context}");
    assert_eq!(bench.world.vault.kept().len(), 1, "{context}");
}

#[tokio::test]
async fn the_same_update_begins_a_fresh_issuance() {
    for remedy in [Remedy::GiveUp, Remedy::StartOver] {
        let bench = Bench::serving().await;
        let before = (bench.world.cdn.alive(), bench.shown().await);
        bench.update(wanted()).await;
        bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
        refuse(&bench, remedy);
        until(&bench, OperationState::Failed).await;
        assert_eq!((bench.world.cdn.alive(), bench.shown().await), before);
        let text = bench.poll().await.text("description").to_owned();
        assert!(text.contains("does not issue for new.example.gov."), "{text}");
        assert!(!text.contains("IN TXT"), "what belongs to the old order proves nothing any more: {text}");

        relent(&bench);
        assert_eq!(asked_again(&bench).await.status, 202);
        assert_eq!(bench.world.issuer.orders_placed(), 3, "an order of its own");
        assert_eq!(bench.certificates(CertificateState::Live)[0].generation, 3);
        check_nothing_is_left(&bench, "at the end");
    }
}

#[tokio::test]
async fn an_update_that_only_waits_in_vain_keeps_its_issuance() {
    let bench = Bench::serving().await;
    bench.update(wanted()).await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    bench.world.clock.advance(bench.pace.update_proof_wait + Duration::from_mins(1));
    until(&bench, OperationState::Failed).await;
    assert!(!bench.world.issuer.opened().iter().any(|one| bench.world.issuer.is_abandoned(one)));
    relent(&bench);
    asked_again(&bench).await;
    assert_eq!(bench.world.issuer.orders_placed(), 2, "the same order");
}

/// Wherever the process dies while the update is being refused.
#[tokio::test]
async fn lost_at_any_point_of_an_update_that_is_refused() {
    let refused = async || {
        let bench = Bench::serving().await;
        refuse(&bench, Remedy::GiveUp);
        bench.update(wanted()).await;
        bench
    };
    let bench = refused().await;
    let accepted = bench.world.plan.points_passed();
    assert!(!bench.work_until_the_end_or_death().await);
    for point in accepted + 1..=bench.world.plan.points_passed() {
        let bench = refused().await;
        bench.world.plan.crash_at(point);
        if bench.work_until_the_end_or_death().await {
            bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
            assert!(!bench.work_until_the_end_or_death().await, "died twice");
        }
        let context = format!("{:?}", bench.world.plan.died_at());
        assert_eq!(bench.latest().await, Some(OperationState::Failed), "{context}");
        relent(&bench);
        assert_eq!(asked_again(&bench).await.status, 202, "{context}");
        check_nothing_is_left(&bench, &context);
    }
}
