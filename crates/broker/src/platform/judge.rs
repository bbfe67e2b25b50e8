//! Which domain counts for a name, and whose it is.

use std::collections::BTreeMap;

use contract::{DomainName, PlatformDomain};

use super::wire::Domain;

/// Domains of the platform, by their names in lower case.
#[derive(Default)]
pub(super) struct Known(BTreeMap<String, Owners>);

/// The organizations that may use a domain: its owner and those with whom it is shared; `None` for all.
type Owners = Option<Vec<String>>;

impl Known {
    /// Internal domains lead nowhere on the Internet: they are as good as not there.
    pub(super) fn add(&mut self, domains: Vec<Domain>) {
        for Domain { name, relationships, .. } in domains.into_iter().filter(|domain| !domain.internal) {
            let shared = relationships.shared_organizations.data.into_iter();
            let owners = relationships.organization.data.map(|owner| {
                std::iter::once(owner).chain(shared).map(|organization| organization.guid).collect()
            });
            self.0.insert(name.to_ascii_lowercase(), owners);
        }
    }

    /// The closest domain counts: somebody may own a domain below one that everybody may use.
    pub(super) fn judge(&self, organization: &str, name: &DomainName) -> PlatformDomain {
        let closest = with_parents(name).find_map(|name| self.0.get_key_value(name));
        match closest {
            None => PlatformDomain::Unknown,
            Some((_, None)) => PlatformDomain::Usable,
            Some((_, Some(owners))) if owners.iter().any(|owner| owner == organization) => {
                PlatformDomain::Usable
            }
            Some((domain, Some(_))) => PlatformDomain::OfOthers { domain: domain.clone() },
        }
    }
}

/// The names and their parents, each once, joined with commas to texts of about `size` bytes at most.
pub(super) fn chunks(names: &[&DomainName], size: usize) -> Vec<String> {
    let mut wanted: Vec<&str> = names.iter().flat_map(|name| with_parents(name)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut chunks: Vec<String> = Vec::new();
    for name in wanted {
        match chunks.last_mut() {
            // In a query a comma takes three bytes.
            Some(last) if last.len() + last.matches(',').count() * 2 + name.len() < size => {
                last.push(',');
                last.push_str(name);
            }
            _ => chunks.push(name.to_owned()),
        }
    }
    chunks
}

/// The name without its star, then its parents, down to two labels: there is no domain of one.
fn with_parents(name: &DomainName) -> impl Iterator<Item = &str> {
    let parents = std::iter::successors(Some(name.base()), |name| Some(name.split_once('.')?.1));
    parents.take_while(|name| name.contains('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    fn known(domains: serde_json::Value) -> Known {
        let mut known = Known::default();
        known.add(serde_json::from_value(domains).unwrap());
        known
    }

    #[test]
    fn an_internal_domain_is_no_domain() {
        let known = known(json!([
            {"name": "apps.internal", "internal": true, "relationships": {"organization": {"data": null}}},
            {"name": "internal.example", "internal": false},
        ]));
        assert_eq!(known.judge("org", &name("x.apps.internal")), PlatformDomain::Unknown);
        assert_eq!(known.judge("org", &name("x.internal.example")), PlatformDomain::Usable);
    }

    #[test]
    fn a_domain_is_found_in_any_case() {
        let known = known(json!([{
            "name": "Example.GOV",
            "relationships": {"organization": {"data": {"guid": "a"}}, "shared_organizations": {"data": [{"guid": "b"}]}}
        }]));
        for organization in ["a", "b"] {
            assert_eq!(known.judge(organization, &name("*.www.example.gov")), PlatformDomain::Usable);
        }
        let of_others = PlatformDomain::OfOthers { domain: "example.gov".into() };
        assert_eq!(known.judge("c", &name("example.gov")), of_others);
    }

    #[test]
    fn names_and_parents_are_asked_for_once_and_in_addresses_that_are_not_too_long() {
        let names = [name("a.b.example.gov"), name("*.b.example.gov"), name("example.gov")];
        let names: Vec<&DomainName> = names.iter().collect();
        assert_eq!(chunks(&names, 4000), ["a.b.example.gov,b.example.gov,example.gov"]);
        assert_eq!(chunks(&names, 20), ["a.b.example.gov", "b.example.gov", "example.gov"]);
        assert_eq!(chunks(&[], 20), Vec::<String>::new());
    }
}
