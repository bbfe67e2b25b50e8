//! What the broker does by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use broker::{Chores, Ports, RoundSettings};
use contract::testing::MockCdn;
use contract::{CertificateState, Page, PortError, Remedy};

use super::scene::{DAY, HOUR, distribution, gone_twice, leave_behind};
use crate::harness::Bench;

const REPORTING: RoundSettings = RoundSettings { every: DAY, fix: false };

fn rounds(bench: &Bench, settings: RoundSettings) -> Chores {
    Chores::new(bench.ports(), Arc::default()).with_rounds(settings)
}

/// Lets a day pass in which two brokers look again and again.
async fn a_day(bench: &Bench, settings: RoundSettings) {
    let brokers = [rounds(bench, settings), rounds(bench, settings)];
    for _ in 0..48 {
        bench.world.clock.advance(HOUR / 2);
        for broker in &brokers {
            broker.run_round_if_due().await.unwrap();
        }
    }
}

fn heard(bench: &Bench) -> Vec<String> {
    let alerts = bench.world.alerts.raised().into_iter().filter(|alert| alert.subject == "reconciliation");
    alerts.map(|alert| alert.message).collect()
}

#[tokio::test]
async fn the_operator_hears_of_each_difference_once_and_nothing_is_touched() {
    let bench = Bench::serving().await;
    a_day(&bench, REPORTING).await;
    assert_eq!(heard(&bench), Vec::<String>::new());
    let id = distribution(&bench);
    bench.world.cdn.change_by_hand(&id, |spec| spec.origin.path = "/elsewhere".into());
    let after = bench.world.cdn.spec(&id);
    for _ in 0..3 {
        a_day(&bench, REPORTING).await;
    }
    assert_eq!(
        heard(&bench),
        [format!(
            "the store and the world differ in 1 new way(s). distribution {id}: Its origin should be \
             https://apps.example.org and is https://apps.example.org/elsewhere. `cdn-broker reconcile` shows all."
        )]
    );
    assert_eq!(bench.world.cdn.spec(&id), after);
    let live = bench.certificates(CertificateState::Live)[0].vault_name.clone();
    bench.world.vault.delete_by_hand(&live);
    a_day(&bench, REPORTING).await;
    assert_eq!(heard(&bench).len(), 2);
    assert!(
        heard(&bench)[1].contains(&format!("certificate {live}")) && !heard(&bench)[1].contains("origin")
    );
}

/// Each look at the distributions is a call that AWS counts. The first one is at a random moment of the first day.
#[tokio::test]
async fn one_of_several_brokers_looks_once_a_day() {
    let bench = Bench::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let mut cdn = MockCdn::new();
    let counted = Arc::clone(&calls);
    cdn.expect_list().returning(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(Page { items: Vec::new(), next: None })
    });
    let ports = Ports { cdn: Arc::new(cdn), ..bench.ports() };
    let brokers = [(); 3].map(|()| Chores::new(ports.clone(), Arc::default()).with_rounds(REPORTING));
    for day in 1..=5 {
        for _ in 0..48 {
            bench.world.clock.advance(HOUR / 2);
            for broker in &brokers {
                broker.run_round_if_due().await.unwrap();
            }
        }
        assert_eq!(calls.load(Ordering::SeqCst), day);
    }
}

#[tokio::test]
async fn what_is_left_behind_goes_by_itself_when_the_operator_wants_it() {
    let bench = gone_twice().await;
    leave_behind(&bench).await;
    let fixing = RoundSettings { every: Duration::from_hours(6), fix: true };
    for _ in 0..4 {
        a_day(&bench, fixing).await;
    }
    let world = &bench.world;
    assert!(world.cdn.alive().is_empty() && world.vault.kept().is_empty());
    assert!(world.site.is_empty() && world.zone.is_empty());
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_said_once() {
    let bench = Bench::serving().await;
    let denied = || PortError::new("list the distributions", Remedy::AwaitOperator, "AccessDenied");
    bench.world.plan.fail("cdn.list", usize::MAX, denied);
    for _ in 0..3 {
        a_day(&bench, REPORTING).await;
    }
    assert_eq!(heard(&bench).len(), 1);
    assert!(
        heard(&bench)[0].contains("the list of distributions was not read to its end"),
        "{:?}",
        heard(&bench)
    );
}

/// A round that dies with its broker falls due again within the hour, and a shorter time between rounds holds at once.
#[tokio::test]
async fn a_round_is_not_lost() {
    let bench = Bench::serving().await;
    bench.world.cdn.change_by_hand(&distribution(&bench), |spec| spec.origin.insecure = true);
    let yearly = RoundSettings { every: Duration::from_hours(365 * 24), fix: false };
    rounds(&bench, yearly).run_round_if_due().await.unwrap();
    let broker = rounds(&bench, REPORTING);
    broker.run_round_if_due().await.unwrap();
    bench.world.clock.advance(DAY);
    bench.world.plan.fail("instances.list", 1, || {
        PortError::new("read", Remedy::Retry { after: None }, "the database is away")
    });
    assert!(broker.run_round_if_due().await.is_err());
    broker.run_round_if_due().await.unwrap();
    assert_eq!(heard(&bench).len(), 0);
    bench.world.clock.advance(HOUR);
    broker.run_round_if_due().await.unwrap();
    assert_eq!(heard(&bench).len(), 1);
}
