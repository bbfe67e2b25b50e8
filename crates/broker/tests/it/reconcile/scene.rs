//! A bench, and what a reconciler finds on it.

use std::time::Duration;

use broker::{Finding, Reconciler, Report};
use contract::testing::sample;
use contract::{
    Cdn, CertificateVault, ChallengeSite, DistributionId, InstanceId, InstanceState, ManagedZone,
    OperationKind, OperationState, Reference, VaultName,
};

use crate::harness::{Bench, DOMAINS, ID};

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The label of another organization's record, in the zone that is shared with it.
pub(crate) const FOREIGN_LABEL: &str = "abcdefghijklmnopqrstuvwxyz.cdn.example.";

pub(crate) async fn run(bench: &Bench, fix: bool) -> Report {
    Reconciler::new(bench.ports(), DAY).run(fix, &|_| {}).await.unwrap()
}

/// What is found, by its keys. The ids that the fakes give are of no interest here.
pub(crate) async fn found(bench: &Bench) -> Vec<String> {
    keys(&run(bench, false).await)
}

pub(crate) fn keys(report: &Report) -> Vec<String> {
    assert_eq!(report.unread, []);
    report.entries.iter().map(|entry| entry.finding.key()).collect()
}

/// What was done about each finding.
pub(crate) fn done(report: &Report) -> Vec<&str> {
    report.entries.iter().map(|entry| entry.done.as_deref().unwrap_or("nothing")).collect()
}

pub(crate) fn sentences(report: &Report) -> Vec<String> {
    report.entries.iter().map(|entry| entry.finding.sentence()).collect()
}

pub(crate) fn distribution(bench: &Bench) -> DistributionId {
    let alive = bench.world.cdn.alive();
    assert_eq!(alive.len(), 1);
    alive[0].id.clone()
}

/// How many updates were ever begun.
pub(crate) fn updates(bench: &Bench) -> usize {
    bench.world.store.operations().iter().filter(|one| one.kind == OperationKind::Update).count()
}

pub(crate) fn instance() -> InstanceId {
    InstanceId::new(ID)
}

/// An instance that was taken down, created again, and taken down again.
pub(crate) async fn gone_twice() -> Bench {
    let bench = Bench::serving().await;
    take_down(&bench).await;
    bench.provision_both().await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    take_down(&bench).await;
    bench
}

pub(crate) async fn take_down(bench: &Bench) {
    bench.deprovision().await;
    bench
        .work_until(async |bench| bench.instance().await.is_some_and(|one| one.state == InstanceState::Gone))
        .await;
}

/// Leaves one thing of each kind behind that this store has once made: a distribution of the first life, a certificate that is
/// written down as removed, an answer, a record.
pub(crate) async fn leave_behind(bench: &Bench) -> [DistributionId; 1] {
    let world = &bench.world;
    let spec = sample::spec(&instance(), None);
    let made = world.cdn.ensure(&Reference::new(format!("cdn-{ID}-1.2")), &spec).await.unwrap();
    let bundle = sample::bundle(77, &sample::names(&DOMAINS), contract::Clock::now(&world.clock));
    world.vault.ensure(&VaultName::new(format!("cdn-{ID}-1-1")), &bundle).await.unwrap();
    world.site.present(&instance(), "token", "answer").await.unwrap();
    let owner = format!("{}.cdn.example.", contract::durable_label("org-1", &sample::name(DOMAINS[0])));
    world.zone.point(&owner, "d0.cloudfront.net").await.unwrap();
    world.zone.add_txt(&format!("_acme-challenge.{owner}"), "value").await.unwrap();
    [made.id]
}

/// The same of another environment, whose broker has the same account, path, bucket and zone.
pub(crate) async fn of_others(bench: &Bench) -> DistributionId {
    let world = &bench.world;
    let theirs = InstanceId::new("7b1d0000-0000-4000-8000-000000000009");
    let spec = sample::spec(&theirs, None);
    let made = world.cdn.ensure(&Reference::new(format!("cdn-{theirs}-1")), &spec).await.unwrap();
    let bundle = sample::bundle(78, &sample::names(&["a.example.org"]), contract::Clock::now(&world.clock));
    world.vault.ensure(&VaultName::new(format!("cdn-{theirs}-1-1")), &bundle).await.unwrap();
    world.vault.ensure(&VaultName::new("somebody-elses"), &bundle).await.unwrap();
    world.site.present(&theirs, "token", "answer").await.unwrap();
    world.zone.point(FOREIGN_LABEL, "d9.cloudfront.net").await.unwrap();
    world.zone.point("www.cdn.example.", "d9.cloudfront.net").await.unwrap();
    made.id
}

pub(crate) fn unknown(report: &Report) -> Vec<String> {
    report.unknown.iter().map(Finding::key).collect()
}
