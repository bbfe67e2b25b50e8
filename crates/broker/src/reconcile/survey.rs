//! Goes through everything once, and through what looks wrong a second time.

use std::collections::{BTreeMap, BTreeSet};

use contract::{
    DistributionId, Instance, InstanceId, InstanceState, PortResult, RecordContent, StoredCertificate,
    Timestamp, VaultName, is_durable_label,
};

use super::case::{Case, Seen};
use super::finding::{Entry, Finding, Thing};
use super::lists::{self, Lists, Unread};
use super::since::Known;
use super::strangers::{self, Verdict};
use super::{Report, Told};
use crate::ports::{ManagedNames, Ports};

/// How many instances are read at once.
const PAGE: u32 = 100;

/// What has been seen so far.
pub(super) struct Survey<'a> {
    ports: &'a Ports,
    told: Told<'a>,
    lists: Lists,
    claims: Claims,
    /// Instances with which something seems to be wrong.
    doubtful: Vec<InstanceId>,
    /// What was found, and how old the thing is at least, where that is known.
    findings: Vec<(Finding, Option<Timestamp>)>,
    unknown: Vec<Finding>,
    instances: usize,
}

/// What belongs to whom.
#[derive(Default)]
struct Claims {
    distributions: BTreeSet<DistributionId>,
    certificates: BTreeSet<VaultName>,
    folders: BTreeSet<String>,
    records: BTreeSet<String>,
    /// Folders and records of instances that are gone.
    former_folders: BTreeMap<String, InstanceId>,
    former_records: BTreeMap<String, InstanceId>,
}

impl<'a> Survey<'a> {
    /// Errors: the store's, while it is read from end to end.
    pub(super) async fn run(ports: &'a Ports, told: Told<'a>) -> PortResult<Self> {
        Self::of(Lists::read(ports, told).await, ports, told).await
    }

    /// Compares the store with the certificates alone.
    pub(super) async fn run_on_certificates(ports: &'a Ports, told: Told<'a>) -> PortResult<Self> {
        Self::of(Lists::read_certificates(ports, told).await, ports, told).await
    }

    async fn of(lists: Lists, ports: &'a Ports, told: Told<'a>) -> PortResult<Self> {
        let mut survey = Self {
            ports,
            told,
            lists,
            claims: Claims::default(),
            doubtful: Vec::new(),
            findings: Vec::new(),
            unknown: Vec::new(),
            instances: 0,
        };
        survey.go_through_instances().await?;
        survey.look_again().await?;
        survey.look_at_strangers().await;
        survey.look_at_records();
        Ok(survey)
    }

    pub(super) fn into_report(self, known: &Known, now: Timestamp) -> Report {
        let entry = |(finding, changed_at)| {
            let since = known.since(&finding, changed_at, now);
            Entry { finding, since, done: None }
        };
        let looked_at = self.lists.counts(self.instances);
        let mut entries: Vec<Entry> = self.findings.into_iter().map(entry).collect();
        entries.sort_by_key(|entry| (entry.finding.instance().cloned(), entry.finding.key()));
        Report { entries, unknown: self.unknown, unread: self.lists.unread, looked_at }
    }

    async fn go_through_instances(&mut self) -> PortResult<()> {
        let mut after = None;
        loop {
            let page = self.ports.instances.list(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for instance in &page {
                self.see(instance).await?;
            }
            self.instances += page.len();
            (self.told)(&format!("instances: {}", self.instances));
        }
        Ok(())
    }

    async fn see(&mut self, instance: &Instance) -> PortResult<()> {
        if instance.state == InstanceState::Gone {
            return self.see_tombstone(instance).await;
        }
        let Some(case) = Case::read(self.ports, &instance.id).await? else { return Ok(()) };
        self.claim(&case);
        let managed = self.ports.managed.as_ref();
        if case.is_at_rest() && !case.compare(&self.seen_of(&case), managed).is_empty() {
            self.doubtful.push(case.instance.id);
        }
        Ok(())
    }

    fn claim(&mut self, case: &Case) {
        let kept = case.certificates.iter().filter(|certificate| case.needs(certificate));
        self.claims.certificates.extend(kept.map(|certificate| certificate.vault_name.clone()));
        self.claims.distributions.extend(case.instance.distribution.clone());
        self.claims.folders.insert(self.ports.site.folder(&case.instance.id));
        if let Some(managed) = &self.ports.managed {
            self.claims.records.extend(case.owners(managed));
        }
    }

    /// Only what was seen is kept in mind: there may be many more tombstones than there are things.
    async fn see_tombstone(&mut self, instance: &Instance) -> PortResult<()> {
        let folder = self.ports.site.folder(&instance.id);
        if self.lists.folders.as_ref().is_some_and(|folders| folders.contains_key(&folder)) {
            self.claims.former_folders.insert(folder, instance.id.clone());
        }
        let records = self.lists.records.as_ref().filter(|records| !records.is_empty());
        let (Some(managed), Some(records)) = (&self.ports.managed, records) else { return Ok(()) };
        let Some(case) = Case::read(self.ports, &instance.id).await? else { return Ok(()) };
        for owner in case.owners(managed).filter(|owner| records.contains_key(owner)) {
            self.claims.former_records.insert(owner, instance.id.clone());
        }
        Ok(())
    }

    fn seen_of(&self, case: &Case) -> Seen<'_> {
        let id = case.instance.distribution.as_ref();
        let listed = self.lists.distributions.as_ref();
        let live = case.live().map(|live| &live.vault_name);
        let kept = self.lists.certificates.as_ref();
        Seen {
            distribution: listed.map(|listed| id.and_then(|id| listed.get(id))),
            certificate: kept.map(|kept| live.and_then(|name| kept.get(name)).map(|kept| &kept.stored)),
            records: self.lists.records.as_ref(),
            folder: self.ports.site.folder(&case.instance.id),
        }
    }

    /// Reads everything about the doubtful instances anew: while the lists were read, others have worked.
    async fn look_again(&mut self) -> PortResult<()> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        let mut records = None;
        if self.lists.records.is_some() {
            match lists::records(self.ports, self.told).await {
                Ok(found) => records = Some(found),
                Err(unread) => self.lists.unread.push(unread),
            }
        }
        for id in std::mem::take(&mut self.doubtful) {
            let Some(case) = Case::read(self.ports, &id).await?.filter(Case::is_at_rest) else { continue };
            if let Err(unread) = self.look_again_at(&case, records.as_ref()).await {
                self.lists.unread.push(unread);
            }
        }
        Ok(())
    }

    async fn look_again_at(
        &mut self,
        case: &Case,
        records: Option<&BTreeMap<String, RecordContent>>,
    ) -> Result<(), Unread> {
        let (mut distribution, mut certificate) = (None, None);
        if self.lists.distributions.is_some() {
            distribution = Some(None);
            if let Some(id) = &case.instance.distribution {
                let found = self.ports.cdn.examine(id).await;
                distribution = Some(found.map_err(|error| lists::unread("distributions", &error))?);
            }
        }
        if self.lists.certificates.is_some() {
            certificate = Some(None);
            if let Some(live) = case.live() {
                let found = self.ports.vault.find(&live.vault_name).await;
                certificate = Some(found.map_err(|error| lists::unread("certificates", &error))?);
            }
        }
        let seen = Seen {
            distribution: distribution.as_ref().map(Option::as_ref),
            certificate: certificate.as_ref().map(Option::<StoredCertificate>::as_ref),
            records,
            folder: self.ports.site.folder(&case.instance.id),
        };
        let found = case.compare(&seen, self.ports.managed.as_ref());
        self.findings.extend(found.into_iter().map(|finding| (finding, None)));
        Ok(())
    }

    /// Everything that no instance claims, whatever it is.
    async fn look_at_strangers(&mut self) {
        let now = self.ports.clock.now();
        for listed in self.lists.distributions.clone().unwrap_or_default().into_values() {
            if !self.claims.distributions.contains(&listed.distribution.id) {
                let verdict = strangers::distribution(self.ports, &listed, now).await;
                let thing = Thing::Distribution(listed.distribution.id);
                self.judge("distributions", thing, Some(listed.changed_at), verdict);
            }
        }
        for kept in self.lists.certificates.clone().unwrap_or_default().into_values() {
            if !self.claims.certificates.contains(&kept.name) {
                let verdict = strangers::certificate(self.ports, &kept, now).await;
                self.judge("certificates", Thing::Certificate(kept.name), Some(kept.since), verdict);
            }
        }
        for (name, changed_at) in self.lists.folders.clone().unwrap_or_default() {
            if !self.claims.folders.contains(&name) {
                let verdict = match self.claims.former_folders.get(&name) {
                    Some(former) => strangers::folder(self.ports, former, changed_at, now).await,
                    None => Ok(Verdict::Unknown),
                };
                self.judge("folders", Thing::Folder(name), Some(changed_at), verdict);
            }
        }
    }

    /// Records do not say how old they are, and have no name but the one they stand for.
    fn look_at_records(&mut self) {
        let (Some(managed), Some(records)) = (&self.ports.managed, self.lists.records.clone()) else {
            return;
        };
        for owner in records.into_keys() {
            if self.claims.records.contains(&owner) {
                continue;
            }
            let verdict = match self.claims.former_records.get(&owner) {
                Some(former) => Verdict::Orphan(former.clone()),
                None if has_our_form(&owner, managed) => Verdict::Unknown,
                None => Verdict::Fine,
            };
            self.judge("records", Thing::Record(owner), None, Ok(verdict));
        }
    }

    fn judge(
        &mut self,
        list: &'static str,
        thing: Thing,
        changed_at: Option<Timestamp>,
        verdict: PortResult<Verdict>,
    ) {
        match verdict {
            Ok(Verdict::Fine) => {}
            Ok(Verdict::Orphan(instance)) => {
                self.findings.push((Finding::Orphan { instance, thing }, changed_at));
            }
            Ok(Verdict::Unknown) => self.unknown.push(Finding::Unknown { thing }),
            Err(error) => self.lists.unread.push(lists::unread(list, &error)),
        }
    }
}

/// Whether an owner name is one that some broker gives.
fn has_our_form(owner: &str, managed: &ManagedNames) -> bool {
    let below = owner.strip_suffix(&format!(".{}.", managed.apex));
    below.is_some_and(|below| is_durable_label(below.strip_prefix("_acme-challenge.").unwrap_or(below)))
}
