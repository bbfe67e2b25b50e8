use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    InstanceId, InstanceState, Operation, OperationFilter, OperationId, OperationKind, OperationState,
    OperatorStore, PortResult, Timestamp, Track,
};

#[async_trait]
impl OperatorStore for MemoryStore {
    async fn begin_recreation(&self, operation: &Operation) -> PortResult<bool> {
        self.call("operator.begin_recreation", |state, _| {
            let found = state.instances.get(&operation.instance).map(|instance| instance.state);
            let can_be = matches!(found, Some(InstanceState::Ready | InstanceState::ProvisionFailed));
            let of_user = |o: &Operation| o.instance == operation.instance && o.track == Track::User;
            if !can_be || state.running().any(of_user) {
                return Ok(false);
            }
            state.take_over(operation, |other| other.track == Track::Renewal)?;
            Ok(true)
        })
        .await
    }

    async fn resume(&self, id: &OperationId, at: Timestamp) -> PortResult<bool> {
        self.call("operator.resume", |state, _| Ok(state.resume(id, at))).await
    }

    async fn cancel(
        &self,
        id: &OperationId,
        steps: &[String],
        sentence: &str,
        at: Timestamp,
    ) -> PortResult<bool> {
        self.call("operator.cancel", |state, now| {
            let stands =
                |one: &&Operation| one.id == *id && one.track == Track::User && steps.contains(&one.step);
            let Some(instance) = state.running().find(stands).map(|one| one.instance.clone()) else {
                return Ok(false);
            };
            if !state.is_free(&instance, now) {
                return Ok(false);
            }
            for one in state.operations.iter_mut().filter(|one| one.id == *id) {
                (one.state, one.next_at, one.waits_for) = (OperationState::Failed, at, None);
                one.sentence = Some(sentence.to_owned());
            }
            state.count_ended();
            Ok(true)
        })
        .await
    }

    async fn forget(&self, operation: &Operation) -> PortResult<bool> {
        self.call("operator.forget", |state, now| {
            let id = &operation.instance;
            let found = state.instances.get(id).map(|instance| instance.state);
            if found.is_none_or(|stage| stage == InstanceState::Gone) || !state.is_free(id, now) {
                return Ok(false);
            }
            state.take_over(operation, |_| true)?;
            if let Some(instance) = state.instances.get_mut(id) {
                instance.state = InstanceState::Gone;
            }
            state.domains.retain(|(instance, _), _| instance != id);
            state.renewals.remove(id);
            Ok(true)
        })
        .await
    }

    async fn of_instance(&self, instance: &InstanceId, most: u32) -> PortResult<Vec<Operation>> {
        self.call("operator.of_instance", |state, _| {
            let newest_first = state.operations.iter().rev().filter(|one| one.instance == *instance);
            Ok(newest_first.take(most as usize).cloned().collect())
        })
        .await
    }

    async fn list(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        most: u32,
    ) -> PortResult<Vec<Operation>> {
        self.call("operator.list", |state, _| {
            let end = match &before {
                Some(id) => state.operations.iter().position(|one| one.id == *id).unwrap_or(0),
                None => state.operations.len(),
            };
            let older = state.operations.iter().take(end).rev();
            Ok(older.filter(|one| is_meant(filter, one)).take(most as usize).cloned().collect())
        })
        .await
    }

    async fn leased_until(&self, instance: &InstanceId) -> PortResult<Option<Timestamp>> {
        self.call("operator.leased_until", |state, now| {
            Ok(state.leases.get(instance).map(|lease| lease.until).filter(|until| *until > now))
        })
        .await
    }
}

fn is_meant(filter: &OperationFilter, one: &Operation) -> bool {
    filter.instance.as_ref().is_none_or(|instance| *instance == one.instance)
        && filter.state.is_none_or(|state| state == one.state)
        && filter.kind.is_none_or(|kind| kind == one.kind)
}

impl State {
    fn resume(&mut self, id: &OperationId, at: Timestamp) -> bool {
        let Some(failed) = self.operation(id).cloned() else { return false };
        let is_newest = self.newest(&failed.instance, failed.track).is_some_and(|newest| newest.id == *id);
        let stage = self.instances.get(&failed.instance).map(|instance| instance.state);
        let Some(stage) = stage.and_then(|stage| stage_during(failed.kind, stage)) else { return false };
        if failed.state != OperationState::Failed || !is_newest {
            return false;
        }
        let supersedes = failed.change.as_ref().is_none_or(|change| change.needs_certificate);
        for one in &mut self.operations {
            let is_renewal = one.instance == failed.instance && one.track == Track::Renewal;
            if supersedes && is_renewal && one.state == OperationState::Running {
                one.state = OperationState::Cancelled;
            }
            if one.id == *id {
                (one.state, one.attempt) = (OperationState::Running, 0);
                (one.next_at, one.step_since) = (at, at);
                (one.sentence, one.error, one.waits_for) = (None, None, None);
            }
        }
        // What has ended has begun again.
        self.ended = 0;
        if let Some(instance) = self.instances.get_mut(&failed.instance) {
            instance.state = stage;
        }
        true
    }
}

/// The stage of life of an instance in which such an operation can go on, and while it does.
fn stage_during(kind: OperationKind, stage: InstanceState) -> Option<InstanceState> {
    match (kind, stage) {
        (OperationKind::Provision, InstanceState::ProvisionFailed) => Some(InstanceState::Provisioning),
        (OperationKind::Deprovision, InstanceState::DeprovisionFailed) => Some(InstanceState::Deprovisioning),
        (OperationKind::Update, InstanceState::Ready)
        | (OperationKind::Recreate, InstanceState::Ready | InstanceState::ProvisionFailed) => Some(stage),
        _ => None,
    }
}
