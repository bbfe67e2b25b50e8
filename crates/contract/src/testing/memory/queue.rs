use std::time::Duration;

use async_trait::async_trait;

use super::{Lease, MemoryStore, State};
use crate::{
    Change, Claim, Cursor, Instance, InstanceId, LeaseToken, LogEntry, Operation, OperationState, PortResult,
    Timestamp, WorkQueue,
};

#[async_trait]
impl WorkQueue for MemoryStore {
    async fn claim(&self, token: &LeaseToken, lease: Duration) -> PortResult<Option<Claim>> {
        self.call("queue.claim", |state, now| {
            let Some(operation) = state.longest_due(now).cloned() else { return Ok(None) };
            state.lease(&operation.instance, token, now + lease);
            Ok(Some(Claim { operation, token: token.clone() }))
        })
        .await
    }

    async fn save(&self, claim: &Claim, cursor: &Cursor, lease: Duration) -> PortResult<bool> {
        self.call("queue.save", |state, now| {
            let running = state.running().any(|operation| operation.id == claim.operation.id);
            if !running || !state.holds_lease(claim) {
                return Ok(false);
            }
            state.write(&claim.operation, cursor);
            state.lease(&claim.operation.instance, &claim.token, now + lease);
            Ok(true)
        })
        .await
    }

    async fn release(&self, claim: &Claim) -> PortResult<()> {
        self.call("queue.release", |state, _| {
            if state.holds_lease(claim) {
                state.leases.remove(&claim.operation.instance);
            }
            Ok(())
        })
        .await
    }

    async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        self.call("queue.next_due", |state, _| Ok(state.running().map(|operation| operation.next_at).min()))
            .await
    }

    async fn wake(&self, scope: &str, at: Timestamp, spread: Duration) -> PortResult<usize> {
        self.call("queue.wake", |state, _| Ok(state.wake(scope, at, spread))).await
    }

    async fn log(&self, entry: &LogEntry) -> PortResult<()> {
        self.call("queue.log", |state, _| {
            state.log.push(entry.clone());
            Ok(())
        })
        .await
    }
}

impl State {
    fn longest_due(&self, now: Timestamp) -> Option<&Operation> {
        self.running()
            .filter(|operation| operation.next_at <= now && self.is_free(&operation.instance, now))
            .min_by_key(|operation| operation.next_at)
    }

    fn wake(&mut self, scope: &str, at: Timestamp, spread: Duration) -> usize {
        let waiting = self.operations.iter_mut().skip(self.ended).filter(|operation| {
            operation.state == OperationState::Running && operation.waits_for.as_deref() == Some(scope)
        });
        let mut count = 0;
        for (number, operation) in waiting.enumerate() {
            count = number + 1;
            let due = at + spread * u32::try_from(number % 64).unwrap_or(0) / 64;
            if operation.next_at > due {
                operation.step_since = operation.step_since - operation.next_at.since(due);
                operation.next_at = due;
            }
        }
        count
    }

    pub(super) fn is_free(&self, instance: &InstanceId, now: Timestamp) -> bool {
        self.leases.get(instance).is_none_or(|lease| lease.until <= now)
    }

    fn holds_lease(&self, claim: &Claim) -> bool {
        self.leases.get(&claim.operation.instance).is_some_and(|lease| lease.token == claim.token)
    }

    fn lease(&mut self, instance: &InstanceId, token: &LeaseToken, until: Timestamp) {
        self.leases.insert(instance.clone(), Lease { token: token.clone(), until });
    }

    fn write(&mut self, claimed: &Operation, cursor: &Cursor) {
        let mut newest_first = self.operations.iter_mut().rev();
        let claimed_one = newest_first.find(|operation| operation.id == claimed.id);
        if let Some(operation) = claimed_one.filter(|o| o.state == OperationState::Running) {
            operation.state = cursor.state;
            operation.step.clone_from(&cursor.step);
            operation.attempt = cursor.attempt;
            operation.next_at = cursor.next_at;
            operation.step_since = cursor.step_since;
            operation.sentence.clone_from(&cursor.sentence);
            operation.error.clone_from(&cursor.error);
            operation.waits_for.clone_from(&cursor.waits_for);
        }
        self.count_ended();
        let Some(instance) = self.instances.get_mut(&claimed.instance) else { return };
        if let Some(state) = cursor.instance_state {
            instance.state = state;
        }
        let mut newest_first = self.operations.iter().rev();
        let claimed_one = newest_first.find(|operation| operation.id == claimed.id);
        if let (true, Some(change)) = (cursor.adopt, claimed_one.and_then(|one| one.change.as_ref())) {
            adopt(instance, change);
        }
    }
}

fn adopt(instance: &mut Instance, change: &Change) {
    instance.settings = change.settings.clone();
    instance.request.plan_id.clone_from(&change.plan_id);
    instance.request.parameters.clone_from(&change.parameters);
    if change.context != "{}" {
        instance.request.context.clone_from(&change.context);
    }
}
