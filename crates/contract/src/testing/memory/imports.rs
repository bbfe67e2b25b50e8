use std::ops::Bound;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{Adopted, Adoption, ImportRecord, ImportStore, InstanceId, PortResult};

#[async_trait]
impl ImportStore for MemoryStore {
    async fn adopt(&self, adoption: &Adoption) -> PortResult<Adopted> {
        self.call("imports.adopt", |state, _| state.adopt(adoption)).await
    }

    async fn imported(&self, id: &InstanceId) -> PortResult<Option<ImportRecord>> {
        self.call("imports.imported", |state, _| Ok(state.imports.get(id).map(|it| state.seen(it)))).await
    }

    async fn imports(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<ImportRecord>> {
        self.call("imports.imports", |state, _| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let page = state.imports.range((from, Bound::Unbounded)).take(limit as usize);
            Ok(page.map(|(_, record)| state.seen(record)).collect())
        })
        .await
    }

    async fn forget_import(&self, id: &InstanceId) -> PortResult<bool> {
        self.call("imports.forget", |state, _| Ok(state.forget_import(id))).await
    }
}

impl State {
    fn adopt(&mut self, adoption: &Adoption) -> PortResult<Adopted> {
        let Adoption { instance, operation, certificate, .. } = adoption;
        if self.instances.contains_key(&instance.id) {
            return Ok(Adopted::IdTaken);
        }
        self.instances.insert(instance.id.clone(), instance.clone());
        let taken = self.claim(&instance.id, instance.incarnation, &instance.settings.domains, adoption.at);
        if !taken.is_empty() {
            self.instances.remove(&instance.id);
            return Ok(Adopted::NamesTaken(taken));
        }
        for record in self.domains.values_mut().filter(|record| record.instance == instance.id) {
            record.inherited = adoption.inherited.contains(&record.name);
        }
        self.add(operation)?;
        self.log.push(adoption.log.clone());
        let key = (instance.id.clone(), certificate.incarnation, certificate.generation);
        self.certificates.insert(key, certificate.clone());
        self.issuances.extend(adoption.issuance.clone().map(|issuance| (issuance.id.clone(), issuance)));
        self.renewals.insert(instance.id.clone(), adoption.renewal.clone());
        let record = ImportRecord {
            instance: instance.id.clone(),
            source: adoption.source.clone(),
            operation: operation.id.clone(),
            at: adoption.at,
            changed: false,
        };
        self.imports.insert(instance.id.clone(), record);
        Ok(Adopted::Done)
    }

    fn seen(&self, record: &ImportRecord) -> ImportRecord {
        let is_another = |id: &crate::OperationId| *id != record.operation;
        let changed =
            self.operations.iter().any(|one| one.instance == record.instance && is_another(&one.id));
        ImportRecord { changed, ..record.clone() }
    }

    fn forget_import(&mut self, id: &InstanceId) -> bool {
        let Some(record) = self.imports.get(id).map(|record| self.seen(record)) else { return false };
        if record.changed || self.page_generations.get(id).is_some_and(|generation| *generation > 0) {
            return false;
        }
        self.surveys.remove(id);
        self.imports.remove(id);
        self.instances.remove(id);
        self.renewals.remove(id);
        self.domains.retain(|(owner, _), _| owner != id);
        let issuances = &mut self.issuances;
        self.certificates.retain(|(owner, ..), certificate| {
            if owner == id {
                issuances.remove(&certificate.issuance);
            }
            owner != id
        });
        self.log.retain(|line| line.operation != record.operation);
        self.operations.retain(|one| one.id != record.operation);
        // Those that have ended are counted anew.
        self.ended = 0;
        true
    }
}
