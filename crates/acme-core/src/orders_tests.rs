use std::time::Duration;

use contract::{CertificateRequest, HttpAnswer, IssuanceId, KeyType};
use serde_json::json;

use super::*;
use ProofState::{Answered, Open, Proven};

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn name(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

fn record(names: &[&str]) -> IssuanceRecord {
    let request = CertificateRequest::new(names.iter().map(|text| name(text)).collect(), KeyType::P256);
    let opened_at = Timestamp::from_secs(999_000);
    IssuanceRecord {
        version: 3,
        order_url: Some("https://ca.example/order/1".into()),
        order_expires: Some(NOW + Duration::from_secs(700)),
        orders_placed: 1,
        ..IssuanceRecord::opened(IssuanceId::new("i-1"), request, "https://ca.example/dir", opened_at)
    }
}

fn live(text: &str, state: Option<ProofState>) -> LiveAuthorization {
    LiveAuthorization {
        url: format!("https://ca.example/authz/{text}"),
        name: name(text),
        state,
        http: Some(HttpAnswer { token: format!("token of {text}"), answer: format!("answer of {text}") }),
        dns: Some(format!("value of {text}")),
        expires: None,
        problem: None,
    }
}

fn problem(kind: &str, detail: &str) -> Problem {
    Problem::read(&json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": detail})).unwrap()
}

fn states(record: &IssuanceRecord) -> Vec<ProofState> {
    record.authorizations.iter().map(|one| one.state).collect()
}

#[test]
fn proofs_are_presented_in_the_order_of_the_request_until_the_first_of_them_dies() {
    let mut record = record(&["b.example", "a.example"]);
    let soon =
        LiveAuthorization { expires: Some(NOW + Duration::from_mins(1)), ..live("a.example", Some(Open)) };
    present(&mut record, &[soon, live("b.example", Some(Open))], &Proofs::default()).unwrap();
    let shown: Vec<_> = record.authorizations.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(shown, ["b.example", "a.example"]);
    assert_eq!(record.order_expires, Some(NOW + Duration::from_mins(1)));
    let wanted = &record.authorizations[0];
    assert_eq!(wanted.dns.as_deref(), Some("value of b.example"));
    assert_eq!(wanted.http.as_ref().map(|http| http.token.as_str()), Some("token of b.example"));
}

#[test]
fn a_proven_name_and_one_without_authorization_show_nothing_to_do() {
    let mut record = record(&["a.example", "b.example"]);
    let proven =
        LiveAuthorization { expires: Some(Timestamp::from_secs(1)), ..live("a.example", Some(Proven)) };
    present(&mut record, &[proven], &Proofs::default()).unwrap();
    assert!(is_proven(&record));
    assert!(record.authorizations.iter().all(|one| one.http.is_none() && one.dns.is_none()));
    assert_eq!(record.order_expires, Some(NOW + Duration::from_secs(700)), "what is proven cannot run out");
}

#[test]
fn a_name_without_a_dns_challenge_ends_the_issuance() {
    let mut record = record(&["a.example"]);
    let http_only = LiveAuthorization { dns: None, ..live("a.example", Some(Open)) };
    let error = present(&mut record, &[http_only], &Proofs::default()).unwrap_err().into_port();
    assert_eq!(error.remedy(), contract::Remedy::GiveUp);
    assert!(error.tenant_sentence().unwrap().contains("`a.example`"));
}

#[test]
fn only_seen_and_unanswered_challenges_are_due() {
    let names = ["seen.example", "unseen.example", "answered.example", "proven.example"];
    let mut record = record(&names);
    present(&mut record, &names.map(|name| live(name, Some(Open))), &Proofs::default()).unwrap();
    record.authorizations[2].state = Answered;
    let now = [
        live("seen.example", Some(Open)),
        live("unseen.example", Some(Open)),
        live("answered.example", Some(Open)),
        live("proven.example", Some(Proven)),
    ];
    let seen = now
        .iter()
        .filter(|one| one.name != name("unseen.example"))
        .map(|one| (one.url.clone(), ProofMethod::Delegated))
        .collect();
    let due = ("https://ca.example/authz/seen.example".to_owned(), ProofMethod::Delegated);
    assert_eq!(reconcile(&mut record, &now, &seen), [due]);
    assert_eq!(states(&record), [Open, Open, Answered, Proven]);
}

#[test]
fn a_failed_order_leaves_what_the_authority_said_about_each_name() {
    let mut record = record(&["bad.example", "good.example", "slow.example"]);
    let bad = LiveAuthorization {
        problem: Some(problem("caa", "CAA record for bad.example prevents issuance")),
        ..live("bad.example", None)
    };
    let good = live("good.example", Some(Proven));
    let slow = live("slow.example", Some(Open));
    fail(&mut record, &[bad, good, slow], None, NOW);
    assert_eq!(states(&record), [Open, Proven, Open]);
    assert_eq!((&record.order_url, record.order_expires), (&None, None));
    let saw = |index: usize| record.authorizations[index].last_look.clone().unwrap().saw;
    assert_eq!(saw(0), "The certificate authority says: CAA record for bad.example prevents issuance (caa)");
    assert_eq!(saw(2), "The certificate authority ended the order, but not because of this domain.");
    assert!(
        record.authorizations.iter().all(|one| one.http.is_none() && one.dns.is_none()),
        "the old value is of no use"
    );
}

#[test]
fn a_word_about_the_whole_order_goes_to_the_names_it_is_about() {
    let general = Problem::read(&json!({
        "type": "urn:ietf:params:acme:error:caa", "detail": "see below",
        "subproblems": [{"type": "urn:ietf:params:acme:error:caa", "detail": "forbidden",
            "identifier": {"type": "dns", "value": "b.example"}}],
    }))
    .unwrap();
    let mut record = record(&["a.example", "b.example"]);
    let proven = ["a.example", "b.example"].map(|name| live(name, Some(Proven)));
    fail(&mut record, &proven, Some(&general), NOW);
    assert_eq!(states(&record), [Proven, Open]);
    let saw = &record.authorizations[1].last_look.as_ref().unwrap().saw;
    assert_eq!(saw, "The certificate authority says: forbidden (caa)");
}

#[test]
fn the_order_after_a_failed_one_waits_even_when_nobody_obeys() {
    let mut record = record(&["a.example"]);
    assert_eq!(pause_after_failure(&record, NOW), None, "an order is there");
    fail(&mut record, &[live("a.example", None)], None, NOW);
    let after = |seconds| pause_after_failure(&record, NOW + Duration::from_secs(seconds));
    assert_eq!(after(0), Some(Duration::from_mins(1)));
    assert_eq!(after(59), Some(Duration::from_secs(1)));
    assert_eq!(after(60), None);
    forget(&mut record);
    assert_eq!(pause_after_failure(&record, NOW), None, "nobody is at fault when an order runs out");
}
