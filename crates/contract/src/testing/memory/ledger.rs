use std::collections::BTreeMap;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{LedgerStore, PortResult, Timestamp};

#[async_trait]
impl LedgerStore for MemoryStore {
    async fn moments(&self, keys: &[String]) -> PortResult<BTreeMap<String, Timestamp>> {
        self.call("ledger.moments", |state, _| {
            let kept = keys.iter().filter_map(|key| Some((key.clone(), *state.ledger.get(key)?)));
            Ok(kept.collect())
        })
        .await
    }

    async fn swap(&self, key: &str, seen: Option<Timestamp>, next: Timestamp) -> PortResult<bool> {
        self.call("ledger.swap", |state, _| {
            let as_seen = state.ledger.get(key).copied() == seen;
            if as_seen {
                state.ledger.insert(key.to_owned(), next);
            }
            Ok(as_seen)
        })
        .await
    }

    async fn furthest(
        &self,
        prefix: &str,
        after: Timestamp,
        most: u32,
    ) -> PortResult<Vec<(String, Timestamp)>> {
        self.call("ledger.furthest", |state, _| {
            let is_meant =
                |(key, moment): &(&String, &Timestamp)| key.starts_with(prefix) && **moment > after;
            let meant = state.ledger.iter().filter(is_meant);
            let mut found: Vec<_> = meant.map(|(key, moment)| (key.clone(), *moment)).collect();
            found.sort_by_key(|(_, moment)| std::cmp::Reverse(*moment));
            found.truncate(most as usize);
            Ok(found)
        })
        .await
    }

    async fn list(&self, after: Option<String>, most: u32) -> PortResult<Vec<(String, Timestamp)>> {
        self.call("ledger.list", |state, _| {
            let behind =
                state.ledger.iter().filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
            Ok(behind.take(most as usize).map(|(key, moment)| (key.clone(), *moment)).collect())
        })
        .await
    }

    async fn forget_before(&self, moment: Timestamp) -> PortResult<()> {
        self.call("ledger.forget_before", |state, _| {
            state.ledger.retain(|_, kept| *kept >= moment);
            Ok(())
        })
        .await
    }
}
