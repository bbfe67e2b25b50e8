//! Renewals: when they begin, what they leave alone, and who hears of them.

use std::time::Duration;

use contract::{
    CertificateIssuer, CertificateState, DomainState, OperationState, PortError, Remedy, VaultName,
};
use http::Method;
use serde_json::json;

use crate::harness::{Bench, DOMAINS, path};

const DAY: Duration = Duration::from_hours(24);

async fn serving() -> Bench {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    bench
}

/// Lets days pass, with a look at what is due on each of them.
async fn pass(bench: &Bench, days: u32) {
    for _ in 0..days {
        bench.world.clock.advance(DAY);
        bench.chores().run_due().await.unwrap();
        bench.worker().run_due().await.unwrap();
    }
}

#[tokio::test]
async fn the_platform_never_sees_a_renewal() {
    let bench = serving().await;
    let (before, fetched) = (bench.poll().await, bench.call(Method::GET, &path(), None).await);
    bench
        .live_until(async |bench| {
            assert_eq!(bench.poll().await.body, before.body);
            assert_eq!(bench.call(Method::GET, &path(), None).await.body, fetched.body);
            assert_eq!(bench.provision_both().await.status, 200, "there already");
            bench.renewals() == [OperationState::Succeeded]
        })
        .await;
}

#[tokio::test]
async fn a_renewal_says_what_it_replaces_and_what_is_served() {
    let bench = serving().await;
    let replaced = bench.certificates(CertificateState::Live)[0].facts.clone().unwrap();
    assert!(!bench.renew_until_the_end_or_death().await);
    let live = bench.certificates(CertificateState::Live).remove(0);
    let request = bench.world.issuer.request(&live.issuance).unwrap();
    assert_eq!(request.replaces, replaced.renewal_id);
    assert_eq!(request.needed_by, Some(replaced.not_after));
    assert_eq!(request.served, request.names);
    assert_ne!(live.facts.unwrap().fingerprint, replaced.fingerprint);
}

#[tokio::test]
async fn the_moment_is_inside_the_window_and_kept() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    assert!(!bench.work_until_the_end_or_death().await);
    let mut chosen = Vec::new();
    for _ in 0..5 {
        pass(&bench, 1).await;
        chosen.extend(bench.world.store.renewals().iter().map(|plan| plan.chosen.unwrap()));
    }
    let facts = bench.certificates(CertificateState::Live)[0].facts.clone().unwrap();
    let advice = bench.world.issuer.renewal(&facts).await.unwrap();
    assert!(chosen.iter().all(|one| (advice.from..=advice.until).contains(&one.at)), "{chosen:?}");
    assert!(chosen.windows(2).all(|two| two[0] == two[1]), "{chosen:?}");
}

#[tokio::test]
async fn an_idle_certificate_is_not_looked_at() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    assert!(!bench.work_until_the_end_or_death().await);
    bench.chores().run_due().await.unwrap();
    let idle = bench.world.plan.points_passed();
    bench.chores().run_due().await.unwrap();
    // Three questions, what is due of each kind and what stands in the way, and each passes two points.
    assert_eq!(bench.world.plan.points_passed() - idle, 6);
}

#[tokio::test]
async fn a_renewal_that_is_refused_touches_nothing_and_is_begun_again_afresh() {
    let bench = serving().await;
    let served = bench.world.cdn.alive();
    let refused = || PortError::new("obtain the certificate", Remedy::GiveUp, "rejectedIdentifier");
    bench.world.plan.fail("issuer.advance", 1, refused);
    bench.live_until(async |bench| bench.renewals() == [OperationState::Failed]).await;
    assert_eq!(bench.world.cdn.alive(), served);
    assert_eq!(bench.world.alerts.raised().len(), 1, "{:?}", bench.world.alerts.raised());
    assert!(!bench.renew_until_the_end_or_death().await);
    assert_eq!(bench.renewals(), [OperationState::Failed, OperationState::Succeeded]);
    assert_eq!((bench.world.vault.uploads(), bench.world.issuer.finalized_in_all()), (2, 2));
    assert_eq!(bench.certificates(CertificateState::Live)[0].generation, 3);
    assert_eq!(bench.world.vault.kept().len(), 1);
    assert!(
        bench.world.issuer.opened().iter().filter(|one| !bench.world.issuer.is_abandoned(one)).count() == 1
    );
}

#[tokio::test]
async fn the_operator_is_warned_once_per_stage_and_the_renewal_goes_on_beyond_expiry() {
    let bench = serving().await;
    for domain in DOMAINS {
        bench.world.issuer.unprove(&domain.parse_name());
    }
    pass(&bench, 40).await;
    let messages: Vec<String> = bench.world.alerts.raised().into_iter().map(|alert| alert.message).collect();
    let stages = ["a third of its life", "a tenth of its life", "a twentieth of its life", "has expired"];
    assert_eq!(messages.len(), stages.len(), "{messages:#?}");
    for (message, stage) in messages.iter().zip(stages) {
        assert!(message.contains(stage) && message.contains(DOMAINS[0]), "{message}");
    }
    assert_eq!(bench.renewals(), [OperationState::Running]);
    assert!(
        bench.world.store.domains().iter().all(|one| one.state == DomainState::Proven),
        "none can be proven"
    );
    bench.prove_all();
    assert!(!bench.renew_until_the_end_or_death().await);
    assert_eq!(bench.certificates(CertificateState::Live)[0].names.len(), 2);
}

#[tokio::test]
async fn a_name_that_can_no_longer_be_proven_leaves_with_the_swap() {
    let bench = serving().await;
    bench.world.issuer.unprove(&DOMAINS[1].parse_name());
    pass(&bench, 10).await;
    assert_eq!(bench.world.vault.uploads(), 1, "it waits for the user");
    let names = |bench: &Bench| bench.world.cdn.alive()[0].names.len();
    assert_eq!(names(&bench), 2);
    pass(&bench, 12).await;
    assert!(!bench.renew_until_the_end_or_death().await);
    assert_eq!(names(&bench), 1);
    let lapsed: Vec<_> =
        bench.world.store.domains().into_iter().filter(|one| one.state == DomainState::Lapsed).collect();
    assert_eq!(lapsed.len(), 1);
    assert_eq!(lapsed[0].name.as_str(), DOMAINS[1]);
    let told = bench.world.alerts.raised();
    assert_eq!(
        told.iter().filter(|alert| alert.message.contains("goes on without it")).count(),
        1,
        "{told:?}"
    );
    assert_eq!(bench.world.vault.kept().len(), 1);
    assert_eq!(bench.world.cdn.names_without_certificate(), None);
    pass(&bench, 61).await;
    bench.live_until(async |bench| bench.renewals().len() == 2 && bench.world.vault.uploads() == 3).await;
    assert_eq!(names(&bench), 1, "the next renewal does not ask for it either");
}

#[tokio::test]
async fn a_certificate_that_the_vault_holds_on_to_is_swept_and_holds_nobody_up() {
    let bench = serving().await;
    let held = || PortError::new("remove the certificate", Remedy::Retry { after: None }, "DeleteConflict");
    bench.world.plan.fail("vault.remove", 1000, held);
    assert!(!bench.renew_until_the_end_or_death().await);
    assert_eq!(bench.world.store.sweeps().len(), 1);
    bench.deprovision().await;
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    assert_eq!(bench.world.store.sweeps().len(), 2);
    assert!(bench.world.alerts.raised().is_empty());
    pass(&bench, 2).await;
    let told: Vec<String> = bench.world.alerts.raised().into_iter().map(|alert| alert.subject).collect();
    let kept: Vec<String> = bench.world.vault.kept().iter().map(VaultName::to_string).collect();
    assert_eq!(told.len(), 2, "once for each: {told:?}");
    assert!(kept.iter().all(|name| told.contains(&format!("certificate {name}"))), "{told:?}");
    bench.world.plan.mend("vault.remove");
    pass(&bench, 2).await;
    assert_eq!((bench.world.store.sweeps(), bench.world.vault.kept()), (vec![], vec![]));
}

/// D10: a user who begins an update and does not finish it keeps no renewal away, neither while it waits nor afterwards.
#[tokio::test]
async fn d10_an_update_that_waits_in_vain_keeps_no_renewal_away() {
    for given_up in [false, true] {
        let bench = serving().await;
        bench.update(json!({"domains": [DOMAINS[0], DOMAINS[1], "new.example.gov"]})).await;
        bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
        if given_up {
            bench.world.clock.advance(bench.pace.update_proof_wait);
            bench.work_until(async |bench| bench.latest().await == Some(OperationState::Failed)).await;
        }
        assert!(!bench.renew_until_the_end_or_death().await);
        let live = bench.certificates(CertificateState::Live);
        assert_eq!((live.len(), live[0].names.len()), (1, DOMAINS.len()), "{given_up}");
    }
}

/// Short for names that are written down in these tests.
trait ParseName {
    fn parse_name(&self) -> contract::DomainName;
}

impl ParseName for str {
    fn parse_name(&self) -> contract::DomainName {
        contract::testing::sample::name(self)
    }
}
