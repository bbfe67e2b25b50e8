use std::fs;

use contract::{AccountRecord, AccountStore, IssuanceStore, OperationStore, Remedy, Secret, WorkQueue};
use store::{Store, StoreError, StoreSettings};

use crate::support::{fresh, issuance, key, open, provisioning, state};

const DIRECTORY: &str = "https://ca.example/directory";

fn account(clock: &impl contract::Clock) -> AccountRecord {
    AccountRecord {
        directory: DIRECTORY.into(),
        key: Secret::new("the key of the account"),
        url: None,
        created_at: clock.now(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_the_file_is_opened_again() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    let operation = provisioning(&fresh.store, "one", contract::Clock::now(&fresh.clock)).await?;
    IssuanceStore::insert(&fresh.store, &issuance("issuance", "the leaf's key")).await?;
    let account = fresh.store.ensure(&account(&fresh.clock)).await?;
    drop(fresh.store);

    // Opened again, the migrations find nothing to do and lose nothing.
    let again = open(fresh.folder.path(), &fresh.clock, vec![key("first", 1)?]).await?;
    assert_eq!(OperationStore::find(&again, &operation.id).await?, Some(operation));
    assert_eq!(
        IssuanceStore::load(&again, &issuance("issuance", "").id).await?,
        Some(issuance("issuance", "the leaf's key"))
    );
    assert_eq!(AccountStore::find(&again, DIRECTORY).await?, Some(account));
    assert!(state(&again, "one").await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_open_a_new_file_at_once() -> anyhow::Result<()> {
    let (folder, clock) = (tempfile::tempdir()?, contract::testing::ManualClock::new());
    let opened = [(); 4].map(|()| {
        let (folder, clock) = (folder.path().to_owned(), clock.clone());
        tokio::spawn(async move { open(&folder, &clock, vec![key("first", 1)?]).await })
    });
    for store in opened {
        assert_eq!(store.await??.next_due().await?, None);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_private_key_can_be_read_in_the_files() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    IssuanceStore::insert(&fresh.store, &issuance("issuance", "the leaf's key")).await?;
    fresh.store.ensure(&account(&fresh.clock)).await?;
    let (mut files, mut directory_seen) = (0, false);
    for entry in fs::read_dir(fresh.folder.path())? {
        let bytes = fs::read(entry?.path())?;
        files += 1;
        directory_seen |= contains(&bytes, DIRECTORY);
        assert!(!contains(&bytes, "the leaf's key") && !contains(&bytes, "the key of the account"));
    }
    assert!(files > 1 && directory_seen, "what is not sealed is found, so the search works");
    Ok(())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_is_named_and_not_tried_again() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    fresh.store.ensure(&account(&fresh.clock)).await?;
    let other = open(fresh.folder.path(), &fresh.clock, vec![key("second", 2)?]).await?;
    let error = AccountStore::find(&other, DIRECTORY).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::GiveUp);
    let message = error.to_string();
    assert!(message.contains("\"first\"") && message.contains(DIRECTORY), "{message}");

    let both = open(fresh.folder.path(), &fresh.clock, vec![key("second", 2)?, key("first", 1)?]).await?;
    assert!(AccountStore::find(&both, DIRECTORY).await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_of_a_directory_stays() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    let first = fresh.store.ensure(&account(&fresh.clock)).await?;
    let late = AccountRecord { key: Secret::new("another key"), ..first.clone() };
    assert_eq!(fresh.store.ensure(&late).await?, first);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_said_clearly() -> anyhow::Result<()> {
    let keys = vec![key("first", 1)?];
    let refusal = async |url: &str, keys: &[_], pool_size| {
        let settings = StoreSettings { url: url.into(), keys: keys.to_vec(), pool_size };
        Store::open(&settings, std::sync::Arc::new(contract::testing::ManualClock::new())).await.err()
    };
    assert!(matches!(refusal("mysql://h/d", &keys, 1).await, Some(StoreError::Settings(_))));
    assert!(matches!(refusal("sqlite://x.db", &[], 1).await, Some(StoreError::Settings(_))));
    assert!(matches!(refusal("sqlite://x.db", &keys, 0).await, Some(StoreError::Settings(_))));
    let missing = "/no such folder/broker.db";
    match refusal(&format!("sqlite://{missing}"), &keys, 1).await {
        Some(StoreError::Unreachable(cause)) => assert!(cause.to_string().contains(missing), "{cause}"),
        other => panic!("{other:?}"),
    }
    Ok(())
}
