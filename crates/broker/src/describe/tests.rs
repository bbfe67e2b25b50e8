//! Every text about proofs, as a whole.

use std::time::Duration;

use contract::testing::sample;
use contract::{
    Change, DomainInstructions, DomainName, Instance, LastLook, Operation, OperationKind, OperationState,
    ProofMethod, ProofRecord, ProofState, ProofWay, Timestamp, durable_label,
};

use super::{Scene, update_unproven};
use crate::Pace;
use crate::workflow::Step;

pub(super) const ALL: [ProofMethod; 5] = [
    ProofMethod::ManagedName,
    ProofMethod::Redirected,
    ProofMethod::ThroughCdn,
    ProofMethod::Delegated,
    ProofMethod::Direct,
];

pub(super) fn at(minutes: u64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600) + Duration::from_mins(minutes)
}

pub(super) fn instance(domains: &[&str]) -> Instance {
    Instance {
        distribution_domain: Some("d111111abcdef8.cloudfront.net".into()),
        ..sample::instance("i-1", domains)
    }
}

fn operation(instance: &Instance, kind: OperationKind) -> Operation {
    let operation = sample::operation("op-1", &instance.id, kind, at(0));
    Operation { step: Step::ObtainCertificate.name().into(), ..operation }
}

fn way(name: &DomainName, method: ProofMethod) -> ProofWay {
    let label = durable_label(&sample::request("{}").organization, name);
    let base = name.base();
    let record =
        |name: String, kind: &str, value: String| ProofRecord { name, kind: kind.into(), value, ttl: 60 };
    match method {
        ProofMethod::ManagedName => {
            ProofWay::ManagedName(record(format!("{base}."), "CNAME", format!("{label}.cdn.example.net.")))
        }
        ProofMethod::Redirected => ProofWay::Redirected {
            from: format!("http://{base}/.well-known/acme-challenge/"),
            to: format!("https://broker.example.net/.well-known/acme-challenge/{label}/"),
        },
        ProofMethod::ThroughCdn => ProofWay::ThroughCdn,
        ProofMethod::Delegated => ProofWay::Delegated(record(
            format!("_acme-challenge.{base}."),
            "CNAME",
            format!("_acme-challenge.{label}.cdn.example.net."),
        )),
        ProofMethod::Direct => {
            let value = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo".to_owned();
            ProofWay::Direct(record(format!("_acme-challenge.{base}."), "TXT", value))
        }
    }
}

/// A domain that is open to these methods, and was looked at a moment ago.
pub(super) fn open(name: &str, methods: &[ProofMethod]) -> DomainInstructions {
    let name = sample::name(name);
    let saw = format!("_acme-challenge.{} does not exist (NXDOMAIN)", name.base());
    DomainInstructions {
        ways: methods.iter().map(|method| way(&name, *method)).collect(),
        name,
        state: ProofState::Open,
        proven_by: None,
        expires: Some(at(7 * 24 * 60)),
        last_look: Some(LastLook { at: at(1), saw }),
        next_look: Some(at(2)),
    }
}

pub(super) fn done(name: &str, state: ProofState) -> DomainInstructions {
    DomainInstructions { state, ways: Vec::new(), next_look: None, ..open(name, &[]) }
}

fn described(instance: &Instance, operation: &Operation, instructions: &[DomainInstructions]) -> String {
    let text = Scene { instance, operation, instructions, pace: &Pace::default() }.text();
    assert_is_well_formed(&text, instructions.len());
    text
}

fn waiting(domains: &[&str], instructions: &[DomainInstructions]) -> String {
    let instance = instance(domains);
    described(&instance, &operation(&instance, OperationKind::Provision), instructions)
}

/// R108: ASCII, no tabs, the first line a whole sentence, 4 KiB up to ten domains and never over 32 KiB.
pub(super) fn assert_is_well_formed(text: &str, domains: usize) {
    assert!(text.is_ascii() && !text.contains('\t'), "{text}");
    assert!(text.lines().next().is_some_and(|first| first.ends_with('.')), "{text}");
    let limit = if domains <= 10 { 4 * 1024 } else { 32 * 1024 };
    assert!(text.len() <= limit, "{} bytes: {text}", text.len());
}

#[test]
fn one_domain_with_every_way() {
    insta::assert_snapshot!(waiting(&["www.example.gov"], &[open("www.example.gov", &ALL)]));
}

#[test]
fn one_domain_with_the_txt_record_alone() {
    let direct = open("www.example.gov", &[ProofMethod::Direct]);
    insta::assert_snapshot!(waiting(&["www.example.gov"], &[direct]));
}

#[test]
fn a_wildcard_and_its_base_are_proven_by_dns_only_where_they_must() {
    let dns = [ProofMethod::Delegated, ProofMethod::Direct];
    let instructions = [open("example.gov", &ALL), open("*.example.gov", &dns)];
    insta::assert_snapshot!(waiting(&["example.gov", "*.example.gov"], &instructions));
}

/// As it is where the authority's proofs die within hours: what was seen waits for the others, and nothing expires.
#[test]
fn what_was_seen_is_not_asked_for_again() {
    let durable = [ProofMethod::ManagedName, ProofMethod::Redirected, ProofMethod::Delegated];
    let open = |name: &str| DomainInstructions { expires: None, ..open(name, &durable) };
    let seen = DomainInstructions { proven_by: Some(ProofMethod::Redirected), ..open("docs.example.gov") };
    let instructions = [open("www.example.gov"), seen.clone()];
    insta::assert_snapshot!(waiting(&["www.example.gov", "docs.example.gov"], &instructions));
    let all = waiting(&["docs.example.gov"], &[seen]);
    assert!(all.starts_with("Control of every domain has been proven or seen"), "{all}");
}

/// Each combination of ways that configurations lead to: every method is explained if and only if it is offered.
#[test]
fn each_combination_of_ways_explains_what_it_offers() {
    let phrases = [
        (ProofMethod::ManagedName, "NAME. CNAME LABEL.cdn.example.net."),
        (ProofMethod::Redirected, "http://NAME/.well-known/acme-challenge/*"),
        (ProofMethod::ThroughCdn, "and do nothing else"),
        (ProofMethod::Delegated, "_acme-challenge.NAME. CNAME _acme-challenge.LABEL."),
        (ProofMethod::Direct, "the TXT record that stands below"),
    ];
    for chosen in 1_u32..1 << ALL.len() {
        let methods: Vec<ProofMethod> =
            (0..).zip(ALL).filter(|(bit, _)| chosen & (1 << bit) != 0).map(|(_, method)| method).collect();
        let names = ["www.example.gov", "docs.example.gov"];
        let text = waiting(&names, &names.map(|name| open(name, &methods)));
        for (method, phrase) in phrases {
            assert_eq!(text.contains(phrase), methods.contains(&method), "{method:?} in {methods:?}: {text}");
        }
        let bound = [ProofMethod::ManagedName, ProofMethod::Redirected, ProofMethod::Delegated];
        let has_label = methods.iter().any(|method| bound.contains(method));
        assert_eq!(text.contains("LABEL = "), has_label, "{methods:?}: {text}");
        assert_eq!(text.contains(" IN TXT "), methods.contains(&ProofMethod::Direct), "{methods:?}: {text}");
    }
}

#[test]
fn states_are_told_apart() {
    let names = ["a.example.gov", "b.example.gov", "c.example.gov", "d.example.gov", "e.example.gov"];
    let mut fresh = open(names[4], &[]);
    fresh.last_look = None;
    let instructions = [
        open(names[0], &[ProofMethod::Redirected, ProofMethod::Direct]),
        done(names[1], ProofState::Answered),
        done(names[2], ProofState::Proven),
        open(names[3], &[ProofMethod::Direct]),
        fresh,
    ];
    insta::assert_snapshot!(waiting(&names, &instructions));
}

#[test]
fn ten_domains_with_every_way_fit_on_four_kilobytes() {
    let names: Vec<String> = (0..10).map(|i| format!("department-{i}.www.example.gov")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let instructions: Vec<_> = names.iter().map(|name| open(name, &ALL)).collect();
    let text = waiting(&names, &instructions);
    assert_eq!(text.matches(" IN TXT ").count(), 10, "{text}");
    assert_eq!(text.matches("LABEL = ").count(), 10, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_hundred_domains_with_every_way_are_all_named() {
    let names: Vec<String> = (0..100).map(|i| format!("department-{i}.www.example.gov")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let instructions: Vec<_> = names.iter().map(|name| open(name, &ALL)).collect();
    let text = waiting(&names, &instructions);
    assert_eq!(text.matches(" IN TXT ").count(), 100, "{text}");
    assert_eq!(text.matches("LABEL = ").count(), 100, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn what_was_seen_is_shortened_before_anything_else_is() {
    let mut one = open("www.example.gov", &ALL);
    one.last_look = Some(LastLook { at: at(1), saw: "x".repeat(4000) });
    let text = waiting(&["www.example.gov"], &[one]);
    assert!(text.contains(&format!("{}...", "x".repeat(400))) && text.contains(" IN TXT "), "{text}");
}

pub(super) fn update(instance: &Instance, domains: &[&str]) -> Operation {
    let change: Change = sample::change(instance, domains);
    Operation { change: Some(change), ..operation(instance, OperationKind::Update) }
}

#[test]
fn an_update_that_waits_and_one_that_has_waited_in_vain() {
    let instance = instance(&["www.example.gov"]);
    let update = update(&instance, &["www.example.gov", "new.example.gov"]);
    let instructions =
        [done("www.example.gov", ProofState::Proven), open("new.example.gov", &[ProofMethod::Direct])];
    insta::assert_snapshot!("update_waiting", described(&instance, &update, &instructions));
    let failed = Operation {
        state: OperationState::Failed,
        sentence: Some(update_unproven("1 hour")),
        ..update.clone()
    };
    insta::assert_snapshot!("update_unproven", described(&instance, &failed, &instructions));
    let succeeded = Operation { state: OperationState::Succeeded, ..update };
    insta::assert_snapshot!("update_succeeded", described(&instance, &succeeded, &[]));
}

#[test]
fn an_update_without_a_certificate_on_its_way() {
    let instance = instance(&["www.example.gov"]);
    let texts = [Step::ApplySettings, Step::AwaitDeployment, Step::InvalidateCache].map(|step| {
        let mut update = update(&instance, &["www.example.gov"]);
        if let Some(change) = &mut update.change {
            change.needs_certificate = false;
        }
        step.name().clone_into(&mut update.step);
        described(&instance, &update, &[])
    });
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn what_is_held_back_says_why() {
    let instance = instance(&["www.example.gov"]);
    let why = "The certificate authority has no room for new orders until 2026-01-02 00:00 UTC.";
    let held = Operation { sentence: Some(why.into()), ..operation(&instance, OperationKind::Provision) };
    let instructions = [open("www.example.gov", &[ProofMethod::Direct])];
    insta::assert_snapshot!(described(&instance, &held, &instructions));
}
