//! Mends what was found. Before anything is done, it is looked at once more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::{
    Change, DistributionId, Instance, InstanceId, InstanceState, KeptCertificate, Operation, OperationKind,
    PortResult, RecordContent, Sweep, VaultName,
};

use super::case::Case;
use super::finding::{Drift, Entry, Finding, Thing};
use super::lists;
use super::strangers::{self, Verdict};
use crate::describe;
use crate::ports::Ports;

/// How long something must have been left behind before it is removed.
const OLD: Duration = Duration::from_hours(24);

/// How many instances are read at once.
const PAGE: u32 = 100;

const NEEDED_AGAIN: &str = "left alone: it is needed, or being worked on";

pub(super) struct Mender<'a> {
    pub(super) ports: &'a Ports,
}

impl Mender<'_> {
    /// Mends what can be mended, and writes down what was done.
    pub(super) async fn mend(&self, entries: &mut [Entry]) {
        self.repair(entries).await;
        for entry in entries.iter_mut() {
            let Finding::Orphan { instance, thing } = &entry.finding else { continue };
            let age = self.ports.clock.now().since(entry.since);
            let done = match thing {
                _ if age < OLD => {
                    Ok(format!("left alone until it is a day old: {} so far", describe::span(age)))
                }
                Thing::Distribution(id) => self.remove_distribution(id).await,
                Thing::Certificate(name) => self.remove_certificate(name, instance).await,
                Thing::Folder(_) => self.clear_folder(instance).await,
                Thing::Record(_) => continue,
            };
            entry.done = Some(said(done));
        }
        self.release_records(entries).await;
    }

    /// Begins one operation for each instance with something that can be brought back.
    async fn repair(&self, entries: &mut [Entry]) {
        let mut begun: BTreeMap<InstanceId, String> = BTreeMap::new();
        let lost: BTreeSet<InstanceId> =
            entries.iter().filter(|entry| is_lost(&entry.finding)).filter_map(of_instance).collect();
        for entry in entries.iter_mut().filter(|entry| can_be_repaired(&entry.finding)) {
            let Some(id) = of_instance(entry) else { continue };
            if lost.contains(&id) {
                continue;
            }
            let done = match begun.get(&id) {
                Some(done) => done.clone(),
                None => said(self.begin(&id).await),
            };
            begun.insert(id, done.clone());
            entry.done = Some(done);
        }
    }

    /// Begins an update that changes nothing: it tells the CDN and the zone again what they are to be. Whoever works takes
    /// the lease of the instance for it, as for any other.
    async fn begin(&self, id: &InstanceId) -> PortResult<String> {
        let Some(case) = Case::read(self.ports, id).await?.filter(Case::is_at_rest) else {
            return Ok(NEEDED_AGAIN.to_owned());
        };
        let operation = self.repair_of(&case.instance);
        if !self.ports.operations.begin_update(&operation, &case.instance, false).await? {
            return Ok(NEEDED_AGAIN.to_owned());
        }
        tracing::info!(instance.id = %id, operation.id = %operation.id, "began a repair");
        Ok(format!("begun: operation {}, which a running broker does", operation.id))
    }

    fn repair_of(&self, instance: &Instance) -> Operation {
        let change = Change {
            settings: instance.settings.clone(),
            plan_id: instance.request.plan_id.clone(),
            parameters: instance.request.parameters.clone(),
            context: "{}".to_owned(),
            // Not what any user can send: nobody's request is taken for a repetition of this one.
            sent: r#"{"reconcile":true}"#.to_owned(),
            identity: None,
            needs_certificate: false,
            invalidate: Vec::new(),
        };
        self.ports.draft(&instance.id, OperationKind::Update, Some(change), self.ports.clock.now())
    }

    /// Switches a distribution off, or deletes it when every edge has done so.
    async fn remove_distribution(&self, id: &DistributionId) -> PortResult<String> {
        let Some(found) = self.ports.cdn.examine(id).await? else { return Ok("it is gone".to_owned()) };
        let verdict = strangers::distribution(self.ports, &found, self.ports.clock.now()).await?;
        if !matches!(verdict, Verdict::Orphan(_)) {
            return Ok(NEEDED_AGAIN.to_owned());
        }
        if found.distribution.enabled {
            self.ports.cdn.disable(id).await?;
            return Ok("switched off; a run after that has reached every edge deletes it".to_owned());
        }
        if !found.distribution.deployed {
            return Ok("it is off; a run after that has reached every edge deletes it".to_owned());
        }
        self.ports.cdn.remove(id).await?;
        tracing::info!(distribution.id = %id, "deleted a distribution that was left behind");
        Ok("deleted".to_owned())
    }

    async fn remove_certificate(&self, name: &VaultName, instance: &InstanceId) -> PortResult<String> {
        let now = self.ports.clock.now();
        let Some(stored) = self.ports.vault.find(name).await? else { return Ok("it is gone".to_owned()) };
        let kept = KeptCertificate { name: name.clone(), stored, arn: None, since: now - OLD };
        if !matches!(strangers::certificate(self.ports, &kept, now).await?, Verdict::Orphan(_)) {
            return Ok(NEEDED_AGAIN.to_owned());
        }
        let Err(error) = self.ports.vault.remove(name).await else { return Ok("deleted".to_owned()) };
        let sweep = Sweep {
            vault_name: name.clone(),
            instance: instance.clone(),
            since: now,
            next_at: now,
            told: false,
        };
        self.ports.sweeps.add(&sweep).await?;
        Ok(format!("a running broker deletes it as soon as it can: {error}"))
    }

    async fn clear_folder(&self, instance: &InstanceId) -> PortResult<String> {
        let now = self.ports.clock.now();
        if !matches!(strangers::folder(self.ports, instance, now - OLD, now).await?, Verdict::Orphan(_)) {
            return Ok(NEEDED_AGAIN.to_owned());
        }
        self.ports.site.clear(instance).await?;
        Ok("emptied".to_owned())
    }

    /// Records are shared by the instances of an organization that ask for the same name, so every instance is asked once more.
    async fn release_records(&self, entries: &mut [Entry]) {
        let now = self.ports.clock.now();
        let is_record =
            |entry: &&mut Entry| matches!(&entry.finding, Finding::Orphan { thing: Thing::Record(_), .. });
        let mut orphans: Vec<&mut Entry> = entries.iter_mut().filter(is_record).collect();
        for entry in orphans.iter_mut().filter(|entry| now.since(entry.since) < OLD) {
            let age = describe::span(now.since(entry.since));
            entry.done = Some(format!("left alone until it is known for a day: {age} so far"));
        }
        orphans.retain(|entry| entry.done.is_none());
        if orphans.is_empty() {
            return;
        }
        let claimed = self.claimed_records().await;
        for entry in orphans {
            let done = match &claimed {
                Ok(claimed) => self.release(entry.finding.thing().id(), claimed).await,
                Err(error) => Ok(format!("could not be done: {error}")),
            };
            entry.done = Some(said(done));
        }
    }

    async fn release(&self, owner: &str, claimed: &BTreeSet<String>) -> PortResult<String> {
        let Some(managed) = self.ports.managed.as_ref().filter(|_| !claimed.contains(owner)) else {
            return Ok(NEEDED_AGAIN.to_owned());
        };
        let records = match lists::records(self.ports, &|_| {}).await {
            Ok(records) => records,
            Err(unread) => return Ok(format!("could not be done: {}", unread.why)),
        };
        match records.get(owner) {
            None => return Ok("it is gone".to_owned()),
            // Whoever has just begun to ask for the name has pointed it there.
            Some(RecordContent::Cname(target)) if *target == managed.challenge_host => {
                return Ok(NEEDED_AGAIN.to_owned());
            }
            Some(RecordContent::Cname(_)) => managed.zone.release(owner).await?,
            Some(RecordContent::Txt(values)) => {
                for value in values {
                    managed.zone.remove_txt(owner, value).await?;
                }
            }
        }
        Ok("deleted".to_owned())
    }

    async fn claimed_records(&self) -> PortResult<BTreeSet<String>> {
        let (mut claimed, mut after) = (BTreeSet::new(), None);
        let Some(managed) = &self.ports.managed else { return Ok(claimed) };
        loop {
            let page = self.ports.instances.list(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(claimed) };
            after = Some(last.id.clone());
            for instance in page.iter().filter(|one| one.state != InstanceState::Gone) {
                let case = Case::read(self.ports, &instance.id).await?.filter(Case::is_alive);
                claimed.extend(case.iter().flat_map(|case| case.owners(managed)));
            }
        }
    }
}

fn of_instance(entry: &Entry) -> Option<InstanceId> {
    entry.finding.instance().cloned()
}

/// Whether something is gone that an update cannot bring back.
fn is_lost(finding: &Finding) -> bool {
    matches!(finding, Finding::Missing { thing: Thing::Distribution(_) | Thing::Certificate(_), .. })
}

/// Whether an update brings it back. Whoever has switched a distribution off may have had a reason.
fn can_be_repaired(finding: &Finding) -> bool {
    match finding {
        Finding::Drift { drift, .. } => *drift != Drift::Disabled,
        Finding::Missing { thing, .. } => matches!(thing, Thing::Record(_)),
        Finding::Orphan { .. } | Finding::Unknown { .. } => false,
    }
}

fn said(done: PortResult<String>) -> String {
    done.unwrap_or_else(|error| format!("could not be done: {error}"))
}
