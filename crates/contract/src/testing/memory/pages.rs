use async_trait::async_trait;

use super::MemoryStore;
use crate::{InstanceId, PageStore, PortResult, Secret, Survey};

#[async_trait]
impl PageStore for MemoryStore {
    async fn ensure_key(&self, candidate: &Secret) -> PortResult<Secret> {
        self.call("pages.ensure_key", |state, _| {
            if state.page_key.is_none() {
                state.seal("page_keys", "signing", &self.keys[0]);
            }
            Ok(state.page_key.get_or_insert_with(|| candidate.clone()).clone())
        })
        .await
    }

    async fn generation(&self, instance: &InstanceId) -> PortResult<i32> {
        self.call("pages.generation", |state, _| {
            Ok(state.page_generations.get(instance).copied().unwrap_or(0))
        })
        .await
    }

    async fn revoke(&self, instance: &InstanceId) -> PortResult<i32> {
        self.call("pages.revoke", |state, _| {
            let generation = state.page_generations.entry(instance.clone()).or_default();
            *generation += 1;
            Ok(*generation)
        })
        .await
    }

    async fn survey(&self, instance: &InstanceId) -> PortResult<Option<Survey>> {
        self.call("pages.survey", |state, _| Ok(state.surveys.get(instance).cloned())).await
    }

    async fn keep_survey(&self, instance: &InstanceId, survey: &Survey) -> PortResult<()> {
        self.call("pages.keep_survey", |state, _| {
            state.surveys.insert(instance.clone(), survey.clone());
            Ok(())
        })
        .await
    }
}
