use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::{CertificateRequest, DomainName, Timestamp};
use sha2::{Digest, Sha256};

use crate::limits::{Limits, Quota};
use crate::problem::Problem;

/// What an authority limits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scarce {
    /// New orders of the account.
    Orders,
    /// Certificates under a registered domain.
    Domain(String),
    /// Certificates for exactly the same names, by their digest.
    Set(String),
    /// Failed validations of a name.
    Failures(String),
    /// Failed validations of a name in a row.
    InARow(String),
}

impl Scarce {
    /// How it is called in the ledger.
    pub(crate) fn key(&self, directory: &str) -> String {
        match self {
            Self::Orders => format!("orders {directory}"),
            Self::Domain(domain) => format!("domain {directory} {domain}"),
            Self::Set(set) => format!("set {directory} {set}"),
            Self::Failures(name) => format!("failures {directory} {name}"),
            Self::InARow(name) => format!("in-a-row {directory} {name}"),
        }
    }

    /// What a key of the ledger is about; `None` for one that is about no limit, or of another directory.
    pub(crate) fn of_key(key: &str, directory: &str) -> Option<Self> {
        let (limit, rest) = key.split_once(' ')?;
        if limit == "orders" {
            return (rest == directory).then_some(Self::Orders);
        }
        let about = rest.strip_prefix(directory)?.strip_prefix(' ')?.to_owned();
        match limit {
            "domain" => Some(Self::Domain(about)),
            "set" => Some(Self::Set(about)),
            "failures" => Some(Self::Failures(about)),
            "in-a-row" => Some(Self::InARow(about)),
            _ => None,
        }
    }

    /// Which limit it is, in a word, and what it is about.
    pub(crate) fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Orders => ("orders", ""),
            Self::Domain(domain) => ("domain", domain),
            Self::Set(set) => ("set", set),
            Self::Failures(name) => ("failures", name),
            Self::InARow(name) => ("in-a-row", name),
        }
    }

    pub(crate) fn quota(&self, limits: &Limits) -> Option<Quota> {
        match self {
            Self::Orders => limits.orders,
            Self::Domain(_) => limits.certificates_per_domain,
            Self::Set(_) => limits.certificates_per_set,
            Self::Failures(_) => limits.failures,
            Self::InARow(_) => limits.failures_in_a_row,
        }
    }

    /// Whether a part of it is kept for renewals.
    pub(crate) fn is_shared_out(&self) -> bool {
        matches!(self, Self::Orders | Self::Domain(_))
    }

    /// What the user reads who is held back by it.
    pub(crate) fn sentence(&self, limits: &Limits, until: Timestamp) -> String {
        let authority = &limits.authority;
        let at_most = self.quota(limits).map_or_else(
            || "only so many".to_owned(),
            |quota| format!("at most {} certificates {}", quota.count, in_words(quota)),
        );
        match self {
            Self::Orders => format!(
                "{authority} takes only so many orders from this service at a time, and renewals go first; this one is \
                 placed by itself on {until}."
            ),
            Self::Domain(domain) => format!(
                "{authority} issues {at_most} for `{domain}` and its subdomains, and renewals go first; this one is \
                 ordered by itself on {until}. Several names in one service instance, or a wildcard, need only one."
            ),
            Self::Set(_) => format!(
                "{authority} issues {at_most} for exactly the same names; the next one is ordered by itself on {until}."
            ),
            Self::Failures(name) | Self::InARow(name) => format!(
                "{authority} has found the proof of control over `{name}` wrong too often, and looks again from {until} \
                 on; until then, make sure that it is right."
            ),
        }
    }
}

/// `a week`, `in 3 hours`.
fn in_words(quota: Quota) -> String {
    match quota.period.as_secs() / 3600 {
        168 => "a week".to_owned(),
        1 => "an hour".to_owned(),
        hours => format!("in {hours} hours"),
    }
}

/// The registered domains of the names, counted as the authority does: a public suffix, the private ones included, and
/// one label more (publicsuffix.org). A name that is a suffix itself stands for itself.
pub(crate) fn registered_domains(names: &[DomainName]) -> BTreeSet<String> {
    names.iter().map(|name| psl::domain_str(name.base()).unwrap_or(name.base()).to_owned()).collect()
}

/// A digest of the names, whatever their order.
pub(crate) fn exact_set(names: &[DomainName]) -> String {
    let sorted: BTreeSet<&str> = names.iter().map(DomainName::as_str).collect();
    let digest = Sha256::digest(sorted.into_iter().collect::<Vec<_>>().join("\n"));
    URL_SAFE_NO_PAD.encode(digest)
}

/// Which limit the authority means when it refuses an order; `None` when it does not say it in words that are known.
pub(crate) fn meant(problem: &Problem, request: &CertificateRequest) -> Option<Scarce> {
    let detail = problem.detail.to_ascii_lowercase();
    let named = |name: &str| detail.contains(&format!("\"{name}\"")) || detail.contains(&format!("`{name}`"));
    if detail.contains("exact set") {
        Some(Scarce::Set(exact_set(&request.names)))
    } else if detail.contains("failed authorizations") {
        let name = request.names.iter().find(|name| named(name.base()))?;
        Some(Scarce::Failures(name.base().to_owned()))
    } else if detail.contains("new orders") {
        Some(Scarce::Orders)
    } else if detail.contains("certificates") {
        let domains = registered_domains(&request.names);
        let only = domains.first().filter(|_| domains.len() == 1);
        domains.iter().find(|domain| named(domain)).or(only).cloned().map(Scarce::Domain)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use contract::KeyType;

    use super::*;

    fn names(names: &[&str]) -> Vec<DomainName> {
        names.iter().map(|name| DomainName::parse(name).unwrap()).collect()
    }

    fn domain(name: &str) -> String {
        registered_domains(&names(&[name])).into_iter().collect()
    }

    #[test]
    fn a_registered_domain_is_counted_as_the_authority_counts() {
        for (name, registered) in [
            ("example.gov", "example.gov"),
            ("a.b.example.gov", "example.gov"),
            ("*.example.gov", "example.gov"),
            ("www.example.co.uk", "example.co.uk"),
            ("site.someone.github.io", "someone.github.io"),
            ("github.io", "github.io"),
            ("www.\u{98df}\u{72ee}.\u{516c}\u{53f8}.cn", "xn--85x722f.xn--55qx5d.cn"),
            ("b\u{fc}cher.example.gov", "example.gov"),
            ("www.b\u{fc}cher.de", "xn--bcher-kva.de"),
            ("www.unknown-suffix.thisisnone", "unknown-suffix.thisisnone"),
        ] {
            assert_eq!(domain(name), registered, "{name}");
        }
        assert_eq!(registered_domains(&names(&["a.example.gov", "b.example.gov", "c.example"])).len(), 2);
    }

    #[test]
    fn a_key_reads_back_as_what_it_is_about() {
        let directory = "https://ca.example/directory";
        let about = "a.example".to_owned();
        for scarce in [
            Scarce::Orders,
            Scarce::Domain(about.clone()),
            Scarce::Set(about.clone()),
            Scarce::Failures(about.clone()),
            Scarce::InARow(about),
        ] {
            assert_eq!(Scarce::of_key(&scarce.key(directory), directory), Some(scarce.clone()));
            assert_eq!(Scarce::of_key(&scarce.key(directory), "https://ca.example"), None);
        }
        assert_eq!(Scarce::of_key("issued https://ca.example/directory x", directory), None);
    }

    #[test]
    fn a_set_is_the_same_in_any_order() {
        assert_eq!(
            exact_set(&names(&["a.example", "b.example"])),
            exact_set(&names(&["b.example", "a.example"]))
        );
        assert_ne!(exact_set(&names(&["a.example"])), exact_set(&names(&["*.a.example"])));
    }

    #[test]
    fn lets_encrypts_own_words_are_understood() {
        let request = CertificateRequest::new(names(&["a.example.gov", "b.example.org"]), KeyType::P256);
        let means = |detail: &str| {
            let problem = Problem { kind: "rateLimited".into(), detail: detail.into(), ..Problem::default() };
            meant(&problem, &request)
        };
        let domain = Scarce::Domain("example.org".into());
        let more = "retry after 2026-11-27 01:02:03 UTC: see https://letsencrypt.org/docs/rate-limits/#x";
        for (detail, scarce) in [
            ("too many new orders (300) from this account in the last 3h0m0s", Some(Scarce::Orders)),
            (
                "too many certificates (50) already issued for \"example.org\" in the last 168h0m0s",
                Some(domain),
            ),
            (
                "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s",
                Some(Scarce::Set(exact_set(&request.names))),
            ),
            (
                "too many failed authorizations (5) for \"a.example.gov\" in the last 1h0m0s",
                Some(Scarce::Failures("a.example.gov".into())),
            ),
            ("Service busy; retry later.", None),
        ] {
            assert_eq!(means(&format!("{detail}, {more}")), scarce, "{detail}");
        }
    }

    #[test]
    fn sentences_say_what_is_scarce_until_when_and_what_helps() {
        let limits = Limits::lets_encrypt();
        let until = Timestamp::from_secs(1_795_456_800);
        let say = |scarce: Scarce| scarce.sentence(&limits, until);
        reads(
            &say(Scarce::Domain("example.gov".into())),
            "Let's Encrypt issues at most 50 certificates a week for `example.gov` and its subdomains, and renewals go \
             first; this one is ordered by itself on 2026-11-23 18:00 UTC. Several names in one service instance, or a \
             wildcard, need only one.",
        );
        reads(
            &say(Scarce::Set("x".into())),
            "Let's Encrypt issues at most 5 certificates a week for exactly the same names; the next one is ordered by \
             itself on 2026-11-23 18:00 UTC.",
        );
        reads(
            &say(Scarce::Orders),
            "Let's Encrypt takes only so many orders from this service at a time, and renewals go first; this one is \
             placed by itself on 2026-11-23 18:00 UTC.",
        );
        reads(
            &say(Scarce::Failures("a.example".into())),
            "Let's Encrypt has found the proof of control over `a.example` wrong too often, and looks again from \
             2026-11-23 18:00 UTC on; until then, make sure that it is right.",
        );
    }

    fn reads(text: &str, expected: &str) {
        assert_eq!(text, expected);
        assert!(text.is_ascii());
    }
}
