use std::sync::Arc;

use contract::testing::{FakeSite, FakeZone};
use contract::{CertificateRequest, HttpAnswer, IssuanceId, KeyType, ProofMethod, Timestamp};

use super::*;
use crate::proofs::ProofSettings;

use ProofMethod::{Delegated, Direct, ManagedName, Redirected, ThroughCdn};

fn proofs() -> Proofs {
    Proofs {
        settings: ProofSettings {
            challenge_url: Some("https://broker.example/.well-known/acme-challenge".parse().unwrap()),
            challenge_host: DomainName::parse("front.example").ok(),
            managed_zone: DomainName::parse("cdn.example").ok(),
        },
        zone: Some(Arc::new(FakeZone::new("cdn.example."))),
        site: Some(Arc::new(FakeSite::new())),
        durable_only: false,
    }
}

fn record(served: bool) -> IssuanceRecord {
    let names: Vec<_> =
        ["www.example.gov", "*.example.gov"].map(|name| DomainName::parse(name).unwrap()).into();
    let mut request = CertificateRequest::new(names.clone(), KeyType::P256);
    request.tenant = "f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0".into();
    request.served = if served { names } else { Vec::new() };
    let id = IssuanceId::new("i-1");
    IssuanceRecord::opened(id, request, "https://ca.example/dir", Timestamp::from_secs(1))
}

fn open(name: &str) -> AuthorizationRecord {
    let name = DomainName::parse(name).unwrap();
    let http = HttpAnswer { token: "token".into(), answer: "answer".into() };
    AuthorizationRecord {
        http: Some(http).filter(|_| !name.is_wildcard()),
        dns: Some("value".into()),
        ..AuthorizationRecord::new(name, "https://ca.example/authz/1", ProofState::Open)
    }
}

fn methods(proofs: &Proofs, served: bool, one: &AuthorizationRecord) -> Vec<ProofMethod> {
    ways(proofs, &record(served), one).iter().map(ProofWay::method).collect()
}

#[test]
fn each_way_says_what_to_set() {
    let cname = |name: &str, value: &str| ProofRecord {
        name: name.into(),
        kind: "CNAME".into(),
        value: value.into(),
        ttl: 60,
    };
    let txt = ProofRecord {
        name: "_acme-challenge.www.example.gov.".into(),
        kind: "TXT".into(),
        value: "value".into(),
        ttl: 60,
    };
    let expected = [
        ProofWay::ManagedName(cname("www.example.gov.", "un3xtu3cxqjvfkftcq4p5w2pdp.cdn.example.")),
        ProofWay::Redirected {
            from: "http://www.example.gov/.well-known/acme-challenge/".into(),
            to: "https://broker.example/.well-known/acme-challenge/un3xtu3cxqjvfkftcq4p5w2pdp/".into(),
        },
        ProofWay::Delegated(cname(
            "_acme-challenge.www.example.gov.",
            "_acme-challenge.un3xtu3cxqjvfkftcq4p5w2pdp.cdn.example.",
        )),
        ProofWay::Direct(txt),
    ];
    assert_eq!(ways(&proofs(), &record(false), &open("www.example.gov")), expected);
}

#[test]
fn a_wildcard_is_proven_by_dns_only() {
    assert_eq!(methods(&proofs(), true, &open("*.example.gov")), [Delegated, Direct]);
}

#[test]
fn what_is_served_already_needs_nothing_first_of_all() {
    let expected = [ThroughCdn, ManagedName, Redirected, Delegated, Direct];
    assert_eq!(methods(&proofs(), true, &open("www.example.gov")), expected);
    let without_site = Proofs { site: None, ..proofs() };
    assert_eq!(methods(&without_site, true, &open("www.example.gov")), expected[1..]);
}

#[test]
fn only_what_the_operator_has_set_up_is_offered() {
    let with = |settings: ProofSettings| Proofs { settings, ..proofs() };
    let all = proofs().settings;
    let one = open("www.example.gov");
    assert_eq!(methods(&with(ProofSettings::default()), false, &one), [Direct]);
    let no_host = ProofSettings { challenge_host: None, ..all.clone() };
    assert_eq!(methods(&with(no_host), false, &one), [Redirected, Delegated, Direct]);
    assert_eq!(methods(&Proofs { zone: None, ..proofs() }, false, &one), [Redirected, Direct]);
    let zone_only = ProofSettings { challenge_url: None, challenge_host: None, ..all };
    assert_eq!(methods(&with(zone_only), false, &one), [Delegated, Direct]);
}

#[test]
fn only_what_the_authority_takes_is_offered() {
    let no_http = AuthorizationRecord { http: None, ..open("www.example.gov") };
    assert_eq!(methods(&proofs(), false, &no_http), [Delegated, Direct]);
    let no_dns = AuthorizationRecord { dns: None, ..open("www.example.gov") };
    assert_eq!(methods(&proofs(), false, &no_dns), [ManagedName, Redirected]);
}

#[test]
fn between_two_orders_durable_records_can_be_set() {
    let nothing = AuthorizationRecord { http: None, dns: None, ..open("www.example.gov") };
    assert_eq!(methods(&proofs(), false, &nothing), [ManagedName, Redirected, Delegated]);
}

#[test]
fn nothing_is_left_to_do_for_what_is_proven() {
    let proven = AuthorizationRecord { state: ProofState::Proven, ..open("www.example.gov") };
    assert_eq!(methods(&proofs(), true, &proven), []);
}
