use std::fs;
use std::sync::Arc;
use std::time::Duration;

use contract::testing::ManualClock;
use contract::{
    AccountRecord, AccountStore, Clock, InstanceId, InstanceStore, IssuanceStore, OperationStore, Readiness,
    Remedy, Secret, Upstream, WorkQueue,
};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use store::{Store, StoreError, StoreSettings};

use crate::support::{file_in, fresh, issuance, key, open_url, open_with, provisioning, settings, token};

const DIRECTORY: &str = "https://ca.example/directory";

fn account(clock: &impl Clock) -> AccountRecord {
    AccountRecord {
        directory: DIRECTORY.into(),
        key: Secret::new("the key of the account"),
        url: None,
        created_at: clock.now(),
        next_key: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_the_file_is_opened_again() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    let operation = provisioning(&fresh.store, "one", fresh.clock.now()).await?;
    let issuance = issuance("issuance", "the leaf's key");
    IssuanceStore::insert(&fresh.store, &issuance).await?;
    let account = fresh.store.ensure(&account(&fresh.clock)).await?;
    drop(fresh.store);

    // Opened again, the migrations find nothing to do and lose nothing.
    let again = open_url(&file_in(fresh.folder.path()), &fresh.clock).await?;
    assert_eq!(OperationStore::find(&again, &operation.id).await?, Some(operation));
    assert_eq!(again.load(&issuance.id).await?, Some(issuance));
    assert_eq!(AccountStore::find(&again, DIRECTORY).await?, Some(account));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_may_open_a_new_file_at_once() -> anyhow::Result<()> {
    for _ in 0..20 {
        let (folder, clock) = (tempfile::tempdir()?, ManualClock::new());
        let opened = [(); 8].map(|()| {
            let (url, clock) = (file_in(folder.path()), clock.clone());
            tokio::spawn(async move { open_url(&url, &clock).await })
        });
        for store in opened {
            assert_eq!(store.await??.next_due().await?, None);
        }
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
async fn a_missing_key_is_named_and_waited_for() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    fresh.store.ensure(&account(&fresh.clock)).await?;
    let url = file_in(fresh.folder.path());
    let other = open_with(&url, &fresh.clock, vec![key("second", 2)?]).await?;
    let error = AccountStore::find(&other, DIRECTORY).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::AwaitOperator);
    assert_eq!(error.obstacle().map(|one| one.upstream), Some(Upstream::SealingKeys));
    let message = error.to_string();
    assert!(message.contains("\"first\"") && message.contains(DIRECTORY), "{message}");

    let both = open_with(&url, &fresh.clock, vec![key("second", 2)?, key("first", 1)?]).await?;
    assert!(AccountStore::find(&both, DIRECTORY).await?.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_makes_no_sense_is_named_and_not_tried_again() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    provisioning(&fresh.store, "broken", fresh.clock.now()).await?;
    let mut connection =
        SqliteConnection::establish(&fresh.folder.path().join("broker.db").display().to_string())?;
    connection.batch_execute("UPDATE instances SET settings = '{'")?;
    let error = InstanceStore::find(&fresh.store, &InstanceId::new("broken")).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::GiveUp);
    let message = error.to_string();
    assert!(message.contains("table instances, row \"broken\": column settings"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_makes_no_sense_does_not_stand_in_the_way_of_others() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    provisioning(&fresh.store, "broken", fresh.clock.now()).await?;
    let sound = provisioning(&fresh.store, "sound", fresh.clock.now()).await?;
    let mut connection =
        SqliteConnection::establish(&fresh.folder.path().join("broker.db").display().to_string())?;
    connection.batch_execute(
        "PRAGMA ignore_check_constraints = ON; UPDATE operations SET kind = '?' WHERE instance = 'broken'",
    )?;
    let lease = Duration::from_mins(1);
    let error = fresh.store.claim(&token("a"), lease).await.unwrap_err();
    assert!(error.to_string().contains("broken-provision"), "{error}");
    let claim = fresh.store.claim(&token("b"), lease).await?;
    assert_eq!(claim.map(|claim| claim.operation), Some(sound));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_said_clearly() -> anyhow::Result<()> {
    let keys = vec![key("first", 1)?];
    let refusal = async |url: &str, keys: &[_], pool_size| {
        let settings = StoreSettings { url: url.into(), keys: keys.to_vec(), pool_size };
        Store::open(&settings, Arc::new(ManualClock::new())).await.err()
    };
    assert!(matches!(refusal("mysql://h/d", &keys, 1).await, Some(StoreError::Settings(_))));
    assert!(matches!(refusal("sqlite://x.db", &[], 1).await, Some(StoreError::Settings(_))));
    assert!(matches!(refusal("sqlite://x.db", &keys, 0).await, Some(StoreError::Settings(_))));
    let missing = "/no such folder/broker.db";
    match refusal(&format!("sqlite://{missing}"), &keys, 1).await {
        Some(StoreError::Unreachable(cause)) => assert!(cause.contains(missing), "{cause}"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shape_of_a_file_is_looked_at_and_made() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = settings(&file_in(folder.path()))?;
    let before = Store::shape(&settings).await?;
    assert!(!before.missing.is_empty() && before.unknown.is_empty(), "{before:?}");
    assert_eq!(fs::read_dir(folder.path())?.count(), 0, "looking makes no file");
    assert_eq!(Store::migrate(&settings).await?, before.missing);
    assert_eq!(Store::shape(&settings).await?.missing, Vec::<String>::new());
    assert_eq!(Store::migrate(&settings).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_opening_would_meet_is_found_out_without_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = settings(&file_in(folder.path()))?;
    let clock = Arc::new(ManualClock::new());
    let before = Store::prospect(&settings).await?;
    assert!(!before.is_there && !before.shape.missing.is_empty(), "{before:?}");
    let missing = Store::open_to_read(&settings, clock.clone()).await.err();
    assert!(matches!(missing, Some(StoreError::Unreachable(_))), "{missing:?}");
    assert_eq!(fs::read_dir(folder.path())?.count(), 0, "looking makes no file");

    Store::migrate(&settings).await?;
    let after = Store::prospect(&settings).await?;
    assert!(after.is_there && after.shape.missing.is_empty(), "{after:?}");
    let store = Store::open_to_read(&settings, clock.clone()).await?;
    store.ready().await?;
    let refused = provisioning(&store, "one", clock.now()).await.unwrap_err();
    assert!(format!("{refused:#}").contains("readonly"), "{refused:#}");

    let nowhere = self::settings(&file_in(&folder.path().join("no/such")))?;
    let refused = Store::prospect(&nowhere).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unwritable(why) if why.contains("no/such")), "{refused:?}");
    Ok(())
}
