//! Something of an instance is lost, or all of it, and an operator has it rebuilt. Wherever the process dies meanwhile, at
//! the end there is exactly one distribution under one certificate, and no certificate was obtained without need.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use broker::{Asked, WorkSettings, Worker};
use contract::testing::{Outcome, until_crash};
use contract::{
    CertificateState, DomainName, DomainState, InstanceId, InstanceState, OperationKind, OperationState,
    PortError, Remedy,
};
use serde_json::json;

use crate::crashes::Twice;
use crate::harness::{Bench, CHALLENGE_HOST, DOMAINS, ID};

/// What happens to an instance before it is recreated, and what it takes to bring it back.
struct Case {
    what: &'static str,
    before: &'static [&'static str],
    /// How many distributions were made in the end, certificates issued, and uploads made.
    made: [usize; 3],
}

const CASES: &[Case] = &[
    Case { what: "nothing is lost", before: &[], made: [1, 1, 1] },
    Case { what: "the distribution is lost", before: &["distribution"], made: [2, 1, 1] },
    Case { what: "the certificate is lost", before: &["certificate"], made: [1, 1, 2] },
    Case { what: "the account is lost", before: &["distribution", "certificate"], made: [2, 1, 2] },
    Case { what: "the distribution is switched off", before: &["switch"], made: [1, 1, 1] },
    Case { what: "the key is lost too", before: &["distribution", "certificate", "key"], made: [2, 2, 2] },
    Case { what: "it has all expired", before: &["distribution", "certificate", "time"], made: [2, 2, 2] },
];

impl Bench {
    /// An instance that serves, and to which this has happened.
    async fn afflicted(case: &Case) -> Self {
        let bench = Self::serving().await;
        for affliction in case.before {
            bench.befalls(affliction).await;
        }
        bench
    }

    async fn befalls(&self, affliction: &str) {
        let world = &self.world;
        let live = self.certificates(CertificateState::Live).remove(0);
        let distribution = self.instance().await.and_then(|instance| instance.distribution).unwrap();
        match affliction {
            "distribution" => world.cdn.lose(&distribution),
            "certificate" => world.vault.lose(&live.vault_name),
            "switch" => contract::Cdn::disable(&world.cdn, &distribution).await.unwrap(),
            "key" => contract::CertificateIssuer::abandon(&world.issuer, &live.issuance).await.unwrap(),
            "time" => world.clock.advance(Duration::from_hours(91 * 24)),
            other => unreachable!("{other}"),
        }
    }

    async fn recreate(&self) -> Asked {
        self.operator().recreate(&InstanceId::new(ID)).await.unwrap()
    }

    fn distributions_made(&self) -> usize {
        let created =
            |write: &contract::testing::Write| matches!(write, contract::testing::Write::Created(..));
        self.world.cdn.journal().iter().filter(|write| created(write)).count()
    }
}

async fn check_rebuilt(bench: &Bench, case: &Case, context: &str) {
    let context = format!("{}: {context}", case.what);
    let world = &bench.world;
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded), "{context}");
    check_always(bench, case, &context);
    let issued = world.issuer.finalized_in_all();
    assert_eq!([bench.distributions_made(), issued, world.vault.uploads()], case.made, "{context}");
    let instance = bench.instance().await.unwrap();
    assert_eq!(instance.state, InstanceState::Ready, "{context}");
    let alive = world.cdn.alive();
    assert!(alive.len() == 1 && alive[0].deployed && alive[0].enabled, "{context}: {alive:?}");
    assert_eq!(Some(&alive[0].id), instance.distribution.as_ref(), "{context}");
    assert_eq!(alive[0].names.len(), DOMAINS.len(), "{context}");
    let live = bench.certificates(CertificateState::Live);
    assert_eq!(live.len(), 1, "{context}");
    assert_eq!(alive[0].certificate, live[0].stored, "{context}");
    assert_eq!(world.vault.kept(), [live[0].vault_name.clone()], "{context}");
    assert!(!world.issuer.is_abandoned(&live[0].issuance), "the key is gone: {context}");
    for name in DOMAINS {
        assert_eq!(bench.managed_target(name), instance.distribution_domain, "{name}: {context}");
    }
    let names = world.store.domains();
    assert!(names.len() == DOMAINS.len() && names.iter().all(|one| one.state == DomainState::Proven));
    let plans = world.store.renewals();
    assert_eq!(plans.iter().map(|plan| plan.generation).collect::<Vec<_>>(), [live[0].generation]);
    assert!(world.site.is_empty(), "a proof is left: {context}");
    assert!(world.alerts.raised().is_empty(), "{context}: {:?}", world.alerts.raised());
}

fn check_always(bench: &Bench, case: &Case, context: &str) {
    let world = &bench.world;
    assert!(world.cdn.most_alive(&InstanceId::new(ID)) <= 1, "two distributions: {context}");
    // A certificate that is deleted under its distribution is what CloudFront would not allow.
    assert!(case.before == ["certificate"] || world.cdn.names_without_certificate().is_none(), "{context}");
    assert!(bench.distributions_made() <= case.made[0], "a distribution too many: {context}");
    assert!(world.issuer.finalized_in_all() <= case.made[1], "an order too many: {context}");
    assert!(world.vault.uploads() <= case.made[2], "an upload too many: {context}");
}

async fn go_on(bench: &Bench) {
    bench.world.clock.advance(bench.pace.lease() + Duration::from_secs(1));
    assert!(!bench.work_until_the_end_or_death().await, "died twice");
}

/// The points that a recreation passes, from its acceptance on.
async fn points(case: &Case) -> std::ops::RangeInclusive<u64> {
    let bench = Bench::afflicted(case).await;
    let before = bench.world.plan.points_passed();
    assert!(matches!(bench.recreate().await, Asked::Begun(_)));
    assert!(!bench.work_until_the_end_or_death().await);
    check_rebuilt(&bench, case, "no crash").await;
    before + 1..=bench.world.plan.points_passed()
}

#[tokio::test]
async fn lost_at_any_point_of_a_recreation() {
    for case in CASES {
        for point in points(case).await {
            let bench = Bench::afflicted(case).await;
            bench.world.plan.crash_at(point);
            if until_crash(&bench.world.plan, bench.recreate()).await == Outcome::Crashed {
                // Whether it was begun, nobody knows; asking again is right in either case.
                assert!(!matches!(bench.recreate().await, Asked::Refused(_)), "{point}");
            }
            if bench.work_until_the_end_or_death().await {
                go_on(&bench).await;
            }
            check_rebuilt(&bench, case, &format!("{point}: {:?}", bench.world.plan.died_at())).await;
        }
    }
}

#[tokio::test]
async fn lost_in_a_recreation_and_then_deleted() {
    for case in CASES {
        for point in points(case).await {
            let bench = Bench::afflicted(case).await;
            bench.world.plan.crash_at(point);
            until_crash(&bench.world.plan, async {
                bench.recreate().await;
                bench.work_until(async |bench| bench.latest().await != Some(OperationState::Running)).await;
            })
            .await;
            assert_eq!(bench.deprovision().await.status, 202);
            go_on(&bench).await;
            let context = format!("{}: {point}: {:?}", case.what, bench.world.plan.died_at());
            // A reference that was stored before its first use is settled by one more create, which is taken back.
            let settled = Case { made: [case.made[0].max(2), case.made[1], case.made[2]], ..*case };
            check_always(&bench, &settled, &context);
            assert_eq!(bench.instance().await.unwrap().state, InstanceState::Gone, "{context}");
            assert!(bench.world.cdn.alive().is_empty(), "a distribution is left: {context}");
            assert!(bench.world.vault.kept().is_empty(), "a certificate is left: {context}");
            assert!(bench.world.zone.is_empty() && bench.world.site.is_empty(), "{context}");
            for issuance in bench.world.issuer.opened() {
                assert!(bench.world.issuer.is_abandoned(&issuance), "a key is left: {context}");
            }
        }
    }
}

#[tokio::test]
async fn every_step_of_a_recreation_run_twice() {
    for case in CASES {
        let bench = Bench::afflicted(case).await;
        assert!(matches!(bench.recreate().await, Asked::Begun(_)));
        let queue = Twice { inner: bench.world.store.clone(), lose: AtomicBool::new(true) };
        let worker = Worker::new(bench.ports_with_queue(Arc::new(queue)), WorkSettings::default());
        for _ in 0..200 {
            worker.run_due().await.unwrap();
            bench.world.clock.advance(Duration::from_secs(30));
        }
        check_rebuilt(&bench, case, "twice").await;
    }
}

/// A renewal that was underway when the account was lost gives way; what it had obtained is used, and nothing is left.
#[tokio::test]
async fn recreated_at_any_point_of_a_renewal() {
    let due = async || {
        let bench = Bench::new();
        bench.serve_until_renewal_is_due().await;
        bench
    };
    let bench = due().await;
    let before = bench.world.plan.points_passed();
    assert!(!bench.renew_until_the_end_or_death().await);
    for point in before + 1..=bench.world.plan.points_passed() {
        let bench = due().await;
        bench.world.plan.crash_at(point);
        bench.renew_until_the_end_or_death().await;
        let context = format!("{point}: {:?}", bench.world.plan.died_at());
        bench.befalls("distribution").await;
        for name in bench.world.vault.kept() {
            bench.world.vault.lose(&name);
        }
        assert!(matches!(bench.recreate().await, Asked::Begun(_)), "{context}");
        go_on(&bench).await;
        let live = bench.certificates(CertificateState::Live);
        assert_eq!(live.len(), 1, "{context}");
        assert_eq!(bench.world.vault.kept(), [live[0].vault_name.clone()], "{context}");
        assert_eq!(bench.world.cdn.alive()[0].certificate, live[0].stored, "{context}");
        assert!(bench.world.issuer.finalized_in_all() <= 2, "{context}");
        // The renewal that gave way is begun again by itself.
        bench.world.clock.advance(Duration::from_hours(48));
        bench
            .live_until(async |bench| {
                bench.certificates(CertificateState::Live).iter().any(|live| live.generation > 1)
                    && bench.world.vault.kept().len() == 1
            })
            .await;
        assert!(bench.world.issuer.finalized_in_all() <= 2, "{context}");
    }
}

#[tokio::test]
async fn an_instance_that_could_not_be_provisioned_is_made_to_serve() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    bench.world.plan.fail("cdn.apply", 1, || PortError::new("attach", Remedy::GiveUp, "InvalidArgument"));
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::ProvisionFailed);
    assert!(matches!(bench.recreate().await, Asked::Begun(_)));
    assert_eq!(
        bench.update(json!({"path": "/p"})).await.status,
        422,
        "it is no instance that can be changed"
    );
    assert!(!bench.work_until_the_end_or_death().await);
    let raised = bench.world.alerts.raised().len();
    assert_eq!(raised, 1, "only of the failure itself");
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Ready);
    assert_eq!(bench.world.issuer.finalized_in_all(), 1, "what was issued is used");
    assert_eq!((bench.distributions_made(), bench.world.vault.uploads()), (1, 1));
    assert_eq!(bench.world.cdn.alive()[0].names.len(), DOMAINS.len());
}

/// The old distribution of a lost account holds the names: the user reads it, and it goes on when they are free.
#[tokio::test]
async fn names_that_a_lost_account_still_holds_are_waited_for() {
    let bench = Bench::serving().await;
    bench.befalls("distribution").await;
    bench.befalls("certificate").await;
    let name = DomainName::parse(DOMAINS[0]).unwrap();
    bench.world.cdn.occupy(&name);
    bench.recreate().await;
    bench.work_until(async |bench| bench.shown_while_busy().await.contains("another CDN distribution")).await;
    bench.world.cdn.vacate(&name);
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    assert_eq!(bench.world.issuer.finalized_in_all(), 1, "the certificate is kept meanwhile");
}

impl Bench {
    /// What `cf update-service -c '{}'` says.
    async fn shown_while_busy(&self) -> String {
        let look = self.update(json!({})).await;
        assert_eq!(look.status, 200, "{look:?}");
        look.text("description").to_owned()
    }
}

/// With its certificate lost for good, the instance needs its user again: the records lead to the challenge host, and the
/// user reads what to do.
#[tokio::test]
async fn a_certificate_that_is_lost_for_good_is_proven_anew() {
    let bench = Bench::serving().await;
    for affliction in ["distribution", "certificate", "key"] {
        bench.befalls(affliction).await;
    }
    for name in DOMAINS {
        bench.world.issuer.unprove(&DomainName::parse(name).unwrap());
    }
    bench.recreate().await;
    bench.work_until(async |bench| bench.shown_while_busy().await.contains("_acme-challenge")).await;
    for name in DOMAINS {
        assert_eq!(bench.managed_target(name).as_deref(), Some(CHALLENGE_HOST));
    }
    let served =
        bench.world.issuer.opened().iter().filter_map(|id| bench.world.issuer.request(id)).next_back();
    assert_eq!(served.unwrap().served, [], "nothing is served that a proof could go through");
    bench.prove_all();
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    for name in DOMAINS {
        assert_eq!(bench.managed_target(name), bench.instance().await.unwrap().distribution_domain);
    }
}

#[tokio::test]
async fn what_is_deleted_by_hand_during_a_recreation_is_made_once_more() {
    let bench = Bench::serving().await;
    bench.befalls("distribution").await;
    bench.recreate().await;
    bench.work_until(async |bench| bench.world.cdn.alive().iter().any(|one| !one.names.is_empty())).await;
    bench.befalls("distribution").await;
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.latest().await, Some(OperationState::Succeeded));
    assert_eq!(bench.world.cdn.alive().len(), 1);
    assert_eq!(bench.instance().await.unwrap().reference.as_str(), format!("cdn-{ID}-1.3"));
}

/// The platform is not told, and keeps its hands off meanwhile.
#[tokio::test]
async fn the_platform_can_look_and_delete_while_an_instance_is_recreated() {
    let bench = Bench::serving().await;
    bench.befalls("distribution").await;
    let Asked::Begun(operation) = bench.recreate().await else { panic!("not begun") };
    assert_eq!((operation.kind, operation.step.as_str()), (OperationKind::Recreate, "find-distribution"));
    assert_eq!(bench.recreate().await, Asked::Underway(operation));
    assert_eq!(bench.shown().await["domain"], DOMAINS.join(","));
    let refused = bench.update(json!({"path": "/p"})).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (422, "ConcurrencyError"));
    assert!(bench.shown_while_busy().await.contains("Looking for the CDN distribution."));
    assert_eq!(bench.provision_both().await.status, 200, "it is there already");
    assert_eq!(bench.deprovision().await.status, 202);
    assert!(!bench.work_until_the_end_or_death().await);
    let Asked::Refused(why) = bench.recreate().await else { panic!("what is deleted stays deleted") };
    assert!(why.contains("has been deleted"), "{why}");
}
