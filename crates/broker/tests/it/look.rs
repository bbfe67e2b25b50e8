//! `PATCH {}`: the world is looked at, now, and nothing but what was seen is written.

use std::time::Duration;

use contract::{
    Clock, DomainName, InstanceId, LeadEnd, OperationState, PortError, Remedy, SiteFinding, TroubleStore,
};
use serde_json::json;

use crate::harness::{Bench, DOMAINS, ID};

const ADDED: &str = "new.example.gov";

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

impl Bench {
    fn looking_for(mut self, look_time: Duration) -> Self {
        self.pace.look_time = look_time;
        self
    }
}

/// What `cf update-service -c '{}'` shows.
async fn look(bench: &Bench) -> String {
    let answer = bench.update(json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text("description").to_owned()
}

/// The host name of the one distribution.
async fn target(bench: &Bench) -> String {
    bench.instance().await.unwrap().distribution_domain.unwrap()
}

/// An instance whose latest update has waited for its user in vain.
async fn with_a_failed_update() -> Bench {
    let bench = Bench::serving().await;
    bench.update(json!({"domains": [DOMAINS[0], ADDED]})).await;
    bench.work_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    bench.world.clock.advance(bench.pace.update_proof_wait + Duration::from_mins(1));
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Failed)).await;
    bench
}

#[tokio::test]
async fn where_each_name_leads_is_seen_at_once() {
    let bench = Bench::serving().await;
    let target = target(&bench).await;
    let before = (bench.instance().await, bench.world.cdn.journal(), bench.poll().await.body);
    let text = look(&bench).await;
    assert!(text.contains("www.example.gov does not exist (NXDOMAIN): point it to"), "{text}");
    assert!(text.contains("has to be proven by you for www.example.gov and docs.example.gov"), "{text}");

    bench.world.names.point(&name(DOMAINS[0]), &target);
    let addresses = vec!["192.0.2.7".parse().unwrap()];
    bench.world.names.end(&name(DOMAINS[1]), LeadEnd::Elsewhere { addresses });
    let text = look(&bench).await;
    assert!(text.contains(&format!("www.example.gov leads to {target}: right.")), "{text}");
    assert!(
        text.contains(&format!("docs.example.gov leads to 192.0.2.7, not to {target}: point it")),
        "{text}"
    );
    assert!(text.contains("proven by itself: through the CDN for www.example.gov."), "{text}");
    assert!(text.contains("has to be proven by you for docs.example.gov"), "{text}");

    let saw = "CAA at `example.gov` allows only `digicert.com`: add `0 issue \"letsencrypt.org\"`.";
    bench.world.issuer.forbid(&name(DOMAINS[1]), saw);
    bench.world.names.point(&name(DOMAINS[1]), &target);
    let text = look(&bench).await;
    assert!(text.contains(&format!("{saw} As it is, the certificate cannot be renewed")), "{text}");
    assert_eq!((bench.instance().await, bench.world.cdn.journal(), bench.poll().await.body), before);
}

/// R37: the bound of a look is far below the platform's.
#[tokio::test]
async fn a_name_of_which_nothing_is_heard_keeps_nobody_waiting() {
    let bench = Bench::serving().await.looking_for(Duration::from_secs(1));
    let target = target(&bench).await;
    bench.world.names.point(&name(DOMAINS[0]), &target);
    bench.world.names.silence(&name(DOMAINS[1]));
    let text = look(&bench).await;
    assert!(text.contains(&format!("www.example.gov leads to {target}: right.")), "{text}");
    assert!(text.contains("Within 1 second nothing could be seen of where docs.example.gov leads"), "{text}");
    // What cannot be asked at all is no reason not to answer either.
    let broken = || PortError::new("look up", Remedy::GiveUp, "no such name");
    bench.world.plan.fail("names.lead", usize::MAX, broken);
    assert!(look(&bench).await.contains("nothing could be seen of where www.example.gov and docs"));
}

#[tokio::test]
async fn what_an_update_still_needs_is_seen_at_once() {
    let bench = with_a_failed_update().await;
    let text = look(&bench).await;
    assert!(text.contains("To go on with it, prove control of"), "{text}");
    assert!(
        text.contains("value-2-of-new.example.gov") && text.contains("there is no such record"),
        "{text}"
    );

    // Nobody but whoever asks has looked since, and a moment later the record is there.
    bench.world.issuer.prove(&name(ADDED));
    bench.world.clock.advance(Duration::from_mins(5));
    let text = look(&bench).await;
    let now = bench.world.clock.now();
    assert!(text.contains(&format!("seen on {now}: the record is there")), "{text}");
    assert_eq!(bench.world.issuer.orders_placed(), 2);
    assert_eq!(bench.latest().await, Some(OperationState::Failed), "the user has to say so");

    assert_eq!(bench.update(json!({"domains": [DOMAINS[0], ADDED]})).await.status, 202);
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.world.issuer.orders_placed(), 2, "the same order");
    assert!(!look(&bench).await.contains("The latest update"));
}

#[tokio::test]
async fn records_of_an_order_that_has_run_out_are_not_shown_any_more() {
    let bench = with_a_failed_update().await;
    bench.world.clock.advance(Duration::from_hours(8 * 24));
    let text = look(&bench).await;
    assert!(text.contains("The latest update, of ") && !text.contains(" IN TXT "), "{text}");
}

#[tokio::test]
async fn what_a_renewal_waits_for_is_seen_at_once() {
    let bench = Bench::new();
    bench.serve_until_renewal_is_due().await;
    for domain in DOMAINS {
        bench.world.issuer.unprove(&name(domain));
    }
    bench.live_until(async |bench| bench.world.issuer.orders_placed() == 2).await;
    assert_eq!(look(&bench).await.matches("there is no such record").count(), 2);
    bench.world.issuer.prove(&name(DOMAINS[0]));
    let text = look(&bench).await;
    assert!(text.contains("The broker has looked just now, and goes on looking by itself."), "{text}");
    assert_eq!((text.matches("the record is there").count(), text.matches("there is no").count()), (1, 1));
    assert!(!text.contains("leads to"), "one thing at a time: {text}");
    assert_eq!(bench.renewals(), [OperationState::Running]);
}

#[tokio::test]
async fn a_look_that_does_not_end_shows_what_was_seen_last_and_says_so() {
    let bench = with_a_failed_update().await.looking_for(Duration::from_secs(1));
    bench.world.issuer.prove(&name(ADDED));
    let late = "Not everything answered within 1 second: the rest is shown as it was seen last.";
    let broken = || PortError::new("note a look", Remedy::Retry { after: None }, "the disk is full");
    bench.world.plan.fail("issuer.look", 1, broken);
    for _ in 0..2 {
        let text = look(&bench).await;
        assert!(text.contains(late) && text.contains("there is no such record"), "{text}");
        bench.world.issuer.looks_never_end();
    }
}

/// What the visits of `live-sites` have found concerns the user too.
#[tokio::test]
async fn what_visits_have_found_is_told() {
    let bench = Bench::serving().await;
    let now = bench.world.clock.now();
    let finding = |looks: u32, sentence: &str| SiteFinding {
        name: name(DOMAINS[0]),
        kind: "challenge-path".to_owned(),
        sentence: sentence.to_owned(),
        since: now,
        last: now,
        looks,
        told: looks > 1,
    };
    let found = [finding(2, "A web ACL answers with 403."), finding(1, "Not sure yet.")];
    bench.world.store.keep_findings(&InstanceId::new(ID), &found).await.unwrap();
    let text = look(&bench).await;
    assert!(
        text.contains("A web ACL answers with 403. The operators of this service have been told."),
        "{text}"
    );
    assert!(!text.contains("Not sure yet."), "{text}");
    bench.world.store.keep_findings(&InstanceId::new(ID), &[]).await.unwrap();
    assert!(!look(&bench).await.contains("web ACL"));
}
