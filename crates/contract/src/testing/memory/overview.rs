use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{
    CertificateState, InstanceState, Operation, Overview, OverviewStore, PortResult, RunningOperations,
};

#[async_trait]
impl OverviewStore for MemoryStore {
    async fn overview(&self) -> PortResult<Overview> {
        self.call("overview.overview", |state, _| Ok(state.overview())).await
    }
}

impl State {
    fn overview(&self) -> Overview {
        let mut instances: Vec<(InstanceState, i64)> = Vec::new();
        for instance in self.instances.values() {
            match instances.iter_mut().find(|(state, _)| *state == instance.state) {
                Some((_, count)) => *count += 1,
                None => instances.push((instance.state, 1)),
            }
        }
        let live = self.certificates.values().filter(|one| one.state == CertificateState::Live);
        let mut ends: Vec<_> = live.filter_map(|one| Some(one.facts.as_ref()?.not_after)).collect();
        ends.sort_unstable();
        Overview { instances, running: self.running_operations(), ends }
    }

    fn running_operations(&self) -> Vec<RunningOperations> {
        let key = |one: &Operation| (format!("{:?}", one.kind), one.step.clone(), one.waits_for.clone());
        let mut groups = BTreeMap::new();
        for one in self.running() {
            let group = groups.entry(key(one)).or_insert_with(|| RunningOperations {
                kind: one.kind,
                step: one.step.clone(),
                waits_for: one.waits_for.clone(),
                count: 0,
            });
            group.count += 1;
        }
        groups.into_values().collect()
    }
}
