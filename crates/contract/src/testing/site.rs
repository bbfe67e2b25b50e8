use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::listing::page;
use super::{CrashPlan, ManualClock, locked};
use crate::{ChallengeSite, Clock, InstanceId, Page, PageToken, PortResult, SiteFolder, Timestamp};

/// A challenge site in memory: a folder of answers per instance. Clones share the folders.
#[derive(Clone, Debug, Default)]
pub struct FakeSite {
    plan: CrashPlan,
    clock: ManualClock,
    folders: Arc<Mutex<BTreeMap<InstanceId, Folder>>>,
}

/// Answers by token, and when the newest was presented.
#[derive(Clone, Debug, Default)]
struct Folder {
    answers: BTreeMap<String, String>,
    changed_at: Timestamp,
}

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

    /// The same site, under this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: &ManualClock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// The answers that an instance presents now, by token.
    pub fn folder(&self, instance: &InstanceId) -> BTreeMap<String, String> {
        locked(&self.folders).get(instance).cloned().unwrap_or_default().answers
    }

    /// Whether no instance presents anything.
    pub fn is_empty(&self) -> bool {
        locked(&self.folders).values().all(|folder| folder.answers.is_empty())
    }
}

#[async_trait]
impl ChallengeSite for FakeSite {
    async fn present(&self, instance: &InstanceId, token: &str, answer: &str) -> PortResult<()> {
        self.plan
            .pass("site.present", || {
                let mut folders = locked(&self.folders);
                let folder = folders.entry(instance.clone()).or_default();
                folder.answers.insert(token.to_owned(), answer.to_owned());
                folder.changed_at = self.clock.now();
                Ok(())
            })
            .await
    }

    async fn withdraw(&self, instance: &InstanceId, token: &str) -> PortResult<()> {
        self.plan
            .pass("site.withdraw", || {
                if let Some(folder) = locked(&self.folders).get_mut(instance) {
                    folder.answers.remove(token);
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

    fn folder(&self, instance: &InstanceId) -> String {
        instance.to_string()
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<SiteFolder>> {
        self.plan
            .pass("site.list", || {
                let folders = locked(&self.folders);
                let filled = folders.iter().filter(|(_, folder)| !folder.answers.is_empty());
                let listed = filled.map(|(instance, folder)| {
                    let name = instance.to_string();
                    (name.clone(), SiteFolder { name, changed_at: folder.changed_at })
                });
                Ok(page(listed, after.as_ref()))
            })
            .await
    }
}
