//! The world refuses, for a while or for good.

use std::time::Duration;

use contract::{
    DomainName, InstanceId, InstanceState, OperationId, OperationState, OperationStore, PortError, Remedy,
};

use crate::harness::{Bench, DOMAINS};

fn throttled() -> PortError {
    PortError::new("call AWS", Remedy::Retry { after: None }, "Throttling: Rate exceeded")
}

#[tokio::test]
async fn a_throttled_account_is_waited_for_and_nothing_is_uploaded_twice() {
    for method in ["cdn.ensure", "vault.ensure", "cdn.apply", "cdn.find", "site.clear", "issuer.advance"] {
        let bench = Bench::new();
        bench.prove_all();
        bench.provision_both().await;
        bench.world.plan.fail(method, 5, throttled);
        assert!(!bench.work_until_the_end_or_death().await);
        assert_eq!(bench.latest().await, Some(OperationState::Succeeded), "{method}");
        assert_eq!(bench.world.vault.uploads(), 1, "{method}");
    }
}

#[tokio::test]
async fn an_expired_credential_fails_nobody_and_alerts_once() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    let expired = || PortError::new("create the distribution", Remedy::AwaitOperator, "ExpiredToken");
    bench.world.plan.fail("cdn.ensure", 50, expired);
    bench.work_until(async |bench| bench.world.alerts.raised().len() == 1).await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.world.alerts.raised().len(), 1);
}

#[tokio::test]
async fn a_refusal_for_good_fails_with_a_sentence_and_can_be_deleted() {
    let bench = Bench::new();
    bench.provision_both().await;
    let refused = || {
        PortError::new("create the distribution", Remedy::GiveUp, "InvalidArgument")
            .for_tenant("CloudFront does not accept the origin.")
            .with_request_id(Some("req-7"))
    };
    bench.world.plan.fail("cdn.ensure", 1000, refused);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Failed)).await;
    let poll = bench.poll().await;
    assert_eq!(poll.text("state"), "failed");
    assert!(poll.text("description").contains("CloudFront does not accept the origin."));
    assert!(bench.world.alerts.raised()[0].message.contains("req-7"));
    bench.deprovision().await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Gone);
    assert!(bench.world.cdn.alive().is_empty());
}

#[tokio::test]
async fn a_name_in_use_elsewhere_is_waited_for_with_the_certificate_in_hand() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    let name = DomainName::parse(DOMAINS[0]).unwrap();
    bench.world.cdn.occupy(&name);
    bench.work_until(async |bench| bench.poll().await.text("description").contains(DOMAINS[0])).await;
    bench.world.clock.advance(Duration::from_hours(48));
    bench.work_until(async |bench| bench.world.vault.uploads() == 1).await;
    assert_eq!(bench.latest().await, Some(OperationState::Running));
    bench.world.cdn.vacate(&name);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!((bench.world.vault.uploads(), bench.world.issuer.finalized_in_all()), (1, 1));
}

#[tokio::test]
async fn a_silent_database_answers_503_and_never_failed_nor_gone() {
    let bench = Bench::new();
    bench.provision_both().await;
    let silent = || PortError::new("read", Remedy::Retry { after: None }, "connection refused");
    bench.world.plan.fail("operations.standing", 1000, silent);
    for answer in [bench.poll().await, bench.deprovision().await, bench.provision_both().await] {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.text("error"), "Unavailable");
    }
    bench.world.plan.mend("operations.standing");
    assert_eq!(bench.poll().await.text("state"), "in progress");
}

#[tokio::test]
async fn the_history_tells_every_step_once() {
    let bench = Bench::new();
    bench.prove_all();
    let accepted = bench.provision_both().await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    let history = bench.world.store.history(&OperationId::new(accepted.text("operation"))).await.unwrap();
    let steps: Vec<&str> =
        history.iter().filter(|one| one.outcome == "done").map(|one| one.step.as_str()).collect();
    assert_eq!(steps, broker::PROVISION.iter().map(|step| step.name()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_user_who_never_comes_is_told_before_the_platform_gives_up() {
    let bench = Bench::new();
    bench.provision_both().await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 1).await;
    bench.world.clock.advance(bench.pace.provision_proof_wait + Duration::from_mins(1));
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Failed)).await;
    let poll = bench.poll().await;
    assert!(poll.text("description").contains("not proven within 6 days"), "{poll:?}");
    assert_eq!(bench.world.issuer.finalized_in_all(), 0);
    assert_eq!(bench.world.cdn.most_alive(&InstanceId::new(crate::harness::ID)), 1);
}
