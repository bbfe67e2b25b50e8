use std::time::Duration;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    Chore, ChoreStore, InstanceId, PortResult, RenewalPlan, RenewalStore, Sweep, SweepStore, Timestamp,
    VaultName,
};

#[async_trait]
impl RenewalStore for MemoryStore {
    async fn ensure(&self, plan: &RenewalPlan) -> PortResult<()> {
        self.call("renewals.ensure", |state, _| {
            let known = state.renewals.get(&plan.instance).is_some_and(|known| same_certificate(known, plan));
            if !known {
                state.renewals.insert(plan.instance.clone(), plan.clone());
            }
            Ok(())
        })
        .await
    }

    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<RenewalPlan>> {
        self.call("renewals.take_due", |state, _| {
            let mut due: Vec<&mut RenewalPlan> =
                state.renewals.values_mut().filter(|plan| plan.check_at <= now).collect();
            due.sort_by_key(|plan| plan.check_at);
            due.truncate(most as usize);
            Ok(due
                .into_iter()
                .map(|plan| {
                    plan.check_at = now + put_off;
                    plan.clone()
                })
                .collect())
        })
        .await
    }

    async fn keep(&self, plan: &RenewalPlan) -> PortResult<bool> {
        self.call("renewals.keep", |state, _| match state.renewals.get_mut(&plan.instance) {
            Some(known) if same_certificate(known, plan) => {
                *known = plan.clone();
                Ok(true)
            }
            _ => Ok(false),
        })
        .await
    }

    async fn next_check(&self) -> PortResult<Option<Timestamp>> {
        self.call("renewals.next_check", |state, _| {
            Ok(state.renewals.values().map(|plan| plan.check_at).min())
        })
        .await
    }

    async fn of_instance(&self, instance: &InstanceId) -> PortResult<Option<RenewalPlan>> {
        self.call("renewals.of_instance", |state, _| Ok(state.renewals.get(instance).cloned())).await
    }

    async fn forget(&self, plan: &RenewalPlan) -> PortResult<()> {
        self.call("renewals.forget", |state, _| {
            state
                .renewals
                .retain(|instance, known| *instance != plan.instance || !same_certificate(known, plan));
            Ok(())
        })
        .await
    }
}

fn same_certificate(one: &RenewalPlan, other: &RenewalPlan) -> bool {
    (one.incarnation, one.generation) == (other.incarnation, other.generation)
}

#[async_trait]
impl SweepStore for MemoryStore {
    async fn add(&self, sweep: &Sweep) -> PortResult<()> {
        self.call("sweeps.add", |state, _| {
            state.sweeps.entry(sweep.vault_name.clone()).or_insert_with(|| sweep.clone());
            Ok(())
        })
        .await
    }

    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<Sweep>> {
        self.call("sweeps.take_due", |state, _| {
            let mut due: Vec<&mut Sweep> =
                state.sweeps.values_mut().filter(|sweep| sweep.next_at <= now).collect();
            due.sort_by_key(|sweep| sweep.next_at);
            due.truncate(most as usize);
            Ok(due
                .into_iter()
                .map(|sweep| {
                    sweep.next_at = now + put_off;
                    sweep.clone()
                })
                .collect())
        })
        .await
    }

    async fn keep(&self, sweep: &Sweep) -> PortResult<()> {
        self.call("sweeps.keep", |state, _| {
            if let Some(known) = state.sweeps.get_mut(&sweep.vault_name) {
                known.next_at = sweep.next_at;
                known.told = sweep.told;
            }
            Ok(())
        })
        .await
    }

    async fn done(&self, name: &VaultName) -> PortResult<()> {
        self.call("sweeps.done", |state, _| {
            state.sweeps.remove(name);
            Ok(())
        })
        .await
    }

    async fn knows(&self, name: &VaultName) -> PortResult<bool> {
        self.call("sweeps.knows", |state, _| Ok(state.sweeps.contains_key(name))).await
    }

    async fn next_try(&self) -> PortResult<Option<Timestamp>> {
        self.call("sweeps.next_try", |state, _| Ok(state.sweeps.values().map(|sweep| sweep.next_at).min()))
            .await
    }
}

#[async_trait]
impl ChoreStore for MemoryStore {
    async fn ensure(&self, chore: &Chore) -> PortResult<Chore> {
        self.call("chores.ensure", |state, _| {
            Ok(state.chores.entry(chore.name.clone()).or_insert_with(|| chore.clone()).clone())
        })
        .await
    }

    async fn take_due(&self, name: &str, now: Timestamp, put_off: Duration) -> PortResult<Option<Chore>> {
        self.call("chores.take_due", |state, _| {
            let due = state.chores.get_mut(name).filter(|chore| chore.next_at <= now);
            Ok(due.map(|chore| {
                chore.next_at = now + put_off;
                chore.clone()
            }))
        })
        .await
    }

    async fn put_off(&self, name: &str, next_at: Timestamp) -> PortResult<()> {
        self.call("chores.put_off", |state, _| {
            state.chores.entry(name.to_owned()).and_modify(|chore| chore.next_at = next_at);
            Ok(())
        })
        .await
    }

    async fn note(&self, name: &str, found: &str) -> PortResult<()> {
        self.call("chores.note", |state, _| {
            state.chores.entry(name.to_owned()).and_modify(|chore| found.clone_into(&mut chore.found));
            Ok(())
        })
        .await
    }
}
