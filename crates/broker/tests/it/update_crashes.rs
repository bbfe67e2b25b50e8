//! The process dies: before and after every single call of every port, in both plans of an update. What was served is
//! served at every moment; at the end the update is done, or the instance is gone, and nothing is orphaned.

use std::time::Duration;

use contract::testing::{Outcome, until_crash};
use contract::{DomainName, InstanceId, InstanceState, OperationState};
use serde_json::{Value, json};

use crate::harness::{Bench, DOMAINS, ID};

const ADDED: &str = "new.example.gov";

/// One kind of update, and what it leads to.
struct Case {
    parameters: Value,
    names: &'static [&'static str],
    certificates: usize,
}

/// Without a new certificate, and with one.
fn cases() -> [Case; 2] {
    [
        Case {
            parameters: json!({"domain": DOMAINS[0], "path": "/p", "invalidate": ["/*"]}),
            names: &DOMAINS[..1],
            certificates: 1,
        },
        Case {
            parameters: json!({"domains": [DOMAINS[0], ADDED], "path": "/p"}),
            names: &["www.example.gov", ADDED],
            certificates: 2,
        },
    ]
}

async fn serving() -> Bench {
    let bench = Bench::serving().await;
    bench.world.issuer.prove(&DomainName::parse(ADDED).unwrap());
    bench
}

fn check_always(bench: &Bench, case: &Case, context: &str) {
    let world = &bench.world;
    assert!(world.cdn.most_alive(&InstanceId::new(ID)) <= 1, "two distributions: {context}");
    assert_eq!(world.cdn.names_without_certificate(), None, "{context}");
    assert!(world.vault.uploads() <= case.certificates, "one upload too many: {context}");
    assert!(world.issuer.finalized_in_all() <= case.certificates, "one order too many: {context}");
    // The name that stays was served under some certificate in every state that the CDN was ever told.
    let kept = DomainName::parse(DOMAINS[0]).unwrap();
    for write in world.cdn.journal() {
        if let contract::testing::Write::Updated(_, names, _) = write {
            assert!(names.contains(&kept), "{context}");
        }
    }
}

async fn check_done(bench: &Bench, case: &Case, context: &str) {
    check_always(bench, case, context);
    let instance = bench.instance().await.unwrap();
    assert_eq!(instance.state, InstanceState::Ready, "{context}");
    assert_eq!(instance.settings.origin.path, "/p", "{context}");
    let alive = bench.world.cdn.alive();
    assert!(alive.len() == 1 && alive[0].deployed && alive[0].enabled, "{context}");
    let mut names: Vec<&str> = alive[0].names.iter().map(DomainName::as_str).collect();
    names.sort_unstable_by_key(|name| case.names.iter().position(|wanted| wanted == name));
    assert_eq!(names, case.names, "{context}");
    assert_eq!(bench.world.vault.kept().len(), 1, "{context}");
    assert_eq!(bench.world.issuer.finalized_in_all(), case.certificates, "{context}");
}

fn check_gone(bench: &Bench, case: &Case, context: &str) {
    check_always(bench, case, context);
    assert!(bench.world.cdn.alive().is_empty(), "a distribution is left: {context}");
    assert!(bench.world.vault.kept().is_empty(), "a certificate is left: {context}");
    assert!(bench.world.site.is_empty(), "a proof is left: {context}");
    for issuance in bench.world.issuer.opened() {
        assert!(bench.world.issuer.is_abandoned(&issuance), "a key is left: {context}");
    }
}

async fn go_on(bench: &Bench) {
    bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
    assert!(!bench.work_until_the_end_or_death().await, "died twice");
}

/// The points before the update, after its acceptance and after its end.
async fn points(case: &Case) -> (u64, u64, u64) {
    let bench = serving().await;
    let before = bench.world.plan.points_passed();
    bench.update(case.parameters.clone()).await;
    let accepted = bench.world.plan.points_passed();
    assert!(!bench.work_until_the_end_or_death().await);
    check_done(&bench, case, "no crash").await;
    (before, accepted, bench.world.plan.points_passed())
}

#[tokio::test]
async fn lost_at_any_point_of_an_update() {
    for case in cases() {
        let (before, _, end) = points(&case).await;
        for point in before + 1..=end {
            let bench = serving().await;
            bench.world.plan.crash_at(point);
            let accept = until_crash(&bench.world.plan, bench.update(case.parameters.clone())).await;
            if matches!(accept, Outcome::Crashed) {
                // The platform got no answer, and its user asks again.
                let again = bench.update(case.parameters.clone()).await;
                assert_eq!(again.status, 202, "{point}: {again:?}");
            }
            if bench.work_until_the_end_or_death().await {
                go_on(&bench).await;
            }
            let context = format!("{point}: {:?}", bench.world.plan.died_at());
            assert_eq!(bench.latest().await, Some(OperationState::Succeeded), "{context}");
            check_done(&bench, &case, &context).await;
        }
    }
}

#[tokio::test]
async fn lost_in_an_update_and_then_deleted() {
    for case in cases() {
        let (_, accepted, end) = points(&case).await;
        for point in accepted + 1..=end {
            let bench = serving().await;
            bench.update(case.parameters.clone()).await;
            bench.world.plan.crash_at(point);
            bench.work_until_the_end_or_death().await;
            bench.deprovision().await;
            go_on(&bench).await;
            check_gone(&bench, &case, &format!("{point}: {:?}", bench.world.plan.died_at()));
        }
    }
}

/// The update fails for want of proof, wherever the process dies in it, and the same update goes on where it stopped.
#[tokio::test]
async fn lost_in_an_update_that_fails_and_then_repeated() {
    let [_, case] = cases();
    let (_, accepted, end) = points(&case).await;
    for point in accepted + 1..=end {
        let bench = Bench::serving().await;
        bench.update(case.parameters.clone()).await;
        bench.world.plan.crash_at(point);
        if !bench.work_until_the_end_or_death().await {
            // It has not died: it was given up before it came to this point.
            break;
        }
        go_on(&bench).await;
        let context = format!("{point}: {:?}", bench.world.plan.died_at());
        assert_eq!(bench.latest().await, Some(OperationState::Failed), "{context}");
        assert_eq!(bench.world.cdn.alive()[0].names.len(), DOMAINS.len(), "{context}");
        bench.world.issuer.prove(&DomainName::parse(ADDED).unwrap());
        assert_eq!(bench.update(case.parameters.clone()).await.status, 202, "{context}");
        assert!(!bench.work_until_the_end_or_death().await);
        check_done(&bench, &case, &context).await;
        assert_eq!(bench.world.issuer.orders_placed(), 2, "{context}");
    }
}
