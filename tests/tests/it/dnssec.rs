//! What the probe says of names that a validating resolver refuses: the real Unbound stands between it and the name
//! servers, as one stands between the authority and them.

use acme_core::{Probe, ProbeSettings};
use contract::{CaaQuestion, DomainName, HttpQuestion, ProofProbe, Sighting, TxtQuestion, Verdict};
use sandbox::Unbound;
use sandbox::dns::{Dns, DnsFault, DnsFaultKind};

const VALUE: &str = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo";
/// A zone in order.
const GOOD: &str = "www.good.example";
/// A zone which is said to be signed, and is not.
const BOGUS: &str = "www.bogus.example";
/// A name in a good zone that is itself said to be a signed zone, and is not.
const BOGUS_LEAF: &str = "www.leaf.example";

struct Lab {
    dns: Dns,
    unbound: Unbound,
    probe: Probe,
}

impl Lab {
    async fn start() -> Self {
        let dns = Dns::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
        for zone in ["good.example", "bogus.example", "leaf.example"] {
            dns.zone(zone).unwrap();
        }
        let signed = ["bogus.example".to_owned(), format!("_acme-challenge.{BOGUS_LEAF}")];
        let signed: Vec<&str> = signed.iter().map(String::as_str).collect();
        let unbound = Unbound::start(&dns, &signed).await.unwrap();
        let settings = ProbeSettings {
            resolvers: vec![unbound.address()],
            dns_port: dns.address().port(),
            allow_private_addresses: true,
            ..ProbeSettings::default()
        };
        Self { probe: Probe::new(&settings).unwrap(), dns, unbound }
    }

    fn set(&self, name: &str) {
        self.dns.set_txt(&format!("_acme-challenge.{name}"), vec![VALUE.to_owned()]).unwrap();
    }

    async fn txt(&self, name: &str) -> Verdict {
        let question = TxtQuestion { name: format!("_acme-challenge.{name}."), value: VALUE.to_owned() };
        self.probe.txt(&question).await.unwrap().verdict
    }
}

/// What the user reads; nothing where all is well.
fn told(verdict: Verdict) -> String {
    match verdict {
        Verdict::Seen => String::new(),
        Verdict::NotYet { saw } => saw,
    }
}

#[tokio::test]
async fn bogus_dnssec_is_told_apart_from_absence_and_from_order() {
    let lab = Lab::start().await;
    assert_eq!(told(lab.txt(GOOD).await), format!("`_acme-challenge.{GOOD}` does not exist yet (NXDOMAIN)."));
    assert_eq!(
        told(lab.txt(BOGUS_LEAF).await),
        format!("`_acme-challenge.{BOGUS_LEAF}` does not exist yet (NXDOMAIN)."),
        "what is not there is not bogus yet"
    );
    for name in [GOOD, BOGUS, BOGUS_LEAF] {
        lab.set(name);
    }
    assert_eq!(lab.txt(GOOD).await, Verdict::Seen);
    let leaf = told(lab.txt(BOGUS_LEAF).await);
    let there =
        format!("The TXT record is there, but the DNSSEC of `_acme-challenge.{BOGUS_LEAF}` is broken");
    assert!(leaf.starts_with(&there), "{leaf}");
    let zone = told(lab.txt(BOGUS).await);
    assert!(zone.starts_with("The DNSSEC of `"), "{zone}");
    assert!(zone.contains("bogus.example` is broken"), "{zone}");
}

#[tokio::test]
async fn a_zone_that_fails_is_not_said_to_be_bogus() {
    let lab = Lab::start().await;
    lab.set(GOOD);
    let name = format!("_acme-challenge.{GOOD}");
    let fault = DnsFaultKind::ServFail;
    lab.dns.fail(DnsFault { name, kind: None, servers: Vec::new(), fault }).unwrap();
    let saw = told(lab.txt(GOOD).await);
    assert!(saw.contains("SERVFAIL") && !saw.contains("DNSSEC"), "{saw}");
}

#[tokio::test]
async fn no_way_leads_through_a_bogus_zone() {
    let lab = Lab::start().await;
    let caa = |name: &str| CaaQuestion {
        name: DomainName::parse(name).unwrap(),
        issuers: vec!["ca.example".to_owned()],
        account_url: None,
        method: "dns-01".to_owned(),
    };
    assert_eq!(lab.probe.caa(&caa(GOOD)).await.unwrap(), Verdict::Seen);
    let saw = told(lab.probe.caa(&caa(BOGUS)).await.unwrap());
    assert!(saw.contains("DNSSEC"), "no permission can be read there: {saw}");

    lab.dns.set_a(BOGUS, vec!["127.0.0.1".parse().unwrap()]).unwrap();
    let question = HttpQuestion {
        name: DomainName::parse(BOGUS).unwrap(),
        token: "token".to_owned(),
        answer: "answer".to_owned(),
    };
    let Sighting { verdict, .. } = lab.probe.http(&question).await.unwrap();
    let saw = told(verdict);
    assert!(saw.contains("DNSSEC"), "{saw}");

    lab.dns.set_cname(&format!("_acme-challenge.{GOOD}"), &format!("_acme-challenge.{BOGUS}")).unwrap();
    let saw = told(lab.txt(GOOD).await);
    assert!(saw.contains("DNSSEC") && saw.contains("bogus.example"), "{saw}");
    assert!(lab.unbound.address().ip().is_loopback());
}
