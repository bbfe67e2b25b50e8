use std::ops::Bound;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    DistributionId, Instance, InstanceId, InstanceState, InstanceStore, LogEntry, Operation, OperationId,
    OperationKind, OperationState, OperationStore, PortError, PortResult, Reference, Remedy, Standing,
    Timestamp, Track,
};

#[async_trait]
impl InstanceStore for MemoryStore {
    async fn create(&self, instance: &Instance, operation: &Operation) -> PortResult<bool> {
        self.call("instances.create", |state, _| {
            if state.instances.get(&instance.id).is_some_and(|old| !gives_way(old, instance)) {
                return Ok(false);
            }
            state.add(operation)?;
            state.instances.insert(instance.id.clone(), instance.clone());
            Ok(true)
        })
        .await
    }

    async fn find(&self, id: &InstanceId) -> PortResult<Option<Instance>> {
        self.call("instances.find", |state, _| Ok(state.instances.get(id).cloned())).await
    }

    async fn list(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<Instance>> {
        self.call("instances.list", |state, _| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            let page = state.instances.range((from, Bound::Unbounded)).take(limit as usize);
            Ok(page.map(|(_, instance)| instance.clone()).collect())
        })
        .await
    }

    async fn replace_reference(
        &self,
        id: &InstanceId,
        spent: &Reference,
        next: &Reference,
    ) -> PortResult<()> {
        self.call("instances.replace_reference", |state, _| {
            let named = |instance: &&mut Instance| instance.reference == *spent;
            if let Some(instance) = state.instances.get_mut(id).filter(named) {
                instance.reference = next.clone();
                (instance.distribution, instance.distribution_domain) = (None, None);
            }
            Ok(())
        })
        .await
    }

    async fn record_distribution(
        &self,
        id: &InstanceId,
        reference: &Reference,
        distribution: &DistributionId,
        domain: &str,
    ) -> PortResult<()> {
        self.call("instances.record_distribution", |state, _| {
            let named = |instance: &&mut Instance| instance.reference == *reference;
            if let Some(instance) = state.instances.get_mut(id).filter(named) {
                instance.distribution = Some(distribution.clone());
                instance.distribution_domain = Some(domain.to_owned());
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl OperationStore for MemoryStore {
    async fn find(&self, id: &OperationId) -> PortResult<Option<Operation>> {
        self.call("operations.find", |state, _| Ok(state.operation(id).cloned())).await
    }

    async fn standing(&self, id: &InstanceId) -> PortResult<Option<Standing>> {
        self.call("operations.standing", |state, _| {
            let Some(instance) = state.instances.get(id).cloned() else { return Ok(None) };
            let latest = state.newest(id, Track::User).cloned();
            let certificates = state.certificates_of(id, instance.incarnation);
            let issuances = certificates.iter().filter(|one| one.is_underway());
            let issuances = issuances.filter_map(|one| state.shown(&one.issuance)).collect();
            Ok(Some(Standing { instance, latest, certificates, issuances }))
        })
        .await
    }

    async fn begin_deprovision(&self, operation: &Operation) -> PortResult<bool> {
        self.call("operations.begin_deprovision", |state, _| state.begin_deprovision(operation)).await
    }

    async fn begin_update(
        &self,
        operation: &Operation,
        seen: &Instance,
        supersede: bool,
    ) -> PortResult<bool> {
        self.call("operations.begin_update", |state, _| state.begin_update(operation, seen, supersede)).await
    }

    async fn begin_renewal(&self, operation: &Operation) -> PortResult<bool> {
        self.call("operations.begin_renewal", |state, _| {
            let instance = state.instances.get(&operation.instance);
            let ready = instance.is_some_and(|found| found.state == InstanceState::Ready);
            let brings_certificate = |other: &Operation| {
                other.track == Track::Renewal
                    || other.kind == OperationKind::Recreate
                    || other.change.as_ref().is_some_and(|change| change.needs_certificate)
            };
            let on_it = |other: &&Operation| other.instance == operation.instance;
            if !ready || state.running().filter(on_it).any(brings_certificate) {
                return Ok(false);
            }
            state.add(operation).map(|()| true)
        })
        .await
    }

    async fn newest(&self, id: &InstanceId, track: Track) -> PortResult<Option<Operation>> {
        self.call("operations.newest", |state, _| Ok(state.newest(id, track).cloned())).await
    }

    async fn hasten(&self, instance: &InstanceId, track: Track, at: Timestamp) -> PortResult<()> {
        self.call("operations.hasten", |state, _| {
            let waits = |o: &&mut Operation| {
                o.instance == *instance
                    && o.track == track
                    && o.state == OperationState::Running
                    && o.attempt == 0
            };
            if let Some(waiting) = state.operations.iter_mut().find(waits) {
                waiting.next_at = waiting.next_at.min(at);
            }
            Ok(())
        })
        .await
    }

    async fn history(&self, id: &OperationId) -> PortResult<Vec<LogEntry>> {
        self.call("operations.history", |state, _| {
            Ok(state.log.iter().filter(|entry| entry.operation == *id).cloned().collect())
        })
        .await
    }
}

/// Whether `old` is the tombstone of the incarnation just before `new`.
fn gives_way(old: &Instance, new: &Instance) -> bool {
    old.state == InstanceState::Gone && old.incarnation + 1 == new.incarnation
}

impl State {
    pub(super) fn newest(&self, instance: &InstanceId, track: Track) -> Option<&Operation> {
        self.operations.iter().rfind(|one| one.track == track && one.instance == *instance)
    }

    /// Adds an operation, if its id is new and its track is free.
    pub(super) fn add(&mut self, operation: &Operation) -> PortResult<()> {
        let same_track = |o: &Operation| o.instance == operation.instance && o.track == operation.track;
        if self.operation(&operation.id).is_some() || self.running().any(same_track) {
            let cause = "the operation's id is taken, or another one runs on its track";
            return Err(PortError::new("store the operation", Remedy::GiveUp, cause));
        }
        self.operations.push(operation.clone());
        Ok(())
    }

    fn begin_deprovision(&mut self, operation: &Operation) -> PortResult<bool> {
        let deprovisions =
            |o: &Operation| o.instance == operation.instance && o.kind == OperationKind::Deprovision;
        let alive =
            self.instances.get(&operation.instance).is_some_and(|found| found.state != InstanceState::Gone);
        if !alive || self.running().any(deprovisions) {
            return Ok(false);
        }
        self.take_over(operation, |_| true)?;
        if let Some(instance) = self.instances.get_mut(&operation.instance) {
            instance.state = InstanceState::Deprovisioning;
        }
        Ok(true)
    }

    fn begin_update(&mut self, operation: &Operation, seen: &Instance, supersede: bool) -> PortResult<bool> {
        let as_seen = |found: &Instance| {
            found.state == InstanceState::Ready
                && found.request.parameters == seen.request.parameters
                && found.request.plan_id == seen.request.plan_id
        };
        let of_user = |o: &Operation| o.instance == operation.instance && o.track == Track::User;
        if !self.instances.get(&operation.instance).is_some_and(as_seen) || self.running().any(of_user) {
            return Ok(false);
        }
        self.take_over(operation, |other| supersede && other.track == Track::Renewal)?;
        Ok(true)
    }

    /// Cancels what runs on the operation's instance and `gives_way`, and adds the operation; both or neither.
    pub(super) fn take_over(
        &mut self,
        operation: &Operation,
        gives_way: impl Fn(&Operation) -> bool,
    ) -> PortResult<()> {
        let before = self.operations.clone();
        for other in &mut self.operations {
            let runs = other.instance == operation.instance && other.state == OperationState::Running;
            if runs && gives_way(other) {
                other.state = OperationState::Cancelled;
            }
        }
        self.add(operation).inspect_err(|_| self.operations = before)
    }
}
