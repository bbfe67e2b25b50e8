use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    DomainName, DomainRecord, DomainState, DomainStore, InstanceId, InstanceState, PortResult, Timestamp,
};

#[async_trait]
impl DomainStore for MemoryStore {
    async fn claim(
        &self,
        instance: &InstanceId,
        incarnation: i32,
        names: &[DomainName],
    ) -> PortResult<Vec<DomainName>> {
        self.call("domains.claim", |state, now| Ok(state.claim(instance, incarnation, names, now))).await
    }

    async fn owners(&self, names: &[DomainName]) -> PortResult<Vec<DomainRecord>> {
        self.call("domains.owners", |state, _| {
            let mut owners: Vec<_> =
                state.proven().filter(|record| names.contains(&record.name)).cloned().collect();
            owners.sort_by(|one, other| one.name.cmp(&other.name));
            Ok(owners)
        })
        .await
    }

    async fn of_instance(&self, instance: &InstanceId) -> PortResult<Vec<DomainRecord>> {
        self.call("domains.of_instance", |state, _| {
            Ok(state.domains.values().filter(|record| record.instance == *instance).cloned().collect())
        })
        .await
    }

    async fn lapse(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<()> {
        self.call("domains.lapse", |state, now| {
            for name in names {
                let record = state.domains.get_mut(&(instance.clone(), name.clone()));
                if let Some(record) = record.filter(|record| record.state == DomainState::Proven) {
                    record.state = DomainState::Lapsed;
                    record.since = now;
                }
            }
            Ok(())
        })
        .await
    }

    async fn keep_only(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<()> {
        self.call("domains.keep_only", |state, _| {
            state.domains.retain(|(owner, name), _| owner != instance || names.contains(name));
            Ok(())
        })
        .await
    }
}

impl State {
    fn proven(&self) -> impl Iterator<Item = &DomainRecord> {
        self.domains.values().filter(|record| record.state == DomainState::Proven)
    }

    pub(super) fn claim(
        &mut self,
        instance: &InstanceId,
        incarnation: i32,
        names: &[DomainName],
        now: Timestamp,
    ) -> Vec<DomainName> {
        let lives = self
            .instances
            .get(instance)
            .is_some_and(|found| found.state != InstanceState::Gone && found.incarnation == incarnation);
        if !lives {
            return names.to_vec();
        }
        let taken: Vec<DomainName> = names
            .iter()
            .filter(|name| self.proven().any(|record| record.name == **name && record.instance != *instance))
            .cloned()
            .collect();
        if taken.is_empty() {
            for name in names {
                self.give(instance, name, now);
            }
        }
        taken
    }

    fn give(&mut self, instance: &InstanceId, name: &DomainName, now: Timestamp) {
        let proven = DomainRecord {
            name: name.clone(),
            instance: instance.clone(),
            state: DomainState::Proven,
            since: now,
            inherited: false,
        };
        let record = self.domains.entry((instance.clone(), name.clone())).or_insert_with(|| proven.clone());
        if record.state != DomainState::Proven {
            *record = DomainRecord { inherited: record.inherited, ..proven };
        }
    }
}
