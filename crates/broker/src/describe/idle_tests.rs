//! Every text about an instance on which nothing of its user's runs, as a whole.

use std::time::Duration;

use contract::testing::sample;
use contract::{
    CertificateFacts, DomainInstructions, DomainName, Instance, Lead, LeadEnd, OperationState, Outlook,
    ProofMethod, ProofRecord, ProofState, Sight, SiteFinding, durable_label,
};

use super::tests::{ALL, assert_is_well_formed, at, done, instance, open, update};
use super::{Idle, Open, Sights, for_user, update_unproven};

const NAMES: [&str; 3] = ["www.example.gov", "docs.example.gov", "old.example.gov"];
const TARGET: &str = "d111111abcdef8.cloudfront.net";
const ZONE: &str = "cdn.example.net";

/// What the description of an instance is made of.
struct Stage {
    instance: Instance,
    facts: CertificateFacts,
    /// How many of the domains are served; the others have lapsed.
    served: usize,
    renewing: Vec<DomainInstructions>,
    update: Vec<DomainInstructions>,
    failed: bool,
    in_time: bool,
    seen: Vec<Sight>,
    findings: Vec<SiteFinding>,
}

impl Stage {
    fn new(names: &[&str]) -> Self {
        let instance = instance(names);
        let facts = sample::bundle(7, &instance.settings.domains, at(0)).facts;
        let served = names.len();
        let (renewing, update) = (Vec::new(), Vec::new());
        let (seen, findings) = (Vec::new(), Vec::new());
        Self { instance, facts, served, renewing, update, failed: false, in_time: true, seen, findings }
    }

    fn text(&self) -> String {
        let (served, lapsed) = self.instance.settings.domains.split_at(self.served);
        let mut latest = update(&self.instance, &["new.example.gov"]);
        latest.state = OperationState::Failed;
        latest.sentence = Some(update_unproven("1 hour"));
        let sights = Sights {
            tenant: &self.instance.request.organization,
            target: TARGET,
            zone: Some(ZONE),
            seen: &self.seen,
            at: at(3),
            patience: Duration::from_secs(8),
        };
        let findings = for_user(self.findings.clone(), served, &sights);
        let open = |instructions| Open { instructions, in_time: self.in_time };
        let idle = Idle {
            instance: &self.instance,
            served,
            certificate: Some(&self.facts),
            lapsed,
            renewal: Some(at(60 * 24 * 60)),
            renewing: open(&self.renewing),
            update: open(&self.update),
            sights,
            findings: &findings,
            latest: Some(&latest).filter(|_| self.failed),
        };
        let text = idle.text();
        assert_is_well_formed(&text, self.served.max(self.update.len()));
        text
    }
}

fn lead(aliases: &[&str], end: LeadEnd) -> Lead {
    Lead { aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(), end }
}

fn right() -> Lead {
    lead(&[TARGET], LeadEnd::Target)
}

fn elsewhere(aliases: &[&str]) -> Lead {
    let addresses = ["2001:db8::7", "192.0.2.7", "192.0.2.8"];
    lead(aliases, LeadEnd::Elsewhere { addresses: addresses.map(|one| one.parse().unwrap()).into() })
}

fn sight(name: &str, lead: Lead, by_itself: Option<ProofMethod>) -> Sight {
    let name = sample::name(name);
    let outlook = Outlook { name: name.clone(), by_itself, forbidden: None, once: None };
    Sight { name, lead: Some(lead), outlook: Some(outlook) }
}

/// A name that could not be looked at in time.
fn unseen(name: &str) -> Sight {
    Sight { name: sample::name(name), lead: None, outlook: None }
}

fn by_hand(name: &str, lead: Lead) -> Sight {
    let mut sight = sight(name, lead, None);
    let base = sight.name.base();
    let record = ProofRecord {
        name: format!("_acme-challenge.{base}."),
        kind: "CNAME".into(),
        value: format!("_acme-challenge.{}.{ZONE}.", label(&sight.name)),
        ttl: 60,
    };
    if let Some(outlook) = &mut sight.outlook {
        outlook.once = Some(record);
    }
    sight
}

fn forbidden(sight: Sight, saw: &str) -> Sight {
    let outlook = sight.outlook.map(|one| Outlook { by_itself: None, forbidden: Some(saw.into()), ..one });
    Sight { outlook, ..sight }
}

fn label(name: &DomainName) -> String {
    durable_label(&sample::request("{}").organization, name)
}

#[test]
fn nobody_has_looked() {
    insta::assert_snapshot!(Stage::new(&NAMES[..2]).text());
}

#[test]
fn a_lapsed_name_and_an_update_that_has_failed() {
    insta::assert_snapshot!(Stage { served: 2, failed: true, ..Stage::new(&NAMES) }.text());
}

#[test]
fn every_name_leads_to_where_it_should() {
    let through = Some(ProofMethod::ThroughCdn);
    let one = vec![sight(NAMES[0], right(), through)];
    insta::assert_snapshot!("all_right_one", Stage { seen: one, ..Stage::new(&NAMES[..1]) }.text());
    let names = ["www.example.gov", "example.gov", "*.example.gov"];
    let flattened = lead(&[], LeadEnd::Target);
    let seen = vec![
        sight(names[0], right(), through),
        sight(names[1], flattened, through),
        sight(names[2], right(), Some(ProofMethod::Delegated)),
    ];
    insta::assert_snapshot!("all_right", Stage { seen, ..Stage::new(&names) }.text());
}

#[test]
fn names_that_lead_elsewhere_or_nowhere() {
    let names = [
        "a.example.gov",
        "b.example.gov",
        "c.example.gov",
        "d.example.gov",
        "e.example.gov",
        "f.example.gov",
    ];
    let old = "old-host.example.org";
    let seen = vec![
        by_hand(names[0], elsewhere(&[])),
        sight(names[1], elsewhere(&["b.example.org", old]), Some(ProofMethod::Redirected)),
        by_hand(names[2], lead(&[], LeadEnd::NoName)),
        by_hand(names[3], lead(&[old], LeadEnd::NoName)),
        by_hand(names[4], lead(&[], LeadEnd::NoAddress)),
        by_hand(names[5], lead(&[old], LeadEnd::NoAddress)),
    ];
    insta::assert_snapshot!(Stage { seen, ..Stage::new(&names) }.text());
}

#[test]
fn names_that_lead_to_records_of_this_service_and_not_further() {
    let names = ["mine.example.gov", "theirs.example.gov"];
    let own = format!("{}.{ZONE}", label(&sample::name(names[0])));
    let other = format!("un3xtu3cxqjvfkftcq4p5w2pdp.{ZONE}");
    let seen = vec![
        sight(names[0], elsewhere(&[&own, "challenges.example.net"]), Some(ProofMethod::ManagedName)),
        by_hand(names[1], lead(&[&other], LeadEnd::NoName)),
    ];
    insta::assert_snapshot!(Stage { seen, ..Stage::new(&names) }.text());
}

#[test]
fn what_is_unclear_and_what_took_too_long() {
    let saw = "The CNAMEs go round in a circle: `b.example.gov` -> `c.example.gov` -> `b.example.gov`.";
    let names = ["a.example.gov", "b.example.gov", "c.example.gov", "d.example.gov"];
    let seen = vec![
        sight(names[0], right(), Some(ProofMethod::ThroughCdn)),
        by_hand(names[1], lead(&[], LeadEnd::Unclear { saw: saw.into() })),
        unseen(names[2]),
        unseen(names[3]),
    ];
    insta::assert_snapshot!(Stage { seen, ..Stage::new(&names) }.text());
    // Where it leads was seen in time, and how it would be proven was not.
    let half = Sight { outlook: None, ..sight(names[0], right(), None) };
    let text = Stage { seen: vec![half], ..Stage::new(&names[..1]) }.text();
    assert!(text.ends_with(&format!("a.example.gov leads to {TARGET}: right.")), "{text}");
}

#[test]
fn what_caa_forbids() {
    let saw = "CAA at `example.gov` allows only `digicert.com`: add `0 issue \"letsencrypt.org\"`.";
    let names = ["www.example.gov", "docs.example.gov", "example.org"];
    let through = Some(ProofMethod::ThroughCdn);
    let seen = vec![
        forbidden(sight(names[0], right(), None), saw),
        forbidden(sight(names[1], right(), None), saw),
        sight(names[2], right(), through),
    ];
    insta::assert_snapshot!(Stage { seen, ..Stage::new(&names) }.text());
}

#[test]
fn a_renewal_that_needs_its_user() {
    let renewing = vec![
        done(NAMES[0], ProofState::Proven),
        open(NAMES[1], &[ProofMethod::ThroughCdn, ProofMethod::Direct]),
    ];
    let stage = Stage { renewing, ..Stage::new(&NAMES[..2]) };
    insta::assert_snapshot!("renewal", stage.text());
    insta::assert_snapshot!("renewal_late", Stage { in_time: false, ..stage }.text());
}

#[test]
fn an_update_that_can_go_on() {
    let direct = [ProofMethod::Direct];
    let waiting = vec![done(NAMES[0], ProofState::Proven), open("new.example.gov", &direct)];
    let seen = vec![sight(NAMES[0], right(), Some(ProofMethod::ThroughCdn))];
    let stage = Stage { update: waiting, failed: true, seen, ..Stage::new(&NAMES[..1]) };
    insta::assert_snapshot!("update", stage.text());
    insta::assert_snapshot!("update_late", Stage { in_time: false, ..stage }.text());
    let proven = vec![done(NAMES[0], ProofState::Proven), done("new.example.gov", ProofState::Answered)];
    let stage = Stage { update: proven, failed: true, ..Stage::new(&NAMES[..1]) };
    insta::assert_snapshot!("update_proven", stage.text());
}

/// R108, at its worst: long names that are all wrong, of which each has something else to be said, while an update waits.
#[test]
fn ten_domains_fit_on_four_kilobytes_and_a_hundred_on_thirty_two() {
    for count in [10, 100] {
        let names: Vec<String> =
            (0..count).map(|n| format!("department-{n}.{}.gov", "x".repeat(40))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let long = format!("{}.example.org", "y".repeat(60));
        let seen = names.iter().enumerate().map(|(n, name)| match n % 2 {
            0 => by_hand(name, elsewhere(&[&long])),
            _ => forbidden(
                by_hand(name, lead(&[&long], LeadEnd::NoName)),
                &format!("CAA at `{name}` allows nobody."),
            ),
        });
        let update = names.iter().map(|name| open(name, &ALL)).collect();
        let stage = Stage { seen: seen.collect(), update, failed: true, ..Stage::new(&names) };
        let text = stage.text();
        assert_eq!(text.matches(" IN TXT ").count(), count, "what is to be done goes first: {text}");
        let idle = Stage { update: Vec::new(), ..stage };
        assert!(
            idle.text().contains("not to d111111abcdef8.cloudfront.net") || count == 10,
            "{}",
            idle.text()
        );
    }
}

/// Whoever keeps a zone chooses what its names lead to.
#[test]
fn what_others_have_written_is_shown_with_care() {
    let alias = "evil\u{202e}\n<script>".repeat(40);
    let seen = vec![by_hand(NAMES[0], elsewhere(&[&alias]))];
    let text = Stage { seen, ..Stage::new(&NAMES[..1]) }.text();
    assert!(text.contains("evil??<script>") && text.len() < 1500, "{text}");
}

fn finding(name: &str, kind: &str, sentence: &str) -> SiteFinding {
    SiteFinding {
        name: sample::name(name),
        kind: kind.to_owned(),
        sentence: sentence.to_owned(),
        since: at(0),
        last: at(2),
        looks: 2,
        told: true,
    }
}

/// What a look does not see is told as it was found; what it sees better, what is not sure, and what is about a name that is
/// not served any more is not.
#[test]
fn what_visits_have_found() {
    let mut stage = Stage::new(&NAMES);
    stage.served = 2;
    stage.seen = vec![sight(NAMES[0], right(), Some(ProofMethod::ThroughCdn)), unseen(NAMES[1])];
    let path = "A challenge of the certificate authority would not be answered at www.example.gov, so that its certificate \
                could not be renewed. http://www.example.gov answers with status 403.";
    let record = "_acme-challenge.docs.example.gov. CNAME _acme-challenge.x.cdn.example.net.";
    let gone = format!("The record that proves docs.example.gov for ever is gone. Set it again: {record}");
    let unsure = SiteFinding { told: false, ..finding(NAMES[1], "certificate", "Not sure yet.") };
    stage.findings = vec![
        finding(NAMES[0], "challenge-path", path),
        finding(NAMES[0], "dns", "Seen better by the look."),
        finding(NAMES[0], "caa", "Seen better by the look."),
        finding(NAMES[0], "delegation", "Mended since."),
        finding(NAMES[1], "dns", "docs.example.gov leads to 192.0.2.7 instead of d1.cloudfront.net."),
        finding(NAMES[1], "delegation", &gone),
        finding(NAMES[2], "certificate", "About a name that has lapsed."),
        unsure,
    ];
    insta::assert_snapshot!(stage.text());
}

#[test]
fn of_many_findings_as_many_as_there_is_room_for_are_told() {
    let mut stage = Stage::new(&NAMES[..1]);
    let sentence = "x".repeat(300);
    stage.findings = (0..40).map(|_| finding(NAMES[0], "certificate", &sentence)).collect();
    let text = stage.text();
    let told = text.matches("Found on").count();
    assert!(told > 2 && text.contains(&format!("{} more findings of this kind", 40 - told)), "{text}");
}
