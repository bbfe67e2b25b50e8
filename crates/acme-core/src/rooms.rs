use std::sync::Arc;

use async_trait::async_trait;
use contract::{Allowance, Clock, DomainName, KnownLimit, LedgerStore, LimitUse, PortResult, Room};

use crate::ledger::{Ledger, exact_set};
use crate::settings::AcmeSettings;

/// What an authority's limits leave, read from the ledger that all brokers on a database share. Asks nobody else.
pub struct Rooms(Ledger);

impl Rooms {
    /// For the authority and the limits of these settings.
    pub fn new(settings: &AcmeSettings, ledger: Arc<dyn LedgerStore>, clock: Arc<dyn Clock>) -> Self {
        Self(Ledger::new(settings, ledger, clock))
    }
}

#[async_trait]
impl Allowance for Rooms {
    async fn rooms(&self) -> PortResult<Vec<Room>> {
        self.0.rooms().await
    }

    async fn limits(&self, most: u32) -> PortResult<Vec<KnownLimit>> {
        self.0.known_limits(most).await
    }

    async fn usage(&self) -> PortResult<Vec<LimitUse>> {
        self.0.usage().await
    }

    fn set(&self, names: &[DomainName]) -> String {
        exact_set(names)
    }
}
