//! What the database says of sealed values that are none.

use anyhow::bail;
use contract::testing::ManualClock;
use contract::{IssuanceStore, Remedy, SealedStore};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use store::Store;

use crate::cluster::{Database, execute};
use crate::support::{fresh, issuance, open_url};

/// None of them begins with a version and a key's name, each ended by a colon.
const NOT_SEALED: [&str; 4] = ["", "PLAIN TEXT", "v1:PLAIN TEXT", "v0:first:PLAIN TEXT"];

fn damage(value: &str, table: &str) -> String {
    format!("UPDATE {table} SET private_key = '{value}' WHERE id = 'damaged'")
}

async fn is_named(store: &Store) -> anyhow::Result<()> {
    let Err(error) = store.keys().await else { bail!("it counts as sealed") };
    assert_eq!(error.remedy(), Remedy::GiveUp);
    let message = error.to_string();
    assert!(message.contains("table issuances, row \"damaged\": column private_key"), "{message}");
    assert!(!message.contains("PLAIN TEXT"), "{message}");
    Ok(())
}

async fn fill(store: &Store) -> anyhow::Result<()> {
    for id in ["damaged", "sound"] {
        IssuanceStore::insert(store, &issuance(id, "the leaf's key")).await?;
    }
    let keys = store.keys().await?;
    anyhow::ensure!(keys.len() == 1 && keys[0].values.get("issuances") == Some(&2), "{keys:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_not_sealed_is_named_but_not_shown_on_sqlite() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    fill(&fresh.store).await?;
    let file = fresh.folder.path().join("broker.db").display().to_string();
    let mut connection = SqliteConnection::establish(&file)?;
    for value in NOT_SEALED {
        connection.batch_execute(&damage(value, "issuances"))?;
        is_named(&fresh.store).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_not_sealed_is_named_but_not_shown_on_postgresql() -> anyhow::Result<()> {
    let database = Database::new()?;
    let store = open_url(&database.url, &ManualClock::new()).await?;
    fill(&store).await?;
    for value in NOT_SEALED {
        execute(&database.url, &damage(value, "cdn_broker.issuances"))?;
        is_named(&store).await?;
    }
    Ok(())
}
