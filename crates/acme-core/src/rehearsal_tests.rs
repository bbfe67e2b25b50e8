use std::sync::Arc;

use contract::testing::{FakeSite, FakeZone};
use contract::{CertificateRequest, IssuanceId, KeyType, ProofPlace, Timestamp};

use super::*;
use crate::proofs::ProofSettings;

fn record(id: &str, served: bool) -> IssuanceRecord {
    let names: Vec<_> =
        ["www.example.gov", "example.gov"].map(|name| DomainName::parse(name).unwrap()).into();
    let mut request = CertificateRequest::new(names.clone(), KeyType::P256);
    request.served = if served { names } else { Vec::new() };
    IssuanceRecord::opened(IssuanceId::new(id), request, "https://ca.example/dir", Timestamp::from_secs(1))
}

fn everything() -> Proofs {
    Proofs {
        settings: ProofSettings {
            challenge_url: Some("https://broker.example/.well-known/acme-challenge".parse().unwrap()),
            challenge_host: None,
            managed_zone: DomainName::parse("cdn.example").ok(),
        },
        zone: Some(Arc::new(FakeZone::new("cdn.example."))),
        site: Some(Arc::new(FakeSite::new())),
        durable_only: true,
    }
}

#[test]
fn what_stands_in_for_an_order_is_the_same_in_every_process_and_for_nobody_else() {
    let (mut one, mut again, mut other) = (record("i-1", false), record("i-1", false), record("i-2", false));
    for record in [&mut one, &mut again, &mut other] {
        prepare(record, &everything()).unwrap();
        assert!(is_on(record));
    }
    assert_eq!(one, again);
    let values = |record: &IssuanceRecord| {
        record.authorizations.iter().map(|one| one.dns.clone().unwrap()).collect::<Vec<_>>()
    };
    assert!(values(&one).iter().all(|value| !values(&other).contains(value)));
    assert_ne!(values(&one)[0], values(&one)[1]);
    let http = one.authorizations[0].http.clone().unwrap();
    assert_ne!(http.token, http.answer);
}

#[test]
fn what_was_seen_stays_until_the_operator_sets_up_something_else() {
    let mut record = record("i-1", true);
    let without_zone = Proofs { zone: None, ..everything() };
    prepare(&mut record, &without_zone).unwrap();
    let places: Vec<_> = record.presented.iter().map(|one| one.place.clone()).collect();
    assert!(matches!(places[..], [ProofPlace::Site { .. }, ProofPlace::Site { .. }]), "{places:?}");
    record.authorizations[0].next_look = Some(Timestamp::from_secs(7));
    let seen = record.clone();
    prepare(&mut record, &without_zone).unwrap();
    assert_eq!(record, seen);
    prepare(&mut record, &everything()).unwrap();
    assert!(record.authorizations.iter().all(|one| one.dns.is_some() && one.next_look.is_none()));
}

#[test]
fn a_name_for_which_nothing_stays_is_refused() {
    let mut wanted = record("i-1", false);
    wanted.request.names.push(DomainName::parse("*.example.gov").unwrap());
    let without_zone = Proofs { zone: None, ..everything() };
    let error = prepare(&mut wanted, &without_zone).unwrap_err().into_port();
    assert_eq!(error.remedy(), contract::Remedy::GiveUp);
    assert!(error.tenant_sentence().unwrap().contains("`*.example.gov`"), "{error}");
    prepare(&mut wanted, &everything()).unwrap();
    assert_eq!(wanted.authorizations[2].http, None);
}

#[test]
fn an_order_ends_the_rehearsal() {
    let mut record = record("i-1", false);
    assert!(!is_on(&record));
    prepare(&mut record, &everything()).unwrap();
    record.order_url = Some("https://ca.example/order/1".into());
    assert!(!is_on(&record));
}
