//! Replacing the keys that private keys are sealed with, while everybody works on.

use std::sync::Arc;

use contract::{KeyStanding, PortResult, SealedStore, SealingKeyUse, StuckValue};

/// How many values are sealed anew in one transaction: a few milliseconds' work.
const PAGE: u32 = 50;

/// Who writes at the same moment makes a value be looked at again; nobody does so often.
const ROUNDS: usize = 5;

/// Seals anew.
#[derive(Clone)]
pub struct Rotator {
    store: Arc<dyn SealedStore>,
}

/// What has become of everything that is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How many values were sealed anew.
    pub resealed: u64,
    /// Those that cannot be opened.
    pub stuck: Vec<StuckValue>,
    /// The keys as they are used now.
    pub keys: Vec<SealingKeyUse>,
}

impl Rotation {
    /// Whether everything is sealed under the first key.
    pub fn is_complete(&self) -> bool {
        self.keys.iter().all(|key| key.standing == KeyStanding::First || key.values.is_empty())
    }

    /// Keys that are configured, and that nothing is sealed under any more.
    pub fn removable(&self) -> Vec<&str> {
        self.configured(|key| key.values.is_empty())
    }

    /// Keys that are configured but not first, and under which something is sealed that opens: a broker has done so since.
    pub fn still_in_use(&self) -> Vec<&str> {
        if self.stuck.is_empty() { self.configured(|key| !key.values.is_empty()) } else { Vec::new() }
    }

    fn configured(&self, is_meant: impl Fn(&SealingKeyUse) -> bool) -> Vec<&str> {
        let later = self.keys.iter().filter(|key| key.standing == KeyStanding::Configured);
        later.filter(|key| is_meant(key)).map(|key| key.name.as_str()).collect()
    }
}

impl Rotator {
    /// Works on this store, with the keys that it has.
    pub fn new(store: Arc<dyn SealedStore>) -> Self {
        Self { store }
    }

    /// The keys, and what is sealed under each.
    ///
    /// Errors: the store's, here and below.
    pub async fn keys(&self) -> PortResult<Vec<SealingKeyUse>> {
        self.store.keys().await
    }

    /// Seals everything under the first key. `progress` is told how many values were looked at, of about how many.
    pub async fn rotate(&self, progress: &(dyn Fn(u64, u64) + Sync)) -> PortResult<Rotation> {
        let mut rotation = Rotation { resealed: 0, stuck: Vec::new(), keys: self.keys().await? };
        for _ in 0..ROUNDS {
            self.round(&mut rotation, progress).await?;
            rotation.keys = self.keys().await?;
            let needs_another = rotation.stuck.is_empty() && !rotation.is_complete();
            if !needs_another {
                break;
            }
        }
        Ok(rotation)
    }

    async fn round(&self, rotation: &mut Rotation, progress: &(dyn Fn(u64, u64) + Sync)) -> PortResult<()> {
        let all = rotation.keys.iter().flat_map(|key| key.values.values()).sum();
        let (mut after, mut looked_at) = (None, 0);
        loop {
            let page = self.store.reseal(after, PAGE).await?;
            looked_at += u64::from(page.looked_at);
            rotation.resealed += u64::from(page.sealed_anew);
            rotation.stuck.extend(page.stuck);
            after = page.last;
            if after.is_none() {
                return Ok(());
            }
            progress(looked_at, all);
        }
    }
}
