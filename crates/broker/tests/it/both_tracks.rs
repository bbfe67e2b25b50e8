//! A renewal and an update of the same instance: whichever comes first, and wherever the process dies, the update is done
//! at the end, one certificate is live, and nothing else is left.

use std::time::Duration;

use contract::testing::Write;
use contract::{CertificateState, DomainName, InstanceState, OperationState};
use serde_json::{Value, json};

use crate::harness::{Bench, DOMAINS};

const ADDED: &str = "new.example.gov";

async fn due() -> Bench {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    bench.world.issuer.prove(&DomainName::parse(ADDED).unwrap());
    bench
}

/// The points that a renewal passes.
async fn points() -> std::ops::RangeInclusive<u64> {
    let bench = due().await;
    let before = bench.world.plan.points_passed();
    assert!(!bench.renew_until_the_end_or_death().await);
    before + 1..=bench.world.plan.points_passed()
}

/// An update that comes when the renewal has got as far as `point`, where its process dies.
async fn updated_at(point: u64, parameters: &Value) -> Bench {
    let bench = due().await;
    bench.world.plan.crash_at(point);
    bench.renew_until_the_end_or_death().await;
    let accepted = bench.update(parameters.clone()).await;
    assert_eq!(accepted.status, 202, "{point}: {accepted:?}");
    bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
    bench
        .live_until(async |bench| {
            bench.latest().await == Some(OperationState::Succeeded)
                && !bench.renewals().contains(&OperationState::Running)
                && bench.world.store.renewals().iter().all(|plan| plan.generation > 1)
        })
        .await;
    bench
}

/// How many certificates the vault held at once, at most.
fn most_kept(bench: &Bench) -> usize {
    let (mut kept, mut most) = (0_usize, 0);
    for write in bench.world.cdn.journal() {
        match write {
            Write::Uploaded(..) => kept += 1,
            Write::Dropped(_) => kept -= 1,
            _ => {}
        }
        most = most.max(kept);
    }
    most
}

async fn check(bench: &Bench, names: &[&str], context: &str) {
    let world = &bench.world;
    assert_eq!(world.cdn.names_without_certificate(), None, "{context}");
    assert!(most_kept(bench) <= 2, "more than the served and the next certificate: {context}");
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Ready, "{context}");
    let alive = world.cdn.alive();
    assert!(alive.len() == 1 && alive[0].deployed && alive[0].enabled, "{context}");
    let mut served: Vec<&str> = alive[0].names.iter().map(DomainName::as_str).collect();
    served.sort_unstable();
    assert_eq!(served, names, "{context}");
    let live = bench.certificates(CertificateState::Live);
    assert_eq!(live.len(), 1, "{context}");
    assert_eq!(alive[0].certificate, live[0].stored, "{context}");
    assert_eq!(world.vault.kept(), [live[0].vault_name.clone()], "{context}");
    for issuance in world.issuer.opened() {
        assert_eq!(world.issuer.is_abandoned(&issuance), issuance != live[0].issuance, "{context}");
    }
    let path = world.cdn.spec(&alive[0].id).map(|spec| spec.origin.path);
    assert_eq!(path.as_deref(), Some("/p"), "the renewal has undone the update: {context}");
    assert!(world.site.is_empty(), "{context}");
}

#[tokio::test]
async fn an_update_that_adds_a_name_supersedes_a_renewal_wherever_it_is() {
    let parameters = json!({"domains": [DOMAINS[0], DOMAINS[1], ADDED], "path": "/p"});
    for point in points().await {
        let bench = updated_at(point, &parameters).await;
        let context = format!("{point}: {:?}", bench.world.plan.died_at());
        check(&bench, &[DOMAINS[1], ADDED, DOMAINS[0]], &context).await;
        assert!(bench.world.issuer.finalized_in_all() <= 3, "{context}");
    }
}

#[tokio::test]
async fn a_renewal_and_an_update_without_a_certificate_go_on_side_by_side() {
    for point in points().await {
        let bench = updated_at(point, &json!({"path": "/p"})).await;
        let context = format!("{point}: {:?}", bench.world.plan.died_at());
        check(&bench, &[DOMAINS[1], DOMAINS[0]], &context).await;
        assert_eq!(bench.world.issuer.finalized_in_all(), 2, "{context}");
        assert_eq!(bench.renewals(), [OperationState::Succeeded], "{context}");
    }
}

/// The renewal is for other names then, and begins with their certificate instead of failing for want of one.
#[tokio::test]
async fn a_renewal_that_waits_for_room_goes_on_with_the_names_that_an_update_leaves() {
    let bench = due().await;
    bench.world.vault.set_room(1);
    bench.live_until(async |bench| bench.world.alerts.raised().len() == 1).await;
    assert_eq!(bench.update(json!({"domain": DOMAINS[0], "path": "/p"})).await.status, 202);
    bench.live_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    bench.world.vault.set_room(2);
    bench.live_until(async |bench| bench.renewals() == [OperationState::Succeeded]).await;
    let live = bench.certificates(CertificateState::Live);
    assert_eq!(live[0].names, [DomainName::parse(DOMAINS[0]).unwrap()]);
    assert_eq!(bench.world.vault.kept(), [live[0].vault_name.clone()]);
}
