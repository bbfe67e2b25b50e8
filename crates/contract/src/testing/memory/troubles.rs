use async_trait::async_trait;

use super::MemoryStore;
use crate::{InstanceId, Mishap, PortResult, SiteFinding, Timestamp, TroubleStore};

#[async_trait]
impl TroubleStore for MemoryStore {
    async fn note(&self, mishap: &Mishap) -> PortResult<()> {
        self.call("troubles.note", |state, _| {
            state.mishaps.insert((mishap.class.clone(), mishap.instance.clone()), mishap.clone());
            Ok(())
        })
        .await
    }

    async fn mishaps(&self, since: Timestamp, most: u32) -> PortResult<Vec<Mishap>> {
        self.call("troubles.mishaps", |state, _| {
            let late = state.mishaps.values().filter(|one| one.at >= since);
            Ok(late.take(most as usize).cloned().collect())
        })
        .await
    }

    async fn forget_before(&self, at: Timestamp) -> PortResult<()> {
        self.call("troubles.forget_before", |state, _| {
            state.mishaps.retain(|_, one| one.at >= at);
            Ok(())
        })
        .await
    }

    async fn findings(&self, instance: &InstanceId) -> PortResult<Vec<SiteFinding>> {
        self.call("troubles.findings", |state, _| {
            Ok(state.findings.get(instance).cloned().unwrap_or_default())
        })
        .await
    }

    async fn keep_findings(&self, instance: &InstanceId, findings: &[SiteFinding]) -> PortResult<()> {
        self.call("troubles.keep_findings", |state, _| {
            state.findings.remove(instance);
            if !findings.is_empty() {
                state.findings.insert(instance.clone(), findings.to_vec());
            }
            Ok(())
        })
        .await
    }

    async fn troubled(&self, after: Option<InstanceId>, most: u32) -> PortResult<Vec<InstanceId>> {
        self.call("troubles.troubled", |state, _| {
            let later = state.findings.keys().filter(|id| after.as_ref().is_none_or(|after| *id > after));
            Ok(later.take(most as usize).cloned().collect())
        })
        .await
    }
}
