//! Users who have named an address are written to when something needs their hand, and no more often than that.

use std::time::Duration;

use contract::{DomainName, Notice, OperationState};
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Bench, DOMAINS, ask, headers, provision_body};

const ADDRESS: &str = "web-team@example.gov";

/// A user's own instance that serves both domains until its certificate is due, and whose user does nothing any more.
async fn due(parameters: Value) -> Bench {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision(parameters).await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    bench.chores().run_due().await.unwrap();
    for domain in DOMAINS {
        bench.world.issuer.unprove(&DomainName::parse(domain).unwrap());
    }
    pass(&bench, 65).await;
    bench
}

/// Lets days pass, with a look at what is due on each of them.
async fn pass(bench: &Bench, days: u32) {
    for _ in 0..days {
        bench.world.clock.advance(Duration::from_hours(24));
        bench.chores().run_due().await.unwrap();
        bench.worker().run_due().await.unwrap();
    }
}

/// What was written, oldest first: to whom, subject, text.
fn letters(bench: &Bench) -> Vec<(String, String, String)> {
    let letter = |notice: Notice| match notice {
        Notice::Letter(letter) => Some((letter.to, letter.subject, letter.text)),
        Notice::Incident(_) => None,
    };
    bench.world.store.deliveries().into_iter().filter_map(|one| letter(one.notice)).collect()
}

#[tokio::test]
async fn a_renewal_that_needs_its_user_is_written_of_once_and_once_more_near_the_end() {
    let bench = due(json!({"domain": DOMAINS.join(","), "notify": ADDRESS})).await;
    let [(to, subject, text)] = &letters(&bench)[..] else { panic!("{:?}", letters(&bench)) };
    assert_eq!(to, ADDRESS);
    assert_eq!(
        subject,
        "The certificate of www.example.gov and docs.example.gov cannot be renewed without you"
    );
    for part in [" IN TXT ", "the service instance my-cdn", "`notify`"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(text.is_ascii(), "{text}");
    pass(&bench, 10).await;
    assert_eq!(letters(&bench).len(), 1, "said once");
    pass(&bench, 20).await;
    assert_eq!(letters(&bench).len(), 2, "{:?}", letters(&bench));
}

#[tokio::test]
async fn names_that_lapse_are_written_of() {
    let bench = due(json!({"domain": DOMAINS.join(","), "notify": ADDRESS})).await;
    bench.world.issuer.prove(&DomainName::parse(DOMAINS[0]).unwrap());
    pass(&bench, 30).await;
    let about_lapse: Vec<_> =
        letters(&bench).into_iter().filter(|letter| letter.1.contains("not be served")).collect();
    let [(to, subject, text)] = &about_lapse[..] else { panic!("{:?}", letters(&bench)) };
    assert_eq!((to.as_str(), subject.as_str()), (ADDRESS, "docs.example.gov will not be served any more"));
    assert!(text.contains("prove them") && text.is_ascii(), "{text}");
}

#[tokio::test]
async fn nobody_is_written_to_who_has_not_asked_for_it() {
    let bench = due(json!({"domain": DOMAINS.join(",")})).await;
    pass(&bench, 30).await;
    assert_eq!(letters(&bench), []);
}

#[tokio::test]
async fn an_address_is_shown_and_changed_and_nothing_is_put_beside_it() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision(json!({"domain": DOMAINS.join(","), "notify": ADDRESS})).await;
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert_eq!(bench.shown().await["notify"], ADDRESS);
    let refused = bench.update(json!({"notify": "a@example.gov\r\nBcc: b@example.gov"})).await;
    assert!(refused.status == 400 && refused.text("description").contains("`notify`"), "{refused:?}");
    let accepted = bench.update(json!({"notify": null})).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded)).await;
    assert!(bench.shown().await.get("notify").is_none());
}

#[tokio::test]
async fn an_address_is_refused_where_nobody_could_write() {
    let bench = Bench::new();
    let service = bench.service_offering(bench.ports(), broker::Offer::default());
    let body = provision_body(&json!({"domain": "new.example.gov", "notify": ADDRESS}));
    let path = "/v2/service_instances/9a4b0c1e-0000-4000-8000-000000000002?accepts_incomplete=true";
    let answer = ask(&service, Method::PUT, path, &headers(), Some(body)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text("description").contains("has not set up e-mail"), "{answer:?}");
    assert!(bench.world.store.operations().is_empty());
}
