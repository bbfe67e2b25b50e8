//! Only the operator can help: nothing fails, nobody calls in vain, the operator is told once, and everything goes on by
//! itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::testing::{Outcome, until_crash};
use contract::{InstanceId, OperationState, OperationStore, PortError, Reach, Remedy, Upstream};
use http::Method;
use serde_json::json;

use crate::harness::{Bench, provision_body};

const INSTANCES: usize = 20;

fn quota() -> PortError {
    PortError::new("upload the certificate", Remedy::AwaitOperator, "LimitExceeded: 20")
        .stopping(Upstream::Vault, Reach::SameKind)
}

fn expired() -> PortError {
    PortError::new("call AWS", Remedy::AwaitOperator, "ExpiredToken")
        .stopping(Upstream::Account, Reach::Everything)
}

fn lacks_a_key() -> PortError {
    PortError::new(
        "read an issuance",
        Remedy::AwaitOperator,
        "it is sealed with a key that is not configured",
    )
    .stopping(Upstream::SealingKeys, Reach::Everything)
}

/// Lets every call of a method fail, and counts them.
fn refuse(bench: &Bench, method: &str, error: fn() -> PortError) -> Arc<AtomicUsize> {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    bench.world.plan.fail(method, usize::MAX, move || {
        counted.fetch_add(1, Ordering::Relaxed);
        error()
    });
    calls
}

fn id(number: usize) -> String {
    format!("9a4b0c1e-0000-4000-8000-0000000001{number:02}")
}

async fn ask_for_all(bench: &Bench) {
    for number in 0..INSTANCES {
        let name = format!("w{number}.example.gov");
        bench.world.issuer.prove(&contract::DomainName::parse(&name).unwrap());
        let path = format!("/v2/service_instances/{}?accepts_incomplete=true", id(number));
        let answer = bench.call(Method::PUT, &path, Some(provision_body(&json!({"domain": name})))).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
}

async fn how_many(bench: &Bench, state: OperationState) -> usize {
    let mut count = 0;
    for number in 0..INSTANCES {
        let standing = bench.world.store.standing(&InstanceId::new(id(number))).await.unwrap();
        let latest = standing.and_then(|standing| standing.latest);
        count += usize::from(latest.is_some_and(|latest| latest.state == state));
    }
    count
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_told_once_and_nobody_fails() {
    let bench = Bench::new();
    ask_for_all(&bench).await;
    let calls = refuse(&bench, "vault.ensure", quota);
    // Three brokers share the work.
    let processes = [(); 3].map(|()| (bench.worker(), bench.chores()));
    for _ in 0..240 {
        for (worker, chores) in &processes {
            worker.run_due().await.unwrap();
            chores.run_due().await.unwrap();
        }
        bench.world.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(how_many(&bench, OperationState::Running).await, INSTANCES);
    assert_eq!(bench.world.alerts.raised().len(), 1, "{:?}", bench.world.alerts.raised());
    let made = calls.load(Ordering::Relaxed);
    assert!((5..20).contains(&made), "in two hours one call at a time tries: {made}");
    let text =
        bench.call(Method::GET, &format!("/v2/service_instances/{}/last_operation", id(7)), None).await;
    assert_eq!(text.text("state"), "in progress");
    assert!(text.text("description").contains("This waits for the operators of this service"), "{text:?}");

    bench.world.plan.mend("vault.ensure");
    bench.live_until(async |bench| how_many(bench, OperationState::Succeeded).await == INSTANCES).await;
    assert_eq!(bench.world.vault.uploads(), INSTANCES);
    assert_eq!(bench.world.issuer.finalized_in_all(), INSTANCES);
    bench.live_until(async |bench| bench.world.store.breakers().is_empty()).await;
    let resolved = bench.world.alerts.resolved();
    assert_eq!((bench.world.alerts.raised().len(), resolved.len()), (1, 1));
    assert!(resolved[0].message.contains("20 operations had waited"), "{}", resolved[0].message);
}

#[tokio::test]
async fn what_goes_on_goes_on_at_once() {
    let bench = Bench::new();
    ask_for_all(&bench).await;
    refuse(&bench, "cdn.ensure", expired);
    bench.live_until(async |bench| bench.world.store.breakers().iter().any(|one| one.probes >= 4)).await;
    bench.world.plan.mend("cdn.ensure");
    let trying = bench.world.store.breakers()[0].probe_at;
    bench.live_until(async |bench| bench.world.store.breakers()[0].gone_since.is_some()).await;
    bench.live_until(async |bench| bench.world.cdn.alive().len() == INSTANCES).await;
    let waited = contract::Clock::now(&bench.world.clock).since(trying);
    assert!(waited <= Duration::from_mins(5), "their own time to come back was half an hour: {waited:?}");
}

#[tokio::test]
async fn a_key_that_was_expired_for_a_week_makes_no_step_late() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    refuse(&bench, "cdn.ensure", expired);
    let (worker, chores) = (bench.worker(), bench.chores());
    for _ in 0..8 * 24 * 4 {
        worker.run_due().await.unwrap();
        chores.run_due().await.unwrap();
        bench.world.clock.advance(Duration::from_mins(15));
    }
    assert_eq!(bench.latest().await, Some(OperationState::Running));
    // The next trouble is of the kind that fails an operation when its time is up.
    let throttled = || PortError::new("create", Remedy::Retry { after: None }, "Throttling");
    bench.world.plan.fail("cdn.ensure", 3, throttled);
    bench.live_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.world.alerts.raised().len(), 1);
}

/// How many points a provision passes that meets a quota.
async fn provisioned_under_a_quota(bench: &Bench) -> bool {
    bench.prove_all();
    bench.provision_both().await;
    bench.world.plan.fail("vault.ensure", 3, quota);
    live_to_the_end(bench).await
}

/// `true` when the process died.
async fn live_to_the_end(bench: &Bench) -> bool {
    let end = bench.live_until(async |bench| {
        bench.latest().await != Some(OperationState::Running) && bench.world.store.breakers().is_empty()
    });
    until_crash(&bench.world.plan, end).await == Outcome::Crashed
}

#[tokio::test]
async fn lost_at_any_point_while_something_stands_in_the_way() {
    let whole = Bench::new();
    assert!(!provisioned_under_a_quota(&whole).await);
    let points = whole.world.plan.points_passed();
    for point in 1..=points {
        let bench = Bench::new();
        bench.world.plan.crash_at(u64::MAX);
        bench.prove_all();
        bench.provision_both().await;
        let accepted = bench.world.plan.points_passed();
        if point <= accepted {
            continue;
        }
        bench.world.plan.fail("vault.ensure", 3, quota);
        bench.world.plan.crash_at(point);
        if live_to_the_end(&bench).await {
            bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
            assert!(!live_to_the_end(&bench).await, "died twice");
        }
        let context = format!("{point}: {:?}", bench.world.plan.died_at());
        assert_eq!(bench.latest().await, Some(OperationState::Succeeded), "{context}");
        assert_eq!(bench.world.vault.uploads(), 1, "{context}");
        let told = bench.world.alerts.raised().len();
        assert!((1..=2).contains(&told), "told {told} times: {context}");
    }
}

/// For longer than any deadline; then a provision goes on, and so does a deletion.
#[tokio::test]
async fn a_sealing_key_that_is_missing_is_told_once_and_nobody_fails() {
    let bench = Bench::new();
    ask_for_all(&bench).await;
    refuse(&bench, "issuer.advance", lacks_a_key);
    refuse(&bench, "issuer.abandon", lacks_a_key);
    let (worker, chores) = (bench.worker(), bench.chores());
    let path = format!(
        "/v2/service_instances/{}?accepts_incomplete=true&service_id={}&plan_id={}",
        id(3),
        broker::SERVICE_ID,
        broker::PLAN_ID
    );
    for hours in 0..15 * 24 {
        worker.run_due().await.unwrap();
        chores.run_due().await.unwrap();
        if hours == 24 {
            assert_eq!(bench.call(Method::DELETE, &path, None).await.status, 202);
        }
        bench.world.clock.advance(Duration::from_hours(1));
    }
    assert_eq!(how_many(&bench, OperationState::Running).await, INSTANCES);
    let raised = bench.world.alerts.raised();
    let subjects: Vec<_> = raised.iter().map(|alert| alert.subject.as_str()).collect();
    assert_eq!(subjects, ["breaker sealing-keys"]);
    let text =
        bench.call(Method::GET, &format!("/v2/service_instances/{}/last_operation", id(7)), None).await;
    assert!(text.text("description").contains("This waits for the operators of this service"), "{text:?}");

    bench.world.plan.mend("issuer.advance");
    bench.world.plan.mend("issuer.abandon");
    bench.live_until(async |bench| how_many(bench, OperationState::Succeeded).await == INSTANCES).await;
    bench.live_until(async |bench| bench.world.store.breakers().is_empty()).await;
    assert_eq!(bench.world.alerts.raised().len(), 1);
    assert_eq!(bench.world.alerts.resolved().len(), 1);
}
