use std::path::Path;
use std::sync::Arc;

use contract::testing::{ManualClock, sample};
use contract::{
    InstanceId, InstanceState, InstanceStore, IssuanceId, IssuanceRecord, LeaseToken, Operation,
    OperationKind, Secret, Timestamp,
};
use store::{SealingKey, Store, StoreError, StoreSettings};
use tempfile::TempDir;

/// A new SQLite database with nothing in it, and the clock that it goes by.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) folder: TempDir,
}

pub(crate) async fn fresh() -> anyhow::Result<Fresh> {
    let (folder, clock) = (TempDir::new()?, ManualClock::new());
    let store = open(folder.path(), &clock, vec![key("first", 1)?]).await?;
    Ok(Fresh { store, clock, folder })
}

pub(crate) async fn open(
    folder: &Path,
    clock: &ManualClock,
    keys: Vec<SealingKey>,
) -> Result<Store, StoreError> {
    let url = format!("sqlite://{}", folder.join("broker.db").display());
    Store::open(&StoreSettings { url, keys, pool_size: 4 }, Arc::new(clock.clone())).await
}

pub(crate) fn key(name: &str, byte: u8) -> Result<SealingKey, StoreError> {
    SealingKey::new(name, [byte; 32])
}

/// Stores an instance that is being provisioned, with its operation `ID-provision`, due `at`.
pub(crate) async fn provisioning(store: &Store, id: &str, at: Timestamp) -> anyhow::Result<Operation> {
    let instance = sample::instance(id, &["www.example.gov"]);
    let operation = sample::operation(&format!("{id}-provision"), &instance.id, OperationKind::Provision, at);
    anyhow::ensure!(store.create(&instance, &operation).await?, "the id {id} is taken");
    Ok(operation)
}

pub(crate) fn deprovision(id: &str, instance: &str, at: Timestamp) -> Operation {
    sample::operation(id, &InstanceId::new(instance), OperationKind::Deprovision, at)
}

pub(crate) async fn state(store: &Store, instance: &str) -> anyhow::Result<Option<InstanceState>> {
    let found = InstanceStore::find(store, &InstanceId::new(instance)).await?;
    Ok(found.map(|instance| instance.state))
}

pub(crate) fn token(text: impl Into<String>) -> LeaseToken {
    LeaseToken::new(text)
}

pub(crate) fn issuance(id: &str, private_key: &str) -> IssuanceRecord {
    IssuanceRecord {
        id: IssuanceId::new(id),
        version: 0,
        request: sample::certificate_request(&sample::names(&["www.example.gov"])),
        directory: "https://ca.example/directory".into(),
        private_key: Some(Secret::new(private_key)),
        csr: None,
        order_url: None,
        order_expires: None,
        orders_placed: 0,
        authorizations: Vec::new(),
        chain: None,
        opened_at: Timestamp::from_secs(1_767_225_600),
        abandoned: false,
    }
}
