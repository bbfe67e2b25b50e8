use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    Census, CensusStore, CertificateState, Condition, DispatchState, InstanceState, Operation,
    OperationCount, PortResult, Timestamp,
};

#[async_trait]
impl CensusStore for MemoryStore {
    async fn census(&self, now: Timestamp, horizons: &[Duration]) -> PortResult<Census> {
        self.call("census.census", |state, present| Ok(state.count(now, present, horizons))).await
    }

    fn pool(&self) -> crate::Pool {
        crate::Pool { open: 1, idle: 1, most: 1, queue: 0 }
    }
}

impl State {
    fn count(&self, now: Timestamp, present: Timestamp, horizons: &[Duration]) -> Census {
        let live = self.certificates.values().filter(|one| one.state == CertificateState::Live);
        let ends: Vec<Timestamp> = live.filter_map(|one| Some(one.facts.as_ref()?.not_after)).collect();
        let within = |horizon: &Duration| ends.iter().filter(|end| **end <= now + *horizon).count() as u64;
        Census {
            operations: self.count_operations(),
            instances: self.count_instances(),
            expiring: horizons.iter().map(|horizon| (*horizon, within(horizon))).collect(),
            certificates: ends.len() as u64,
            next_expiry: ends.iter().min().copied(),
            incidents: self.count_incidents(),
            waiting: self.count_waiting(),
            given_up: self.count_given_up(),
            leases: self.leases.values().filter(|lease| lease.until > present).count() as u64,
        }
    }

    fn count_operations(&self) -> Vec<OperationCount> {
        let mut counts: Vec<OperationCount> = Vec::new();
        for operation in self.running() {
            let alone = OperationCount {
                kind: operation.kind,
                step: operation.step.clone(),
                condition: condition(operation),
                waits_for: operation.waits_for.clone(),
                count: 1,
                oldest: operation.started_at,
            };
            match counts.iter_mut().find(|one| is_alike(one, &alone)) {
                Some(known) => {
                    known.count += 1;
                    known.oldest = known.oldest.min(alone.oldest);
                }
                None => counts.push(alone),
            }
        }
        counts
    }

    fn count_instances(&self) -> Vec<(InstanceState, u64)> {
        let mut counts: Vec<(InstanceState, u64)> = Vec::new();
        for instance in self.instances.values() {
            match counts.iter_mut().find(|(state, _)| *state == instance.state) {
                Some((_, count)) => *count += 1,
                None => counts.push((instance.state, 1)),
            }
        }
        counts
    }

    fn count_incidents(&self) -> Vec<(Option<crate::Side>, u64)> {
        let mut counts = BTreeMap::new();
        for incident in self.incidents.iter().filter(|one| one.closed_at.is_none()) {
            *counts.entry(incident.side).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    fn count_waiting(&self) -> Vec<(String, u64, Timestamp)> {
        let mut counts: BTreeMap<&str, (u64, Timestamp)> = BTreeMap::new();
        for one in self.deliveries.iter().filter(|one| one.state == DispatchState::Waiting) {
            let (count, oldest) = counts.entry(&one.target).or_insert((0, one.created_at));
            *count += 1;
            *oldest = one.created_at.min(*oldest);
        }
        counts.into_iter().map(|(target, (count, oldest))| (target.to_owned(), count, oldest)).collect()
    }

    fn count_given_up(&self) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for one in self.deliveries.iter().filter(|one| one.state == DispatchState::GivenUp) {
            *counts.entry(&one.target).or_default() += 1;
        }
        counts.into_iter().map(|(target, count)| (target.to_owned(), count)).collect()
    }
}

fn condition(operation: &Operation) -> Condition {
    match operation {
        Operation { waits_for: Some(_), .. } => Condition::Parked,
        Operation { attempt: 1.., .. } => Condition::Retrying,
        _ => Condition::Working,
    }
}

fn is_alike(one: &OperationCount, other: &OperationCount) -> bool {
    (one.kind, &one.step, one.condition, &one.waits_for)
        == (other.kind, &other.step, other.condition, &other.waits_for)
}
