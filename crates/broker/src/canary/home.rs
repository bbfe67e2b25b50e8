//! The instance that is kept, as the store knows it.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    Canary, CanarySource, CertificateState, Chore, ChoreStore, DomainName, Instance, InstanceId,
    InstanceState, IssuanceProgress, PortResult, Timestamp,
};

use super::memory::{Home, Memory, Run, Stage};
use crate::ports::Ports;

/// Under which name the memory of canaries is kept.
const CHORE: &str = "canary";

/// What is kept of canaries.
#[derive(Clone)]
pub struct CanaryStore {
    chores: Arc<dyn ChoreStore>,
}

/// Knows the canary by what the store says.
#[derive(Clone)]
pub struct KeptCanary {
    ports: Ports,
    store: CanaryStore,
}

impl CanaryStore {
    /// What this store keeps.
    pub fn new(chores: Arc<dyn ChoreStore>) -> Self {
        Self { chores }
    }

    /// How many certificates were ordered for canaries within a week, and when the first of these leaves it.
    ///
    /// Errors: the store's.
    pub async fn ordered_lately(&self, now: Timestamp) -> PortResult<(usize, Option<Timestamp>)> {
        Ok(self.recall().await?.lately(now))
    }

    /// Whether this instance, with its own name and what is one label below it, is what a run asks for at this moment.
    pub(crate) async fn is_asked_for(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<bool> {
        let run = self.recall().await?.run.filter(|run| run.stage == Stage::Provision);
        Ok(run.is_some_and(|Run { home, .. }| {
            home.instance == *instance && names.iter().all(|name| name.base() == home.name.as_str())
        }))
    }

    pub(super) async fn recall(&self) -> PortResult<Memory> {
        let blank =
            Chore { name: CHORE.to_owned(), next_at: Timestamp::default(), found: Memory::default().write() };
        Ok(Memory::read(&self.chores.ensure(&blank).await?.found))
    }

    pub(super) async fn keep(&self, memory: &Memory) -> PortResult<()> {
        self.chores.note(CHORE, &memory.write()).await
    }
}

impl KeptCanary {
    /// The canary of this store.
    pub fn new(ports: Ports) -> Self {
        let store = CanaryStore::new(ports.chores.clone());
        Self { ports, store }
    }

    async fn served(&self, home: &Home, instance: &Instance) -> PortResult<Option<Canary>> {
        let known = self.ports.certificates.of_instance(&instance.id, instance.incarnation).await?;
        let Some(live) = known.into_iter().rev().find(|one| one.state == CertificateState::Live) else {
            return Ok(None);
        };
        let (Some(stored), Some(host)) = (live.stored, instance.distribution_domain.clone()) else {
            return Ok(None);
        };
        // What was issued is handed out again without asking the authority.
        let IssuanceProgress::Issued(bundle) = self.ports.issuer.advance(&live.issuance).await? else {
            return Ok(None);
        };
        Ok(Some(Canary { instance: instance.id.clone(), name: home.name.clone(), host, stored, bundle }))
    }
}

#[async_trait]
impl CanarySource for KeptCanary {
    async fn canary(&self) -> PortResult<Option<Canary>> {
        let Some(home) = self.store.recall().await?.home else { return Ok(None) };
        let instance = self.ports.instances.find(&home.instance).await?;
        match instance.filter(|instance| instance.state == InstanceState::Ready) {
            Some(instance) => self.served(&home, &instance).await,
            None => Ok(None),
        }
    }
}
