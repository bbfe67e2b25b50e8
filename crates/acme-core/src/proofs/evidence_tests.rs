use super::*;
use crate::proofs::ProofSettings;

const ORGANIZATION: &str = "f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0";
const OURS: &str = "un3xtu3cxqjvfkftcq4p5w2pdp";
/// The label of another organization for the same name.
const THEIRS: &str = "xi3p4ff7l357acxzzsecndbyvm";
const RESPONDER: &str = "https://broker.example/.well-known/acme-challenge";

fn name() -> DomainName {
    DomainName::parse("www.example.gov").unwrap()
}

fn landmarks() -> Landmarks {
    let settings = ProofSettings {
        challenge_url: Some(RESPONDER.parse().unwrap()),
        challenge_host: DomainName::parse("front.example").ok(),
        managed_zone: DomainName::parse("cdn.example").ok(),
    };
    Landmarks::new(&settings, true, ORGANIZATION, &name())
}

fn cname(from: &str, to: &str) -> Hop {
    Hop::Cname { from: from.into(), to: to.into() }
}

fn redirect(to: &str) -> Hop {
    Hop::Redirect { to: to.into(), status: 302 }
}

fn responder(place: &str) -> Hop {
    Hop::Responder { place: place.into() }
}

/// The way from the name over a managed record and the front end to the responder.
fn managed(label: &str) -> Vec<Hop> {
    vec![
        cname("www.example.gov", &format!("{label}.cdn.example")),
        cname(&format!("{label}.cdn.example"), "front.example"),
        redirect(&format!("{RESPONDER}/www.example.gov/token")),
        responder("www.example.gov"),
    ]
}

/// The way from the owner's own site to the responder.
fn redirected(place: &str) -> Vec<Hop> {
    vec![
        redirect("https://www.example.gov/"),
        redirect(&format!("{RESPONDER}/{place}/token")),
        responder(place),
    ]
}

fn over_http(route: Vec<Hop>, served: bool) -> Outcome {
    http(&landmarks(), &name(), served, Sighting::seen(route))
}

fn not_seen(route: Vec<Hop>) -> (String, Weight) {
    match http(&landmarks(), &name(), false, Sighting::not_yet("nothing", route)) {
        Outcome::NotYet { saw, weight } => (saw, weight),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_counts_when_the_way_names_our_label() {
    assert_eq!(over_http(managed(OURS), false), Outcome::Seen(ProofMethod::ManagedName));
    assert_eq!(over_http(redirected(OURS), false), Outcome::Seen(ProofMethod::Redirected));
    assert_eq!(over_http(redirected(OURS), true), Outcome::Seen(ProofMethod::Redirected));
    let proxied = vec![responder(OURS)];
    assert_eq!(
        over_http(proxied, false),
        Outcome::Seen(ProofMethod::Redirected),
        "a site may fetch it itself"
    );
}

#[test]
fn an_answer_from_our_own_folder_counts() {
    assert_eq!(over_http(vec![], true), Outcome::Seen(ProofMethod::ThroughCdn));
    let through_our_record = vec![
        cname("www.example.gov", &format!("{OURS}.cdn.example")),
        cname(&format!("{OURS}.cdn.example"), "d1.edge.example"),
    ];
    assert_eq!(over_http(through_our_record, true), Outcome::Seen(ProofMethod::ThroughCdn));
    assert_eq!(over_http(vec![], false), Outcome::Seen(ProofMethod::Redirected), "the owner's site has it");
}

#[test]
fn what_another_organization_has_set_up_never_counts() {
    let stripped = |mut route: Vec<Hop>| {
        route.pop();
        route
    };
    for route in [
        managed(THEIRS),
        redirected(THEIRS),
        // Even when somebody on the way drops the responder's header, or does not redirect.
        stripped(managed(THEIRS)),
        stripped(redirected(THEIRS)),
        managed(THEIRS)[..2].to_vec(),
        vec![cname("www.example.gov", &format!("{THEIRS}.cdn.example")), responder("www.example.gov")],
    ] {
        for served in [false, true] {
            let Outcome::NotYet { saw, weight } = over_http(route.clone(), served) else {
                panic!("{route:?} counts");
            };
            assert!(saw.contains(OURS) && saw.contains("somebody else's"), "{saw}");
            assert_eq!(weight, Weight::Ours);
        }
        assert!(not_seen(route).0.contains("somebody else's"));
    }
}

#[test]
fn a_way_that_says_nothing_of_anybody_does_not_count() {
    // A flattened alias to the front end, or a redirect to the name instead of the label.
    for route in [redirected("www.example.gov"), vec![responder("www.example.gov")]] {
        let Outcome::NotYet { saw, .. } = over_http(route, false) else { panic!("counts") };
        assert_eq!(
            saw,
            format!(
                "`www.example.gov` reaches this broker, but nothing on the way says for whom; for your organization, make \
                 `www.example.gov` a CNAME to `{OURS}.cdn.example`, or redirect \
                 `http://www.example.gov/.well-known/acme-challenge/` to `{RESPONDER}/{OURS}/`."
            )
        );
    }
}

#[test]
fn only_the_names_own_aliases_speak_for_it() {
    // Another host on the way has our label in its chain: that says nothing about the name.
    let elsewhere = vec![
        redirect("http://other.example/.well-known/acme-challenge/token"),
        cname("other.example", &format!("{OURS}.cdn.example")),
        redirect(&format!("{RESPONDER}/other.example/token")),
        responder("other.example"),
    ];
    assert!(matches!(over_http(elsewhere, false), Outcome::NotYet { .. }));
    let unconnected = vec![cname("x.example", &format!("{OURS}.cdn.example")), responder("www.example.gov")];
    assert!(matches!(over_http(unconnected, false), Outcome::NotYet { .. }));
}

#[test]
fn what_is_meant_for_us_weighs_more() {
    assert_eq!(not_seen(vec![]), ("nothing".into(), Weight::Nothing));
    assert_eq!(
        not_seen(vec![cname("www.example.gov", "site.example")]),
        ("nothing".into(), Weight::Something)
    );
    assert_eq!(not_seen(vec![redirect("https://www.example.gov/")]), ("nothing".into(), Weight::Something));
    assert_eq!(not_seen(managed(OURS)), ("nothing".into(), Weight::Ours));
    assert_eq!(not_seen(redirected("www.example.gov")), ("nothing".into(), Weight::Ours));
}

fn of_txt(seen: bool, route: Vec<Hop>) -> Outcome {
    let sighting = if seen { Sighting::seen(route) } else { Sighting::not_yet("nothing", route) };
    txt(&landmarks(), &name(), sighting)
}

fn delegated(label: &str) -> Vec<Hop> {
    vec![cname("_acme-challenge.www.example.gov", &format!("_acme-challenge.{label}.cdn.example"))]
}

#[test]
fn a_txt_value_is_direct_or_delegated() {
    assert_eq!(of_txt(true, vec![]), Outcome::Seen(ProofMethod::Direct));
    let elsewhere = vec![cname("_acme-challenge.www.example.gov", "proofs.example.gov")];
    assert_eq!(of_txt(true, elsewhere), Outcome::Seen(ProofMethod::Direct));
    assert_eq!(of_txt(true, delegated(OURS)), Outcome::Seen(ProofMethod::Delegated));
}

#[test]
fn a_delegation_to_us_is_known_before_the_value_is_there() {
    assert!(matches!(of_txt(false, delegated(OURS)), Outcome::Delegated { .. }));
    let over_a_corner = vec![
        cname("_acme-challenge.www.example.gov", "proofs.example.gov"),
        cname("proofs.example.gov", &format!("_acme-challenge.{OURS}.cdn.example")),
    ];
    assert!(matches!(of_txt(false, over_a_corner), Outcome::Delegated { .. }));
}

#[test]
fn a_delegation_to_somebody_else_is_told() {
    for foreign in
        [delegated(THEIRS), vec![cname("_acme-challenge.www.example.gov", &format!("{OURS}.cdn.example"))]]
    {
        let Outcome::NotYet { saw, weight } = of_txt(false, foreign) else { panic!("taken for ours") };
        assert!(saw.contains(&format!("it is `_acme-challenge.{OURS}.cdn.example`")), "{saw}");
        assert_eq!(weight, Weight::Ours);
    }
}

#[test]
fn without_a_zone_a_delegation_is_like_any_other() {
    let without = Landmarks::new(&ProofSettings::default(), false, ORGANIZATION, &name());
    let outcome = txt(&without, &name(), Sighting::not_yet("nothing", delegated(OURS)));
    assert_eq!(outcome, Outcome::NotYet { saw: "nothing".into(), weight: Weight::Something });
}
