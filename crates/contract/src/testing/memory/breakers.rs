use async_trait::async_trait;

use super::MemoryStore;
use crate::{Breaker, BreakerStore, PortResult};

#[async_trait]
impl BreakerStore for MemoryStore {
    async fn all(&self) -> PortResult<Vec<Breaker>> {
        self.call("breakers.all", |state, _| Ok(state.breakers.values().cloned().collect())).await
    }

    async fn open(&self, breaker: &Breaker) -> PortResult<bool> {
        self.call("breakers.open", |state, _| {
            let is_new = !state.breakers.contains_key(&breaker.scope);
            state.breakers.entry(breaker.scope.clone()).or_insert_with(|| breaker.clone());
            Ok(is_new)
        })
        .await
    }

    async fn change(&self, seen: &Breaker, next: &Breaker) -> PortResult<bool> {
        self.call("breakers.change", |state, _| match state.breakers.get_mut(&seen.scope) {
            Some(known) if is_the_same(known, seen) => {
                *known = Breaker { version: seen.version + 1, ..next.clone() };
                Ok(true)
            }
            _ => Ok(false),
        })
        .await
    }

    async fn close(&self, seen: &Breaker) -> PortResult<bool> {
        self.call("breakers.close", |state, _| {
            let is_there = state.breakers.get(&seen.scope).is_some_and(|known| is_the_same(known, seen));
            if is_there {
                state.breakers.remove(&seen.scope);
            }
            Ok(is_there)
        })
        .await
    }
}

fn is_the_same(known: &Breaker, seen: &Breaker) -> bool {
    (known.since, known.version) == (seen.since, seen.version)
}
