//! How operations end when nobody helps them: users who never come, deletions that fail, platforms that do not ask.

use std::time::Duration;

use contract::{Clock, InstanceState, OperationState, PortError, Remedy};
use serde_json::json;

use crate::harness::{Bench, DOMAINS};

const DAY: Duration = Duration::from_hours(24);

async fn until(bench: &Bench, state: OperationState) {
    bench.work_until(async |bench| bench.latest().await == Some(state)).await;
}

/// R75, R106, R107, D24: given up before the platform's seven days are over, with a reason; what was made stays until its
/// user deletes it, however long that takes.
#[tokio::test]
async fn r75_r106_r107_who_never_comes_is_told_in_time_and_nothing_goes_by_itself() {
    let bench = Bench::new();
    let asked = bench.world.clock.now();
    bench.provision_both().await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 1).await;
    assert!(bench.poll().await.text("description").contains("It gives up on"), "{:?}", bench.poll().await);
    bench.world.clock.advance(bench.pace.provision_proof_wait + Duration::from_mins(1));
    until(&bench, OperationState::Failed).await;
    assert!(bench.world.clock.now().since(asked) < 7 * DAY, "the platform has given up before");
    assert!(bench.poll().await.text("description").contains("not proven within 6 days"));
    for _ in 0..30 {
        bench.world.clock.advance(DAY);
        bench.chores().run_due().await.unwrap();
        bench.worker().run_due().await.unwrap();
    }
    assert_eq!(bench.world.cdn.alive().len(), 1, "it is its user's to delete");
    assert_eq!(bench.poll().await.text("state"), "failed");
    assert_eq!(bench.deprovision().await.status, 202);
    until(&bench, OperationState::Succeeded).await;
    assert!(bench.world.cdn.alive().is_empty());
}

/// R103, R104, D1: a deletion that the CDN refuses is never said to be done, and the next one goes on with it.
#[tokio::test]
async fn r103_r104_a_deletion_that_fails_is_said_to_have_failed_and_goes_on_when_repeated() {
    for step in ["cdn.disable", "cdn.remove"] {
        let bench = Bench::serving().await;
        let refused = || PortError::new("delete the distribution", Remedy::GiveUp, "it is refused");
        bench.world.plan.fail(step, 1, refused);
        let first = bench.deprovision().await;
        assert_eq!(first.status, 202);
        until(&bench, OperationState::Failed).await;
        let poll = bench.poll().await;
        assert_eq!((poll.status.as_u16(), poll.text("state")), (200, "failed"), "{step}");
        assert!(poll.body["instance_usable"].is_boolean() && poll.body.get("update_repeatable").is_none());
        assert!(poll.text("description").contains("delete it once more"), "{poll:?}");
        assert_eq!((bench.world.cdn.alive().len(), bench.world.alerts.raised().len()), (1, 1), "{step}");
        let again = bench.deprovision().await;
        assert_eq!(again.status, 202);
        assert_ne!(again.text("operation"), first.text("operation"));
        until(&bench, OperationState::Succeeded).await;
        assert!(bench.world.cdn.alive().is_empty() && bench.world.vault.kept().is_empty(), "{step}");
    }
}

/// R101, D2: it is in progress for as long as there is anything to delete.
#[tokio::test]
async fn r101_a_deletion_has_succeeded_when_nothing_is_left_and_not_before() {
    let bench = Bench::serving().await;
    bench.deprovision().await;
    bench
        .work_until(async |bench| {
            let world = &bench.world;
            let left = world.cdn.alive().len() + world.vault.kept().len();
            let poll = bench.poll().await;
            if left > 0 || !world.zone.is_empty() {
                assert_eq!(poll.text("state"), "in progress", "{poll:?}");
            }
            poll.text("state") == "succeeded"
        })
        .await;
    assert!(bench.world.issuer.opened().iter().all(|one| bench.world.issuer.is_abandoned(one)));
}

/// R116, R117: the clean-up after a failed creation names no user, and nobody asks how it goes.
#[tokio::test]
async fn r117_a_deletion_that_nobody_asks_about_ends_by_itself() {
    let bench = Bench::serving().await;
    assert_eq!(bench.deprovision().await.status, 202);
    bench
        .work_until(async |bench| bench.instance().await.is_some_and(|it| it.state == InstanceState::Gone))
        .await;
    assert!(bench.world.cdn.alive().is_empty() && bench.world.vault.kept().is_empty());
}

/// h: those who wait for their users, days long, hold up nobody.
#[tokio::test]
async fn many_that_wait_hold_up_nobody() {
    let bench = Bench::new();
    for number in 0..50 {
        let path = format!("/v2/service_instances/waiting-{number}?accepts_incomplete=true");
        let body = crate::harness::provision_body(&json!({"domain": format!("w{number}.example.gov")}));
        assert_eq!(bench.call(http::Method::PUT, &path, Some(body)).await.status, 202);
    }
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 50).await;
    bench.prove_all();
    bench.provision_both().await;
    until(&bench, OperationState::Succeeded).await;
    assert_eq!(bench.world.issuer.finalized_in_all(), 1);
    assert_eq!(bench.shown().await["domain"], json!(DOMAINS.join(",")));
}

/// l: what is kept of an operation does not grow with every failure.
#[tokio::test]
async fn the_history_of_a_thousand_failures_is_short() {
    let bench = Bench::new();
    let accepted = bench.provision_both().await;
    let expired = || PortError::new("create the distribution", Remedy::AwaitOperator, "ExpiredToken");
    bench.world.plan.fail("cdn.ensure", 1000, expired);
    for _ in 0..1000 {
        bench.worker().run_due().await.unwrap();
        bench.world.clock.advance(Duration::from_mins(2));
    }
    let operation = contract::OperationId::new(accepted.text("operation"));
    let history = contract::OperationStore::history(&bench.world.store, &operation).await.unwrap();
    assert_eq!(history.iter().filter(|line| line.outcome == "retry").count(), 1, "{history:?}");
}
