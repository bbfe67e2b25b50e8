use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::listing::page;
use super::{CrashPlan, locked};
use crate::{ManagedZone, Page, PageToken, PortError, PortResult, RecordContent, Remedy, ZoneRecord};

/// A DNS zone in memory, whose changes are seen at once. Clones share it.
#[derive(Clone, Debug)]
pub struct FakeZone {
    plan: CrashPlan,
    apex: String,
    records: Arc<Mutex<BTreeMap<String, Record>>>,
}

/// What an owner has: RFC 1034, section 3.6.2 lets nothing be beside a CNAME.
#[derive(Debug)]
enum Record {
    Txt(BTreeSet<String>),
    Cname(String),
}

impl FakeZone {
    /// An empty zone. `apex` is absolute, with its trailing dot.
    pub fn new(apex: impl Into<String>) -> Self {
        Self { plan: CrashPlan::new(), apex: apex.into(), records: Arc::default() }
    }

    /// The same zone, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// The zone's name, absolute.
    pub fn apex(&self) -> &str {
        &self.apex
    }

    /// The TXT values of an owner.
    pub fn values(&self, owner: &str) -> Vec<String> {
        match locked(&self.records).get(owner) {
            Some(Record::Txt(values)) => values.iter().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// What an owner is a CNAME to.
    pub fn target(&self, owner: &str) -> Option<String> {
        match locked(&self.records).get(owner) {
            Some(Record::Cname(target)) => Some(target.clone()),
            _ => None,
        }
    }

    /// Whether nothing is in the zone.
    pub fn is_empty(&self) -> bool {
        locked(&self.records).is_empty()
    }

    async fn change(
        &self,
        method: &'static str,
        owner: &str,
        effect: impl FnOnce(&mut BTreeMap<String, Record>) -> PortResult<()>,
    ) -> PortResult<()> {
        self.plan
            .pass(method, || {
                let inside = owner.strip_suffix(&self.apex).is_some_and(|below| below.ends_with('.'));
                if !inside || owner != owner.to_ascii_lowercase() {
                    return Err(refusal(format!("{owner} is not an owner name in {}", self.apex)));
                }
                effect(&mut locked(&self.records))
            })
            .await
    }
}

#[async_trait]
impl ManagedZone for FakeZone {
    async fn add_txt(&self, owner: &str, value: &str) -> PortResult<()> {
        self.change("zone.add_txt", owner, |records| {
            let record = records.entry(owner.to_owned()).or_insert_with(|| Record::Txt(BTreeSet::new()));
            match record {
                Record::Txt(values) => drop(values.insert(value.to_owned())),
                Record::Cname(_) => return Err(refusal(format!("{owner} is a CNAME"))),
            }
            Ok(())
        })
        .await
    }

    async fn remove_txt(&self, owner: &str, value: &str) -> PortResult<()> {
        self.change("zone.remove_txt", owner, |records| {
            if let Some(Record::Txt(values)) = records.get_mut(owner) {
                values.remove(value);
                if values.is_empty() {
                    records.remove(owner);
                }
            }
            Ok(())
        })
        .await
    }

    async fn point(&self, owner: &str, target: &str) -> PortResult<()> {
        self.change("zone.point", owner, |records| {
            if matches!(records.get(owner), Some(Record::Txt(_))) {
                return Err(refusal(format!("{owner} has TXT records")));
            }
            records.insert(owner.to_owned(), Record::Cname(target.to_owned()));
            Ok(())
        })
        .await
    }

    async fn release(&self, owner: &str) -> PortResult<()> {
        self.change("zone.release", owner, |records| {
            if matches!(records.get(owner), Some(Record::Cname(_))) {
                records.remove(owner);
            }
            Ok(())
        })
        .await
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<ZoneRecord>> {
        self.plan
            .pass("zone.list", || {
                let records = locked(&self.records);
                let listed = records.iter().map(|(owner, record)| (owner.clone(), record.listed(owner)));
                Ok(page(listed, after.as_ref()))
            })
            .await
    }
}

impl Record {
    fn listed(&self, owner: &str) -> ZoneRecord {
        let content = match self {
            Self::Txt(values) => RecordContent::Txt(values.iter().cloned().collect()),
            Self::Cname(target) => RecordContent::Cname(target.trim_end_matches('.').to_owned()),
        };
        ZoneRecord { owner: owner.to_owned(), content }
    }
}

fn refusal(cause: String) -> PortError {
    PortError::new("change the zone", Remedy::GiveUp, cause)
}
