use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::{KeyStanding, PortResult, Resealed, SealedPlace, SealedStore, SealingKeyUse, StuckValue};

#[async_trait]
impl SealedStore for MemoryStore {
    async fn keys(&self) -> PortResult<Vec<SealingKeyUse>> {
        self.call("sealed.keys", |state, _| {
            let mut uses: Vec<SealingKeyUse> = Vec::new();
            for (number, name) in self.keys.iter().enumerate() {
                let standing = if number == 0 { KeyStanding::First } else { KeyStanding::Configured };
                uses.push(SealingKeyUse { name: name.clone(), standing, values: BTreeMap::new() });
            }
            for (place, key) in state.sealed() {
                let known = uses.iter().position(|one| one.name == key);
                let index = known.unwrap_or_else(|| {
                    let values = BTreeMap::new();
                    uses.push(SealingKeyUse { name: key, standing: KeyStanding::Missing, values });
                    uses.len() - 1
                });
                *uses[index].values.entry(place.table).or_default() += 1;
            }
            Ok(uses)
        })
        .await
    }

    async fn reseal(&self, after: Option<SealedPlace>, most: u32) -> PortResult<Resealed> {
        self.call("sealed.reseal", |state, _| {
            let mut all = state.sealed();
            all.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
            all.truncate(most as usize);
            let mut outcome = Resealed::default();
            for (place, key) in all {
                outcome.looked_at += 1;
                outcome.last = Some(place.clone());
                if !self.keys.contains(&key) {
                    let why = format!("it is sealed with the key {key:?}, which is not configured");
                    outcome.stuck.push(StuckValue { place, why });
                } else if key != self.keys[0] {
                    outcome.sealed_anew += 1;
                    state.seal(&place.table, &place.row, &self.keys[0]);
                }
            }
            Ok(outcome)
        })
        .await
    }
}

impl State {
    /// Notes under which key a value is.
    pub(super) fn seal(&mut self, table: &str, row: &str, key: &str) {
        let place = SealedPlace { table: table.to_owned(), row: row.to_owned() };
        self.sealed_under.insert(place, key.to_owned());
    }

    /// All sealed values and their keys, in order.
    fn sealed(&self) -> Vec<(SealedPlace, String)> {
        let accounts = self.accounts.keys().map(|directory| ("accounts", directory.clone()));
        let issuances = self.issuances.values().filter(|record| record.private_key.is_some());
        let issuances = issuances.map(|record| ("issuances", record.id.as_str().to_owned()));
        let proposed = self.accounts.values().filter(|account| account.next_key.is_some());
        let proposed = proposed.map(|account| ("next_account_keys", account.directory.clone()));
        let page_key = self.page_key.iter().map(|_| ("page_keys", "signing".to_owned()));
        let places = accounts
            .chain(issuances)
            .chain(proposed)
            .chain(page_key)
            .map(|(table, row)| SealedPlace { table: table.to_owned(), row });
        let mut sealed: Vec<(SealedPlace, String)> = places
            .map(|place| {
                let key = self.sealed_under.get(&place).cloned().unwrap_or_default();
                (place, key)
            })
            .collect();
        sealed.sort();
        sealed
    }
}
