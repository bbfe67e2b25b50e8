use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::storage::RUNS_KEPT;
use crate::{CheckRecord, CheckRun, CheckStore, PortResult, Timestamp};

#[async_trait]
impl CheckStore for MemoryStore {
    async fn now(&self) -> PortResult<Timestamp> {
        self.call("checks.now", |_, now| Ok(now)).await
    }

    async fn all(&self) -> PortResult<Vec<CheckRecord>> {
        self.call("checks.all", |state, _| Ok(state.checks.values().cloned().collect())).await
    }

    async fn ensure(&self, record: &CheckRecord) -> PortResult<CheckRecord> {
        self.call("checks.ensure", |state, _| {
            Ok(state.checks.entry(record.name.clone()).or_insert_with(|| record.clone()).clone())
        })
        .await
    }

    async fn change(&self, seen: &CheckRecord, next: &CheckRecord) -> PortResult<Option<CheckRecord>> {
        self.call("checks.change", |state, _| Ok(state.change_check(seen, next))).await
    }

    async fn finish(&self, seen: &CheckRecord, next: &CheckRecord, run: &CheckRun) -> PortResult<bool> {
        self.call("checks.finish", |state, _| {
            let changed = state.change_check(seen, next).is_some();
            if changed {
                state.check_runs.push(run.clone());
                let oldest = run.number - RUNS_KEPT;
                state.check_runs.retain(|one| one.check != run.check || one.number > oldest);
            }
            Ok(changed)
        })
        .await
    }

    async fn history(&self, name: &str, most: u32) -> PortResult<Vec<CheckRun>> {
        self.call("checks.history", |state, _| {
            let runs = state.check_runs.iter().rev().filter(|run| run.check == name);
            Ok(runs.take(most as usize).cloned().collect())
        })
        .await
    }

    async fn recall(&self, key: &str) -> PortResult<Option<String>> {
        self.call("checks.recall", |state, _| Ok(state.check_notes.get(key).cloned())).await
    }

    async fn remember(&self, key: &str, text: &str) -> PortResult<()> {
        self.call("checks.remember", |state, _| {
            state.check_notes.insert(key.to_owned(), text.to_owned());
            Ok(())
        })
        .await
    }
}

impl State {
    fn change_check(&mut self, seen: &CheckRecord, next: &CheckRecord) -> Option<CheckRecord> {
        let known = self.checks.get_mut(&seen.name).filter(|known| known.version == seen.version)?;
        *known = CheckRecord { version: seen.version + 1, ..next.clone() };
        Some(known.clone())
    }
}
