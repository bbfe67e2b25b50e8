use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{CrashPlan, locked};
use crate::{DomainName, Place, PlatformDirectory, PlatformDomain, PortResult};

/// A platform in memory, with its organizations and domains. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct FakePlatform {
    plan: CrashPlan,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    domains: BTreeMap<String, Owners>,
    names: BTreeMap<String, String>,
}

/// The organizations that may use a domain; `None` for all of them.
type Owners = Option<Vec<String>>;

impl FakePlatform {
    /// A platform without anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same platform, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Makes a domain that all organizations may use.
    pub fn share_with_all(&self, domain: &str) {
        locked(&self.state).domains.insert(domain.to_owned(), None);
    }

    /// Makes a domain of these organizations: its owner, and whom it is shared with.
    pub fn own(&self, domain: &str, organizations: &[&str]) {
        let owners = organizations.iter().map(ToString::to_string).collect();
        locked(&self.state).domains.insert(domain.to_owned(), Some(owners));
    }

    /// Gives an organization or a space its name.
    pub fn name(&self, guid: &str, name: &str) {
        locked(&self.state).names.insert(guid.to_owned(), name.to_owned());
    }
}

impl State {
    fn judge(&self, organization: &str, name: &DomainName) -> PlatformDomain {
        let mut parents = std::iter::successors(Some(name.base()), |name| Some(name.split_once('.')?.1));
        let found = parents.find_map(|name| self.domains.get_key_value(name));
        match found {
            None => PlatformDomain::Unknown,
            Some((_, None)) => PlatformDomain::Usable,
            Some((_, Some(owners))) if owners.iter().any(|owner| owner == organization) => {
                PlatformDomain::Usable
            }
            Some((domain, _)) => PlatformDomain::OfOthers { domain: domain.clone() },
        }
    }
}

#[async_trait]
impl PlatformDirectory for FakePlatform {
    async fn domains(&self, organization: &str, names: &[DomainName]) -> PortResult<Vec<PlatformDomain>> {
        let judged = || {
            let state = locked(&self.state);
            Ok(names.iter().map(|name| state.judge(organization, name)).collect())
        };
        self.plan.pass("platform.domains", judged).await
    }

    async fn place(&self, organization: &str, space: &str) -> PortResult<Place> {
        let found = || {
            let names = &locked(&self.state).names;
            Ok(Place { organization: names.get(organization).cloned(), space: names.get(space).cloned() })
        };
        self.plan.pass("platform.place", found).await
    }
}
