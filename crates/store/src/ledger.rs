use std::collections::BTreeMap;

use async_trait::async_trait;
use contract::{LedgerStore, PortResult, Timestamp};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::ledger;
use crate::store::Store;

#[async_trait]
impl LedgerStore for Store {
    async fn moments(&self, keys: &[String]) -> PortResult<BTreeMap<String, Timestamp>> {
        let keys = keys.to_vec();
        self.run("read the ledger", move |db, _| {
            let rows = ledger::table.filter(ledger::key.eq_any(keys)).load::<(String, i64)>(db)?;
            Ok(rows.into_iter().map(|(key, moment)| (key, Timestamp::from_millis(moment))).collect())
        })
        .await
    }

    async fn swap(&self, key: &str, seen: Option<Timestamp>, next: Timestamp) -> PortResult<bool> {
        let (key, next) = (key.to_owned(), next.as_millis());
        self.run("write the ledger", move |db, _| match seen {
            Some(seen) => replace(db, &key, seen.as_millis(), next),
            None => unless_taken(insert(db, &key, next)),
        })
        .await
    }

    async fn furthest(
        &self,
        prefix: &str,
        after: Timestamp,
        most: u32,
    ) -> PortResult<Vec<(String, Timestamp)>> {
        let (prefix, after) = (prefix.to_owned(), after.as_millis());
        self.run("read the ledger", move |db, _| {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            // Not LIKE, which takes some characters for others, and not the same ones in each database.
            let begins_so = sql::<Bool>("substr(key, 1, CAST(")
                .bind::<BigInt, _>(length)
                .sql(" AS INTEGER)) = ")
                .bind::<Text, _>(prefix);
            let rows = ledger::table
                .filter(begins_so)
                .filter(ledger::moment.gt(after))
                .order(ledger::moment.desc())
                .limit(most.into())
                .load::<(String, i64)>(db)?;
            Ok(rows.into_iter().map(|(key, moment)| (key, Timestamp::from_millis(moment))).collect())
        })
        .await
    }

    async fn list(&self, after: Option<String>, most: u32) -> PortResult<Vec<(String, Timestamp)>> {
        // A key has at least one character, so that all of them come after the empty text.
        let after = after.unwrap_or_default();
        self.run("list the ledger", move |db, _| {
            let behind = ledger::table.filter(ledger::key.gt(after)).order(ledger::key).limit(most.into());
            let rows = behind.load::<(String, i64)>(db)?;
            Ok(rows.into_iter().map(|(key, moment)| (key, Timestamp::from_millis(moment))).collect())
        })
        .await
    }

    async fn forget_before(&self, moment: Timestamp) -> PortResult<()> {
        self.run("clear the ledger", move |db, _| {
            diesel::delete(ledger::table.filter(ledger::moment.lt(moment.as_millis()))).execute(db)?;
            Ok(())
        })
        .await
    }
}

fn replace(db: &mut Db, key: &str, seen: i64, next: i64) -> Result<bool, StoreError> {
    let as_seen = ledger::table.filter(ledger::key.eq(key)).filter(ledger::moment.eq(seen));
    Ok(diesel::update(as_seen).set(ledger::moment.eq(next)).execute(db)? == 1)
}

fn insert(db: &mut Db, key: &str, next: i64) -> Result<bool, StoreError> {
    let row = (ledger::key.eq(key), ledger::moment.eq(next));
    Ok(diesel::insert_into(ledger::table).values(row).execute(db)? == 1)
}
