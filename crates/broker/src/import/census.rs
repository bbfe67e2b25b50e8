//! What can only be seen by looking at all of them.

use std::collections::{BTreeMap, BTreeSet};

use contract::{DomainName, LegacyInstance, LegacyStanding, PortResult, StoredCertificate, VaultName};

use crate::Ports;

/// Who claims what, and what is in the vault.
pub(super) struct Census {
    distributions: BTreeMap<String, BTreeSet<String>>,
    names: BTreeMap<DomainName, BTreeSet<String>>,
    certificates: BTreeMap<StoredCertificate, VaultName>,
}

impl Census {
    /// Errors: those of the vault's list. Without the whole of it nobody knows which certificates there are.
    pub(super) async fn take(ports: &Ports, rows: &[LegacyInstance]) -> PortResult<Self> {
        let mut census =
            Self { distributions: BTreeMap::new(), names: BTreeMap::new(), certificates: BTreeMap::new() };
        for row in rows.iter().filter(|row| is_there(row)) {
            if let Some(distribution) = &row.distribution {
                census.distributions.entry(distribution.clone()).or_default().insert(row.id.clone());
            }
            for name in parsed(row) {
                census.names.entry(name).or_default().insert(row.id.clone());
            }
        }
        let mut after = None;
        loop {
            let page = ports.vault.list(after).await?;
            census.certificates.extend(page.items.into_iter().map(|kept| (kept.stored, kept.name)));
            after = page.next;
            if after.is_none() {
                return Ok(census);
            }
        }
    }

    /// Another row that has the distribution of this one.
    pub(super) fn other_with_distribution(&self, row: &LegacyInstance) -> Option<&str> {
        let claimed = row.distribution.as_ref().and_then(|id| self.distributions.get(id));
        other(claimed, row)
    }

    /// Another row that has this name.
    pub(super) fn other_with_name(&self, row: &LegacyInstance, name: &DomainName) -> Option<&str> {
        other(self.names.get(name), row)
    }

    /// The name under which the vault keeps a certificate.
    pub(super) fn vault_name(&self, stored: &StoredCertificate) -> Option<&VaultName> {
        self.certificates.get(stored)
    }
}

fn other<'a>(claimed: Option<&'a BTreeSet<String>>, row: &LegacyInstance) -> Option<&'a str> {
    claimed?.iter().find(|id| **id != row.id).map(String::as_str)
}

fn is_there(row: &LegacyInstance) -> bool {
    !matches!(row.standing, LegacyStanding::Gone | LegacyStanding::OtherKind(_))
}

/// The names of a row that are names; spaces around them are a habit of writing lists.
pub(super) fn parsed(row: &LegacyInstance) -> Vec<DomainName> {
    let mut names: Vec<DomainName> = Vec::new();
    for name in row.names.iter().filter_map(|text| DomainName::parse(text.trim()).ok()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What stands where a name should. Nothing at all is nothing to speak of.
pub(super) fn no_names(row: &LegacyInstance) -> impl Iterator<Item = &str> {
    let texts = row.names.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    texts.filter(|text| DomainName::parse(text).is_err())
}
