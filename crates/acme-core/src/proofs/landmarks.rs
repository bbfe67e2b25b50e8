use contract::{DomainName, Hop, durable_label};
use url::Url;

use super::ProofSettings;

/// How the durable records of one tenant for one name are called, as far as the operator has set up what they need.
/// Names are in lower case, without a trailing dot.
#[derive(Clone, Debug)]
pub(crate) struct Landmarks {
    label: String,
    responder: Option<Url>,
    zone: Option<String>,
    has_host: bool,
    /// The name itself, without `*.`, where records of another service that had it before stay good.
    inherited: Option<String>,
}

impl Landmarks {
    /// `has_zone`: whether there is somebody who can write in the managed zone.
    pub(super) fn new(settings: &ProofSettings, has_zone: bool, tenant: &str, name: &DomainName) -> Self {
        Self {
            label: durable_label(tenant, name),
            responder: settings.challenge_url.clone(),
            zone: settings.managed_zone.as_ref().filter(|_| has_zone).map(ToString::to_string),
            has_host: settings.challenge_host.is_some(),
            inherited: None,
        }
    }

    /// The same, for a name that has come from a service whose records in the zone were called by the name alone.
    pub(super) fn with_inherited(self, name: &DomainName) -> Self {
        Self { inherited: Some(name.base().to_owned()), ..self }
    }

    /// What the name itself may be a CNAME to.
    pub(crate) fn managed_name(&self) -> Option<String> {
        let zone = self.zone.as_deref().filter(|_| self.has_host && self.responder.is_some())?;
        Some(format!("{}.{zone}", self.label))
    }

    /// What `_acme-challenge.NAME` may be a CNAME to.
    pub(crate) fn delegate(&self) -> Option<String> {
        Some(format!("_acme-challenge.{}.{}", self.label, self.zone.as_deref()?))
    }

    /// To which of the places that are this tenant's a chain of aliases leads: the one that is offered, or that of earlier
    /// times.
    pub(crate) fn delegated_to(&self, route: &[Hop]) -> Option<String> {
        let zone = self.zone.as_deref()?;
        let inherited = self.inherited.as_ref().map(|name| format!("_acme-challenge.{name}.{zone}"));
        let mut ours = self.delegate().into_iter().chain(inherited);
        let leads =
            |ours: &String| route.iter().any(|hop| matches!(hop, Hop::Cname { to, .. } if to == ours));
        ours.find(leads)
    }

    /// Below which URL the site's challenge path may be redirected to.
    pub(crate) fn redirect(&self) -> Option<String> {
        let base = self.responder.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/{}/", self.label))
    }

    /// Whether a place of the responder is this tenant's for this name.
    pub(super) fn is_ours(&self, place: &str) -> bool {
        place == self.label
    }

    /// At which place of our responder a URL is, however it is reached; `None` when it is elsewhere.
    pub(super) fn place_of(&self, url: &str) -> Option<String> {
        let (base, url) = (self.responder.as_ref()?, Url::parse(url).ok()?);
        if url.host_str() != base.host_str() {
            return None;
        }
        let below = url.path().strip_prefix(base.path().trim_end_matches('/'))?.strip_prefix('/')?;
        below.split('/').next().filter(|place| !place.is_empty()).map(str::to_owned)
    }

    /// Which label of the managed zone a host name is, or lies below; `None` when it is elsewhere.
    pub(super) fn label_of<'a>(&self, host: &'a str) -> Option<&'a str> {
        let below = host.strip_suffix(self.zone.as_deref()?)?.strip_suffix('.')?;
        below.rsplit('.').next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "un3xtu3cxqjvfkftcq4p5w2pdp";

    fn landmarks(url: &str) -> Landmarks {
        let settings = ProofSettings {
            challenge_url: Some(url.parse().unwrap()),
            challenge_host: DomainName::parse("front.example").ok(),
            managed_zone: DomainName::parse("cdn.example").ok(),
        };
        let name = DomainName::parse("www.example.gov").unwrap();
        Landmarks::new(&settings, true, "f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0", &name)
    }

    #[test]
    fn records_are_called_by_the_label() {
        let landmarks = landmarks("https://broker.example/.well-known/acme-challenge/");
        assert_eq!(landmarks.managed_name(), Some(format!("{LABEL}.cdn.example")));
        assert_eq!(landmarks.delegate(), Some(format!("_acme-challenge.{LABEL}.cdn.example")));
        let redirect = format!("https://broker.example/.well-known/acme-challenge/{LABEL}/");
        assert_eq!(landmarks.redirect(), Some(redirect));
        assert!(landmarks.is_ours(LABEL) && !landmarks.is_ours("www.example.gov"));
    }

    #[test]
    fn a_delegation_of_earlier_times_is_good_for_who_has_inherited_it() {
        let name = DomainName::parse("www.example.gov").unwrap();
        let alias = |to: &str| Hop::Cname { from: "_acme-challenge.www.example.gov".into(), to: to.into() };
        let (ours, old) = (
            alias(&format!("_acme-challenge.{LABEL}.cdn.example")),
            alias("_acme-challenge.www.example.gov.cdn.example"),
        );
        let plain = landmarks("https://broker.example/");
        let inherited = plain.clone().with_inherited(&name);
        let to = |landmarks: &Landmarks, hop: &Hop| landmarks.delegated_to(std::slice::from_ref(hop));
        assert_eq!(to(&plain, &ours), plain.delegate());
        assert_eq!(to(&inherited, &ours), plain.delegate());
        assert_eq!(to(&plain, &old), None);
        assert_eq!(to(&inherited, &old).as_deref(), Some("_acme-challenge.www.example.gov.cdn.example"));
        for other in [
            "_acme-challenge.example.gov.cdn.example",
            "_acme-challenge.www.example.gov",
            "www.example.gov.cdn.example",
        ] {
            assert_eq!(to(&inherited, &alias(other)), None, "{other}");
        }
        assert_eq!(inherited.delegate(), plain.delegate(), "what is offered stays the same");
    }

    #[test]
    fn what_the_operator_has_not_set_up_has_no_name() {
        let name = DomainName::parse("www.example.gov").unwrap();
        let all = landmarks("https://broker.example/");
        let without = |settings: ProofSettings, zone| {
            let some = Landmarks::new(&settings, zone, "org", &name);
            [some.managed_name().is_some(), some.delegate().is_some(), some.redirect().is_some()]
        };
        let settings = ProofSettings {
            challenge_url: all.responder.clone(),
            challenge_host: DomainName::parse("front.example").ok(),
            managed_zone: DomainName::parse("cdn.example").ok(),
        };
        assert_eq!(without(settings.clone(), true), [true, true, true]);
        assert_eq!(without(settings.clone(), false), [false, false, true], "nobody can write in the zone");
        assert_eq!(
            without(ProofSettings { challenge_host: None, ..settings.clone() }, true),
            [false, true, true]
        );
        assert_eq!(without(ProofSettings { challenge_url: None, ..settings }, true), [false, true, false]);
        assert_eq!(without(ProofSettings::default(), true), [false, false, false]);
    }

    #[test]
    fn a_place_is_found_in_a_url_whatever_scheme_and_port() {
        let place = |url: &str| landmarks("https://broker.example/.well-known/acme-challenge").place_of(url);
        for url in [
            "https://broker.example/.well-known/acme-challenge/place/token",
            "http://broker.example:8080/.well-known/acme-challenge/place/token",
            "https://broker.example/.well-known/acme-challenge/place",
        ] {
            assert_eq!(place(url).as_deref(), Some("place"), "{url}");
        }
        for url in [
            "https://other.example/.well-known/acme-challenge/place/token",
            "https://broker.example/.well-known/acme-challenge/",
            "https://broker.example/.well-known/acme-challengeplace/token",
            "https://broker.example/elsewhere/place/token",
            "not a URL",
        ] {
            assert_eq!(place(url), None, "{url}");
        }
    }

    #[test]
    fn a_label_is_found_in_a_host_of_the_zone() {
        let landmarks = landmarks("https://broker.example/");
        assert_eq!(landmarks.label_of("a.cdn.example"), Some("a"));
        assert_eq!(landmarks.label_of("_acme-challenge.a.cdn.example"), Some("a"));
        for host in ["cdn.example", "acdn.example", "a.cdn.example.org", ""] {
            assert_eq!(landmarks.label_of(host), None, "{host}");
        }
    }
}
