//! The checks that look at instances, and what makes an incident of everybody's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use broker::{Expiry, LiveSites, SeveralTenants};
use contract::testing::{MockEdgeProbe, MockProofProbe};
use contract::{
    CertificateState, Check, CheckFailure, CheckOutcome, DomainName, InstanceId, LeadEnd, Mishap, PortError,
    Presented, Remedy, Side, Sighting, StepTimes, TroubleStore,
};
use http::Method;
use serde_json::json;

use crate::harness::{Bench, DOMAINS, ID, provision_body};

const MINUTE: Duration = Duration::from_mins(1);

async fn run(bench: &Bench, check: &dyn Check) -> CheckOutcome {
    check.run(&StepTimes::new(Arc::new(bench.world.clock.clone()))).await
}

fn failure(outcome: CheckOutcome) -> CheckFailure {
    match outcome {
        CheckOutcome::Failing(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn several(bench: &Bench) -> SeveralTenants {
    let world = bench.world.clone();
    SeveralTenants {
        troubles: Arc::new(world.store.clone()),
        store: Arc::new(world.store),
        alerts: Arc::new(world.alerts),
        clock: Arc::new(world.clock),
        several: 3,
    }
}

fn mishap(bench: &Bench, class: &str, number: u32, tenant: &str) -> Mishap {
    Mishap {
        class: class.to_owned(),
        instance: InstanceId::new(format!("i-{number}")),
        tenant: tenant.to_owned(),
        side: Side::Aws,
        sentence: "AWS has said no.".to_owned(),
        at: contract::Clock::now(&bench.world.clock),
    }
}

#[tokio::test]
async fn one_tenants_problem_is_no_incident_of_everybodys() {
    let bench = Bench::new();
    let check = several(&bench);
    for number in 0..20 {
        bench.world.store.note(&mishap(&bench, "attach/Refused", number, "org-1")).await.unwrap();
    }
    bench.world.store.note(&mishap(&bench, "attach/Refused", 21, "org-2")).await.unwrap();
    bench.world.store.note(&mishap(&bench, "store/Refused", 22, "org-3")).await.unwrap();
    assert_eq!(run(&bench, &check).await, CheckOutcome::Ok);
    assert_eq!(bench.world.alerts.raised(), []);
}

#[tokio::test]
async fn the_same_at_several_tenants_within_an_hour_is_one_incident_until_nobody_meets_it() {
    let bench = Bench::new();
    let check = several(&bench);
    for (number, tenant) in [(1, "org-1"), (2, "org-2"), (3, "org-2")] {
        bench.world.store.note(&mishap(&bench, "attach/Refused", number, tenant)).await.unwrap();
    }
    bench.world.clock.advance(MINUTE * 50);
    assert_eq!(run(&bench, &check).await, CheckOutcome::Ok);
    bench.world.store.note(&mishap(&bench, "attach/Refused", 4, "org-3")).await.unwrap();
    for _ in 0..3 {
        let failure = failure(run(&bench, &check).await);
        assert_eq!(
            (failure.class.as_str(), failure.side, failure.affected.len()),
            ("attach/Refused", Side::Aws, 4)
        );
    }
    let raised = bench.world.alerts.raised();
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert!(raised[0].message.contains("4 instance(s) of 3 tenant(s)"), "{raised:?}");
    assert!(raised[0].message.contains("AWS has said no"), "{raised:?}");
    assert_eq!((raised[0].side, raised[0].affected.len()), (Some(Side::Aws), 4));

    bench.world.clock.advance(MINUTE * 59);
    failure(run(&bench, &check).await);
    bench.world.clock.advance(MINUTE * 2);
    assert_eq!(run(&bench, &check).await, CheckOutcome::Ok);
    let resolved = bench.world.alerts.resolved();
    assert_eq!(resolved.len(), 1);
    assert_eq!(resolved[0].subject, raised[0].subject);
    assert!(resolved[0].message.contains("From the first to the last it was 50 minutes"), "{resolved:?}");
    assert_eq!(run(&bench, &check).await, CheckOutcome::Ok);
    assert_eq!(bench.world.alerts.resolved().len(), 1);
}

#[tokio::test]
async fn mishaps_of_different_hours_are_not_put_together() {
    let bench = Bench::new();
    let check = several(&bench);
    for (number, tenant) in [(1, "org-1"), (2, "org-2"), (3, "org-3")] {
        bench.world.store.note(&mishap(&bench, "attach/Refused", number, tenant)).await.unwrap();
        assert_eq!(run(&bench, &check).await, CheckOutcome::Ok);
        bench.world.clock.advance(MINUTE * 35);
    }
}

/// A rule of AWS changes: every provision that comes is refused. The third organization's makes it an incident.
#[tokio::test]
async fn ordinary_operations_that_fail_for_several_tenants_are_an_incident() {
    let bench = Bench::new();
    let check = several(&bench);
    let refusal = || {
        PortError::new("create the distribution", Remedy::GiveUp, "InvalidViewerCertificate: a new rule")
            .of_class(Side::Aws, "InvalidViewerCertificate")
    };
    bench.world.plan.fail("cdn.ensure", 100, refusal);
    for number in 1..=3 {
        assert_eq!(run(&bench, &check).await, CheckOutcome::Ok, "{number}");
        let mut body = provision_body(&json!({"domain": format!("www.user-{number}.example")}));
        body["organization_guid"] = json!(format!("org-{number}"));
        let path = format!("/v2/service_instances/i-{number}?accepts_incomplete=true");
        assert_eq!(bench.call(Method::PUT, &path, Some(body)).await.status, 202);
        bench.worker().run_due().await.unwrap();
    }
    let failure = failure(run(&bench, &check).await);
    assert_eq!(failure.class, "create-distribution/InvalidViewerCertificate");
    assert_eq!(failure.affected, [1, 2, 3].map(|number| InstanceId::new(format!("i-{number}"))));
    assert!(failure.sentence.contains("a new rule"), "{failure:?}");
}

/// What passes by itself after a try or two is nobody's incident.
#[tokio::test]
async fn a_failure_that_passes_by_itself_is_not_kept() {
    let bench = Bench::new();
    let hiccup = || {
        PortError::new("create the distribution", Remedy::Retry { after: None }, "busy")
            .of_class(Side::Aws, "Busy")
    };
    bench.world.plan.fail("cdn.ensure", 2, hiccup);
    bench.provision_both().await;
    for _ in 0..4 {
        bench.worker().run_due().await.unwrap();
        bench.world.clock.advance(MINUTE * 10);
    }
    let kept = bench.world.store.mishaps(contract::Timestamp::default(), 100).await.unwrap();
    assert_eq!(kept, []);
}

fn expiry(bench: &Bench) -> Expiry {
    Expiry { ports: bench.ports(), several: 3 }
}

#[tokio::test]
async fn a_certificate_that_nobody_renews_is_told() {
    let bench = Bench::serving().await;
    let check = expiry(&bench);
    assert_eq!(run(&bench, &check).await, CheckOutcome::Ok);
    // Nobody plans renewals: the chores do not run.
    bench.world.clock.advance(Duration::from_hours(24 * 71));
    assert_eq!(run(&bench, &check).await, CheckOutcome::Ok, "more than a fifth of its life is left");
    bench.world.clock.advance(Duration::from_hours(24 * 2));
    let failure = failure(run(&bench, &check).await);
    assert_eq!((failure.class.as_str(), failure.side), ("not-renewed", Side::Us));
    assert_eq!(failure.affected, [InstanceId::new(ID)]);
}

#[tokio::test]
async fn a_renewal_that_waits_for_its_tenant_is_not_everybodys() {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    for domain in DOMAINS {
        bench.world.issuer.unprove(&DomainName::parse(domain).unwrap());
    }
    for _ in 0..14 {
        bench.chores().run_due().await.unwrap();
        bench.worker().run_due().await.unwrap();
        bench.world.clock.advance(Duration::from_hours(24));
    }
    bench.chores().run_due().await.unwrap();
    let left = bench.certificates(CertificateState::Live)[0].facts.clone().unwrap().not_after;
    assert!(
        left.since(contract::Clock::now(&bench.world.clock)) < Duration::from_hours(24 * 18),
        "it is late"
    );
    assert_eq!(run(&bench, &expiry(&bench)).await, CheckOutcome::Ok);
}

/// A world in which all is well with both domains, until something is not.
struct Sites {
    bench: Bench,
    check: LiveSites,
    is_another: Arc<AtomicBool>,
    is_blocked: Arc<AtomicBool>,
}

async fn sites() -> Sites {
    let bench = Bench::serving().await;
    let own = bench.certificates(CertificateState::Live)[0].facts.clone().unwrap().fingerprint;
    let host = bench.instance().await.unwrap().distribution_domain.unwrap();
    for domain in DOMAINS {
        bench.world.names.point(&DomainName::parse(domain).unwrap(), &host);
    }
    let (is_another, is_blocked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut edge = MockEdgeProbe::new();
    let another = is_another.clone();
    edge.expect_presented().returning(move |_| {
        let fingerprint = if another.load(Ordering::SeqCst) { "another".to_owned() } else { own.clone() };
        Ok(Presented::Certificate { fingerprint })
    });
    let mut web = MockProofProbe::new();
    let blocked = is_blocked.clone();
    web.expect_http().returning(move |_| {
        let is_blocked = blocked.load(Ordering::SeqCst);
        Ok(if is_blocked { Sighting::not_yet("It answers 403.", vec![]) } else { Sighting::seen(vec![]) })
    });
    let check = LiveSites {
        ports: bench.ports(),
        edge: Arc::new(edge),
        web: Arc::new(web),
        troubles: Arc::new(bench.world.store.clone()),
        store: Arc::new(bench.world.store.clone()),
    };
    Sites { bench, check, is_another, is_blocked }
}

impl Sites {
    async fn look(&self) -> Vec<(String, bool)> {
        assert_eq!(run(&self.bench, &self.check).await, CheckOutcome::Ok);
        self.bench.world.clock.advance(MINUTE * 20);
        let found = self.bench.world.store.findings(&InstanceId::new(ID)).await.unwrap();
        found.into_iter().map(|one| (format!("{} {}", one.name, one.kind), one.told)).collect()
    }
}

#[tokio::test]
async fn a_healthy_site_leaves_no_trace() {
    let sites = sites().await;
    assert_eq!(sites.look().await, []);
    assert_eq!(sites.bench.world.alerts.raised(), []);
    assert!(sites.bench.world.site.is_empty(), "the answer was taken away");
}

#[tokio::test]
async fn what_is_found_twice_is_told_once_and_over_when_it_is_mended() {
    let sites = sites().await;
    let www = DomainName::parse(DOMAINS[0]).unwrap();
    let elsewhere = LeadEnd::Elsewhere { addresses: vec!["192.0.2.7".parse().unwrap()] };
    sites.bench.world.names.end(&www, elsewhere);
    let kind = format!("{} dns", DOMAINS[0]);
    assert_eq!(sites.look().await, [(kind.clone(), false)], "once is no news");
    for _ in 0..3 {
        assert_eq!(sites.look().await, [(kind.clone(), true)]);
    }
    let raised = sites.bench.world.alerts.raised();
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!(raised[0].side, Some(Side::Tenant));
    assert!(raised[0].message.contains("leads to 192.0.2.7 instead of"), "{raised:?}");
    assert_eq!(run(&sites.bench, &several(&sites.bench)).await, CheckOutcome::Ok, "it is one tenant's");

    let host = sites.bench.instance().await.unwrap().distribution_domain.unwrap();
    sites.bench.world.names.point(&www, &host);
    assert_eq!(sites.look().await, []);
    assert_eq!(sites.bench.world.alerts.resolved().len(), 1);
}

#[tokio::test]
async fn another_certificate_and_a_blocked_challenge_are_found() {
    let sites = sites().await;
    sites.is_another.store(true, Ordering::SeqCst);
    sites.is_blocked.store(true, Ordering::SeqCst);
    let found: Vec<String> = sites.look().await.into_iter().map(|(kind, _)| kind).collect();
    let expected =
        DOMAINS.map(|domain| ["certificate", "challenge-path"].map(|kind| format!("{domain} {kind}")));
    assert_eq!(found, expected.concat());
}

#[tokio::test]
async fn what_was_found_at_a_site_that_is_deleted_is_forgotten() {
    let sites = sites().await;
    sites.is_another.store(true, Ordering::SeqCst);
    assert_eq!(sites.look().await.len(), 2);
    assert_eq!(sites.look().await.len(), 2);
    sites.bench.deprovision().await;
    sites
        .bench
        .work_until(async |bench| bench.latest().await == Some(contract::OperationState::Succeeded))
        .await;
    assert_eq!(sites.look().await, []);
    assert_eq!(sites.bench.world.alerts.resolved().len(), 2);
}

#[tokio::test]
async fn a_look_that_is_broken_off_goes_on_where_it_was() {
    let sites = sites().await;
    let refused =
        || PortError::new("put an answer", Remedy::AwaitOperator, "no").of_class(Side::Aws, "AccessDenied");
    sites.bench.world.plan.fail("site.present", 1, refused);
    let failure = failure(run(&sites.bench, &sites.check).await);
    assert_eq!((failure.side, failure.class.as_str()), (Side::Aws, "AccessDenied"));
    sites.bench.world.clock.advance(MINUTE * 61);
    assert_eq!(sites.look().await, [], "the next round begins, and passes the site");
}
