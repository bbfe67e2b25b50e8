//! What the four lists show, read to their ends.

use std::collections::BTreeMap;

use contract::{
    DistributionId, KeptCertificate, ListedDistribution, Page, PageToken, PortError, PortResult,
    RecordContent, Timestamp, VaultName,
};

use crate::ports::Ports;

/// A list that was not read to its end. Nothing can be concluded from what it did not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What it lists: `distributions`, `certificates`, `folders` or `records`.
    pub list: &'static str,
    /// Why it ended.
    pub why: String,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instances of the store, tombstones included.
    pub instances: usize,
    /// Distributions of the account, whoever has made them.
    pub distributions: usize,
    /// Certificates in the broker's part of the vault.
    pub certificates: usize,
    /// Folders of the challenge site that are not empty.
    pub folders: usize,
    /// Records of the managed zone.
    pub records: usize,
}

/// Everything that the lists show. A list that could not be read is `None`.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) distributions: Option<BTreeMap<DistributionId, ListedDistribution>>,
    pub(super) certificates: Option<BTreeMap<VaultName, KeptCertificate>>,
    pub(super) folders: Option<BTreeMap<String, Timestamp>>,
    /// Also `None` where there is no managed zone.
    pub(super) records: Option<BTreeMap<String, RecordContent>>,
    pub(super) unread: Vec<Unread>,
}

impl Lists {
    pub(super) async fn read(ports: &Ports, told: super::Told<'_>) -> Self {
        let mut lists = Self::default();
        let found = whole("distributions", told, |after| ports.cdn.list(after)).await;
        let by_id = |one: ListedDistribution| (one.distribution.id.clone(), one);
        lists.distributions = lists.keep(found).map(|found| found.into_iter().map(by_id).collect());
        let found = whole("certificates", told, |after| ports.vault.list(after)).await;
        let by_name = |one: KeptCertificate| (one.name.clone(), one);
        lists.certificates = lists.keep(found).map(|found| found.into_iter().map(by_name).collect());
        let found = whole("folders", told, |after| ports.site.list(after)).await;
        lists.folders = lists.keep(found).map(|found| {
            let mut folders = BTreeMap::new();
            for folder in found {
                let newest = folders.entry(folder.name).or_insert(folder.changed_at);
                *newest = folder.changed_at.max(*newest);
            }
            folders
        });
        if ports.managed.is_some() {
            let found = records(ports, told).await;
            lists.records = lists.keep(found);
        }
        lists
    }

    /// The certificates alone.
    pub(super) async fn read_certificates(ports: &Ports, told: super::Told<'_>) -> Self {
        let mut lists = Self::default();
        let found = whole("certificates", told, |after| ports.vault.list(after)).await;
        let by_name = |one: KeptCertificate| (one.name.clone(), one);
        lists.certificates = lists.keep(found).map(|found| found.into_iter().map(by_name).collect());
        lists
    }

    fn keep<T>(&mut self, found: Result<T, Unread>) -> Option<T> {
        found.map_err(|unread| self.unread.push(unread)).ok()
    }

    pub(super) fn counts(&self, instances: usize) -> Counts {
        Counts {
            instances,
            distributions: self.distributions.as_ref().map_or(0, BTreeMap::len),
            certificates: self.certificates.as_ref().map_or(0, BTreeMap::len),
            folders: self.folders.as_ref().map_or(0, BTreeMap::len),
            records: self.records.as_ref().map_or(0, BTreeMap::len),
        }
    }
}

/// The records of the managed zone by their owners; none where there is no zone.
pub(super) async fn records(
    ports: &Ports,
    told: super::Told<'_>,
) -> Result<BTreeMap<String, RecordContent>, Unread> {
    let Some(managed) = &ports.managed else { return Ok(BTreeMap::new()) };
    let found = whole("records", told, |after| managed.zone.list(after)).await?;
    Ok(found.into_iter().map(|record| (record.owner, record.content)).collect())
}

async fn whole<T, F>(
    list: &'static str,
    told: super::Told<'_>,
    mut page: impl FnMut(Option<PageToken>) -> F,
) -> Result<Vec<T>, Unread>
where
    F: Future<Output = PortResult<Page<T>>>,
{
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let turned = page(after).await.map_err(|error| unread(list, &error))?;
        items.extend(turned.items);
        after = turned.next;
        if after.is_none() {
            told(&format!("{list}: {}", items.len()));
            return Ok(items);
        }
    }
}

pub(super) fn unread(list: &'static str, error: &PortError) -> Unread {
    Unread { list, why: error.to_string() }
}
