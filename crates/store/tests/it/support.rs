use std::path::Path;
use std::sync::Arc;

use contract::testing::{ManualClock, sample};
use contract::{
    Cursor, InstanceStore, IssuanceId, IssuanceRecord, LeaseToken, Operation, OperationKind, Secret,
    Timestamp,
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
    let store = open_url(&file_in(folder.path()), &clock).await?;
    Ok(Fresh { store, clock, folder })
}

/// The URL of the database file in `folder`.
pub(crate) fn file_in(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("broker.db").display())
}

pub(crate) async fn open_url(url: &str, clock: &ManualClock) -> Result<Store, StoreError> {
    open_with(url, clock, vec![key("first", 1)?]).await
}

pub(crate) async fn open_with(
    url: &str,
    clock: &ManualClock,
    keys: Vec<SealingKey>,
) -> Result<Store, StoreError> {
    Store::open(&StoreSettings { url: url.into(), keys, pool_size: 4 }, Arc::new(clock.clone())).await
}

/// Settings of a store that is not opened.
pub(crate) fn settings(url: &str) -> Result<StoreSettings, StoreError> {
    Ok(StoreSettings { url: url.into(), keys: vec![key("first", 1)?], pool_size: 4 })
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

/// The cursor that leaves an operation where it is.
pub(crate) fn unmoved(operation: &Operation) -> Cursor {
    Cursor {
        state: operation.state,
        step: operation.step.clone(),
        attempt: operation.attempt,
        next_at: operation.next_at,
        step_since: operation.step_since,
        sentence: operation.sentence.clone(),
        error: operation.error.clone(),
        waits_for: operation.waits_for.clone(),
        instance_state: None,
        adopt: false,
    }
}

pub(crate) fn token(text: impl Into<String>) -> LeaseToken {
    LeaseToken::new(text)
}

pub(crate) fn issuance(id: &str, private_key: &str) -> IssuanceRecord {
    let request = sample::certificate_request(&sample::names(&["www.example.gov"]));
    let opened_at = Timestamp::from_secs(1_767_225_600);
    IssuanceRecord {
        private_key: Some(Secret::new(private_key)),
        ..IssuanceRecord::opened(IssuanceId::new(id), request, "https://ca.example/directory", opened_at)
    }
}
