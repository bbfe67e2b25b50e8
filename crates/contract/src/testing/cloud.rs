use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{
    DistributionId, DistributionSpec, DomainName, InstanceId, PortError, Reference, Remedy,
    StoredCertificate, Timestamp, VaultName,
};

/// A change that took effect in the fake AWS account. What changed nothing is no write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A distribution was created.
    Created(Reference, DistributionId),
    /// A distribution was changed; these are the names and the certificate it has since.
    Updated(DistributionId, Vec<DomainName>, Option<StoredCertificate>),
    /// A distribution was disabled.
    Disabled(DistributionId),
    /// A distribution was enabled again.
    Enabled(DistributionId),
    /// A distribution was deleted.
    Deleted(DistributionId),
    /// The edges of a distribution were told to fetch paths anew.
    Invalidated(DistributionId, Reference, Vec<String>),
    /// A certificate was uploaded.
    Uploaded(VaultName, StoredCertificate),
    /// A certificate was removed from the vault.
    Dropped(VaultName),
}

/// What [`super::FakeCdn`] and [`super::FakeVault`] know of each other, as CloudFront and IAM of one account do.
#[derive(Debug)]
pub(super) struct Cloud {
    /// How long a change of a distribution takes to reach every edge.
    pub(super) deploy: Duration,
    /// How long a fresh certificate is unknown to the CDN.
    pub(super) propagation: Duration,
    /// How many distributions, and how many certificates, the account can hold.
    pub(super) room: (usize, usize),
    pub(super) distributions: BTreeMap<DistributionId, Made>,
    /// Every reference that was ever used.
    pub(super) references: BTreeMap<Reference, DistributionId>,
    pub(super) certificates: BTreeMap<VaultName, Kept>,
    /// Names that a distribution of another account holds.
    pub(super) held_elsewhere: BTreeSet<DomainName>,
    pub(super) most_alive: BTreeMap<InstanceId, usize>,
    pub(super) uncovered: Option<String>,
    journal: Vec<Write>,
}

/// A distribution that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) spec: DistributionSpec,
    pub(super) enabled: bool,
    pub(super) changed_at: Timestamp,
}

/// A certificate that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) stored: StoredCertificate,
    pub(super) fingerprint: String,
    pub(super) names: Vec<DomainName>,
    pub(super) chain_pem: String,
    pub(super) since: Timestamp,
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            deploy: Duration::from_mins(5),
            propagation: Duration::from_secs(10),
            room: (usize::MAX, usize::MAX),
            distributions: BTreeMap::new(),
            references: BTreeMap::new(),
            certificates: BTreeMap::new(),
            held_elsewhere: BTreeSet::new(),
            most_alive: BTreeMap::new(),
            uncovered: None,
            journal: Vec::new(),
        }
    }
}

impl Cloud {
    /// Notes a write and looks whether what it has touched is still in order.
    pub(super) fn wrote(&mut self, write: Write) {
        if let Write::Created(_, id) = &write {
            self.count_alive(id);
        }
        let uncovered = match &write {
            Write::Created(_, id) | Write::Updated(id, ..) | Write::Disabled(id) | Write::Enabled(id) => {
                self.distributions.get_key_value(id).filter(|(_, made)| !self.is_covered(made))
            }
            // Checked by its user's certificate being there at all: five hundred distributions must not cost a square.
            Write::Dropped(_) => self.without_certificate(),
            Write::Deleted(_) | Write::Invalidated(..) | Write::Uploaded(..) => None,
        };
        if let Some((id, _)) = uncovered {
            let notice = format!("{id} has names and no certificate that covers them, since {write:?}");
            self.uncovered.get_or_insert(notice);
        }
        self.journal.push(write);
    }

    fn count_alive(&mut self, created: &DistributionId) {
        let Some(made) = self.distributions.get(created) else { return };
        let instance = made.spec.instance.clone();
        let alive = self.distributions.values().filter(|made| made.spec.instance == instance).count();
        let most = self.most_alive.entry(instance).or_default();
        *most = alive.max(*most);
    }

    fn without_certificate(&self) -> Option<(&DistributionId, &Made)> {
        let kept: BTreeSet<&StoredCertificate> =
            self.certificates.values().map(|kept| &kept.stored).collect();
        self.distributions.iter().find(|(_, made)| {
            made.spec.serving.as_ref().is_some_and(|serving| !kept.contains(&serving.certificate))
        })
    }

    pub(super) fn journal(&self) -> Vec<Write> {
        self.journal.clone()
    }

    /// The name of the next thing that is made: the number of writes never goes back.
    pub(super) fn next_number(&self) -> usize {
        self.journal.len() + 1
    }

    pub(super) fn kept(&self, certificate: &StoredCertificate) -> Option<&Kept> {
        self.certificates.values().find(|kept| kept.stored == *certificate)
    }

    pub(super) fn is_in_use(&self, certificate: &StoredCertificate) -> bool {
        self.distributions
            .values()
            .any(|made| made.spec.serving.as_ref().is_some_and(|serving| serving.certificate == *certificate))
    }

    fn is_covered(&self, made: &Made) -> bool {
        made.spec.serving.as_ref().is_none_or(|serving| {
            let kept = self.kept(&serving.certificate);
            kept.is_some_and(|kept| serving.names.iter().all(|name| kept.covers(name)))
        })
    }
}

impl Kept {
    /// Whether the certificate is good for `name`: exactly, or by a wildcard one level above.
    pub(super) fn covers(&self, name: &DomainName) -> bool {
        let parent = name.as_str().split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|own| own == name || (own.is_wildcard() && Some(own.base()) == parent))
    }
}

/// An error of the fake account.
pub(super) fn refusal(doing: &str, remedy: Remedy, cause: impl Into<String>) -> PortError {
    PortError::new(doing, remedy, cause.into())
}

/// The answer to what may go well a little later.
pub(super) const LATER: Remedy = Remedy::Retry { after: None };
