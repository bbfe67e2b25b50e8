//! The process dies: before and after every single call of every port, in every plan, and between them. At the end there
//! is exactly one distribution and one certificate, or none, and nothing is orphaned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use broker::{WorkSettings, Worker};
use contract::testing::{MemoryStore, Outcome, until_crash};
use contract::{
    CertificateState, Claim, Cursor, DomainState, InstanceId, InstanceState, LeaseToken, LogEntry,
    OperationState, PortResult, Timestamp, WorkQueue,
};

use crate::harness::{Bench, DOMAINS, ID};

/// What must be true of the world whatever happened in it while `most` certificates were wanted.
fn check_always(bench: &Bench, most: usize, context: &str) {
    let world = &bench.world;
    assert!(world.cdn.most_alive(&InstanceId::new(ID)) <= 1, "two distributions: {context}");
    assert_eq!(world.cdn.names_without_certificate(), None, "{context}");
    assert!(world.vault.uploads() <= most, "one upload too many: {context}");
    assert!(world.issuer.finalized_in_all() <= most, "one finalized order too many: {context}");
    assert!(bench.certificates(CertificateState::Live).len() <= 1, "two live certificates: {context}");
}

async fn check_served(bench: &Bench, context: &str) {
    check_serves(bench, 1, context).await;
}

async fn check_renewed(bench: &Bench, context: &str) {
    check_serves(bench, 2, context).await;
    let live = bench.certificates(CertificateState::Live);
    assert_eq!(live[0].generation, 2, "{context}");
    assert_eq!(bench.world.vault.kept(), [live[0].vault_name.clone()], "the old one is removed: {context}");
    let removed = bench.certificates(CertificateState::Removed);
    assert!(bench.world.issuer.is_abandoned(&removed[0].issuance), "the old key is left: {context}");
    let plans = bench.world.store.renewals();
    assert_eq!(plans.iter().map(|plan| plan.generation).collect::<Vec<_>>(), [2], "{context}");
    assert!(bench.world.alerts.raised().is_empty(), "{context}: {:?}", bench.world.alerts.raised());
}

/// Serves under the certificate that is live, the last of `certificates` that there were.
async fn check_serves(bench: &Bench, certificates: usize, context: &str) {
    check_always(bench, certificates, context);
    let instance = bench.instance().await.unwrap();
    assert_eq!(instance.state, InstanceState::Ready, "{context}");
    let alive = bench.world.cdn.alive();
    assert_eq!(alive.len(), 1, "{context}");
    assert_eq!(Some(&alive[0].id), instance.distribution.as_ref(), "{context}");
    assert!(alive[0].deployed && alive[0].enabled, "{context}");
    assert_eq!(alive[0].names.len(), DOMAINS.len(), "{context}");
    assert_eq!(bench.world.vault.kept().len(), 1, "{context}");
    assert_eq!(bench.world.issuer.finalized_in_all(), certificates, "{context}");
    let live = bench.certificates(CertificateState::Live);
    assert_eq!(live.len(), 1, "{context}");
    assert_eq!(alive[0].certificate, live[0].stored, "{context}");
    assert!(bench.world.site.is_empty(), "a proof is left: {context}");
    for name in DOMAINS {
        assert_eq!(bench.managed_target(name), instance.distribution_domain, "{name}: {context}");
    }
    let names = bench.world.store.domains();
    assert!(
        names.len() == DOMAINS.len() && names.iter().all(|one| one.state == DomainState::Proven),
        "{context}"
    );
}

async fn check_gone(bench: &Bench, certificates: usize, context: &str) {
    check_always(bench, certificates, context);
    assert_eq!(bench.world.store.renewals(), [], "{context}");
    assert_eq!(bench.world.store.domains(), [], "a name is not given back: {context}");
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Gone, "{context}");
    assert!(bench.world.cdn.alive().is_empty(), "a distribution is left: {context}");
    assert!(bench.world.vault.kept().is_empty(), "a certificate is left: {context}");
    assert!(bench.world.site.is_empty(), "a proof is left: {context}");
    assert!(bench.world.zone.is_empty(), "a record is left: {context}");
    for issuance in bench.world.issuer.opened() {
        assert!(bench.world.issuer.is_abandoned(&issuance), "a key is left: {context}");
    }
}

/// Goes on after a death, until the operation has ended. The lease of the dead process has to run out first.
async fn go_on(bench: &Bench) {
    bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
    assert!(!bench.work_until_the_end_or_death().await, "died twice");
}

/// How many points a whole provision passes, and then how many a provision and a deprovision pass together.
async fn points() -> (u64, u64, u64) {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    let accepted = bench.world.plan.points_passed();
    assert!(!bench.work_until_the_end_or_death().await);
    check_served(&bench, "no crash").await;
    let provisioned = bench.world.plan.points_passed();
    bench.deprovision().await;
    assert!(!bench.work_until_the_end_or_death().await);
    check_gone(&bench, 1, "no crash").await;
    (accepted, provisioned, bench.world.plan.points_passed())
}

#[tokio::test]
async fn lost_at_any_point_of_a_provision() {
    let (accepted, provisioned, _) = points().await;
    for point in accepted + 1..=provisioned {
        let bench = Bench::new();
        bench.prove_all();
        bench.provision_both().await;
        bench.world.plan.crash_at(point);
        let died = bench.work_until_the_end_or_death().await;
        if died {
            go_on(&bench).await;
        }
        check_served(&bench, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
    }
}

#[tokio::test]
async fn lost_at_any_point_of_a_deprovision() {
    let (_, provisioned, all) = points().await;
    for point in provisioned + 1..=all {
        let bench = Bench::new();
        bench.prove_all();
        bench.provision_both().await;
        assert!(!bench.work_until_the_end_or_death().await);
        bench.world.plan.crash_at(point);
        let accept = until_crash(&bench.world.plan, bench.deprovision()).await;
        if matches!(accept, Outcome::Crashed) {
            // The platform got no answer; it asks again, as Cloud Controller's user does.
            bench.deprovision().await;
        }
        if bench.work_until_the_end_or_death().await {
            go_on(&bench).await;
        }
        check_gone(&bench, 1, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
    }
}

#[tokio::test]
async fn lost_in_a_provision_and_then_deleted() {
    let (accepted, provisioned, _) = points().await;
    for point in accepted + 1..=provisioned {
        let bench = Bench::new();
        bench.prove_all();
        bench.provision_both().await;
        bench.world.plan.crash_at(point);
        bench.work_until_the_end_or_death().await;
        bench.deprovision().await;
        go_on(&bench).await;
        check_gone(&bench, 1, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
    }
}

#[tokio::test]
async fn a_provision_whose_answer_was_lost_is_there_or_not_but_never_half() {
    let (accepted, _, _) = points().await;
    for point in 1..=accepted {
        let bench = Bench::new();
        bench.prove_all();
        bench.world.plan.crash_at(point);
        until_crash(&bench.world.plan, bench.provision_both()).await;
        let again = bench.provision_both().await;
        assert_eq!(again.status, 202, "{point}: {again:?}");
        assert!(!bench.work_until_the_end_or_death().await);
        check_served(&bench, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
    }
}

/// A bench whose instance is due for renewal, and the points that the renewal passes.
async fn renewal_points() -> std::ops::RangeInclusive<u64> {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    let before = bench.world.plan.points_passed();
    assert!(!bench.renew_until_the_end_or_death().await);
    check_renewed(&bench, "no crash").await;
    before + 1..=bench.world.plan.points_passed()
}

#[tokio::test]
async fn lost_at_any_point_of_a_renewal() {
    for point in renewal_points().await {
        let bench = Bench::new();
        bench.serve_until_renewal_is_due().await;
        bench.world.plan.crash_at(point);
        if bench.renew_until_the_end_or_death().await {
            bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
            assert!(!bench.renew_until_the_end_or_death().await, "died twice");
        }
        check_renewed(&bench, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
        assert_eq!(bench.renewals().len(), 1, "{point}: begun once");
    }
}

#[tokio::test]
async fn lost_in_a_renewal_and_then_deleted() {
    for point in renewal_points().await {
        let bench = Bench::new();
        bench.serve_until_renewal_is_due().await;
        bench.world.plan.crash_at(point);
        bench.renew_until_the_end_or_death().await;
        bench.deprovision().await;
        go_on(&bench).await;
        check_gone(&bench, 2, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
        assert!(!bench.renewals().contains(&OperationState::Running), "{point}");
    }
}

/// A queue that loses every other answer about the cursor, so that every step is run twice.
pub(crate) struct Twice {
    pub(crate) inner: MemoryStore,
    pub(crate) lose: AtomicBool,
}

#[async_trait]
impl WorkQueue for Twice {
    async fn claim(&self, token: &LeaseToken, lease: Duration) -> PortResult<Option<Claim>> {
        self.inner.claim(token, lease).await
    }

    async fn save(&self, claim: &Claim, cursor: &Cursor, lease: Duration) -> PortResult<bool> {
        if self.lose.fetch_xor(true, Ordering::Relaxed) {
            return Ok(false);
        }
        self.inner.save(claim, cursor, lease).await
    }

    async fn release(&self, claim: &Claim) -> PortResult<()> {
        self.inner.release(claim).await
    }

    async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        self.inner.next_due().await
    }

    async fn wake(&self, scope: &str, at: Timestamp, spread: Duration) -> PortResult<usize> {
        self.inner.wake(scope, at, spread).await
    }

    async fn log(&self, entry: &LogEntry) -> PortResult<()> {
        self.inner.log(entry).await
    }
}

async fn run_every_step_twice(bench: &Bench, ended: impl Fn(Option<OperationState>) -> bool) {
    let queue = Twice { inner: bench.world.store.clone(), lose: AtomicBool::new(true) };
    let worker = Worker::new(bench.ports_with_queue(Arc::new(queue)), WorkSettings::default());
    for _ in 0..200 {
        worker.run_due().await.unwrap();
        if ended(bench.latest().await) {
            return;
        }
        bench.world.clock.advance(Duration::from_secs(30));
    }
    panic!("never ended");
}

#[tokio::test]
async fn every_step_run_twice() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    let not_running = |latest| latest != Some(OperationState::Running);
    run_every_step_twice(&bench, not_running).await;
    check_served(&bench, "twice").await;
    bench.world.clock.advance(Duration::from_hours(63 * 24));
    bench.chores().run_due().await.unwrap();
    run_every_step_twice(&bench, |_| bench.renewals() == [OperationState::Succeeded]).await;
    check_renewed(&bench, "twice").await;
    bench.deprovision().await;
    run_every_step_twice(&bench, not_running).await;
    check_gone(&bench, 2, "twice").await;
}
