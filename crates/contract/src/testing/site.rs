use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{CrashPlan, locked};
use crate::{ChallengeSite, InstanceId, PortResult};

/// A challenge site in memory: a folder of answers per instance. Clones share the folders.
#[derive(Clone, Debug, Default)]
pub struct FakeSite {
    plan: CrashPlan,
    folders: Arc<Mutex<BTreeMap<InstanceId, Folder>>>,
}

/// Answers by token.
type Folder = BTreeMap<String, String>;

impl FakeSite {
    /// A site without folders.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same site, with every call passing `plan`.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// The answers that an instance presents now, by token.
    pub fn folder(&self, instance: &InstanceId) -> BTreeMap<String, String> {
        locked(&self.folders).get(instance).cloned().unwrap_or_default()
    }

    /// Whether no instance presents anything.
    pub fn is_empty(&self) -> bool {
        locked(&self.folders).values().all(BTreeMap::is_empty)
    }
}

#[async_trait]
impl ChallengeSite for FakeSite {
    async fn present(&self, instance: &InstanceId, token: &str, answer: &str) -> PortResult<()> {
        self.plan
            .pass("site.present", || {
                let mut folders = locked(&self.folders);
                folders.entry(instance.clone()).or_default().insert(token.to_owned(), answer.to_owned());
                Ok(())
            })
            .await
    }

    async fn withdraw(&self, instance: &InstanceId, token: &str) -> PortResult<()> {
        self.plan
            .pass("site.withdraw", || {
                if let Some(folder) = locked(&self.folders).get_mut(instance) {
                    folder.remove(token);
                }
                Ok(())
            })
            .await
    }

    async fn clear(&self, instance: &InstanceId) -> PortResult<()> {
        self.plan
            .pass("site.clear", || {
                locked(&self.folders).remove(instance);
                Ok(())
            })
            .await
    }
}
