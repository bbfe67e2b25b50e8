use async_trait::async_trait;
use contract::{AccountRecord, AccountStore, PortResult, Timestamp};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::accounts;
use crate::sealing::Sealer;
use crate::store::Store;

#[async_trait]
impl AccountStore for Store {
    async fn find(&self, directory: &str) -> PortResult<Option<AccountRecord>> {
        let directory = directory.to_owned();
        self.run("read an ACME account", move |db, inner| find(db, &directory, &inner.sealer)).await
    }

    async fn ensure(&self, candidate: &AccountRecord) -> PortResult<AccountRecord> {
        let candidate = candidate.clone();
        self.run("store an ACME account", move |db, inner| {
            let row = AccountRow::of(&candidate, &inner.sealer)?;
            unless_taken(insert(db, &row))?;
            find(db, &candidate.directory, &inner.sealer)?.ok_or_else(|| unknown(&candidate.directory))
        })
        .await
    }

    async fn record_url(&self, directory: &str, url: &str) -> PortResult<()> {
        let (directory, url) = (directory.to_owned(), url.to_owned());
        self.run("keep the URL of an ACME account", move |db, _| {
            diesel::update(accounts::table.find(directory)).set(accounts::url.eq(url)).execute(db)?;
            Ok(())
        })
        .await
    }
}

fn find(db: &mut Db, directory: &str, sealer: &Sealer) -> Result<Option<AccountRecord>, StoreError> {
    let row = accounts::table.find(directory).select(AccountRow::as_select()).first(db).optional()?;
    row.map(|row| row.into_record(sealer)).transpose()
}

fn insert(db: &mut Db, row: &AccountRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(accounts::table).values(row).execute(db)? == 1)
}

fn unknown(directory: &str) -> StoreError {
    Cell { table: "accounts", column: "directory", row: directory }.inconsistent("there is no such account")
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
struct AccountRow {
    directory: String,
    key: String,
    url: Option<String>,
    created_at: i64,
}

impl AccountRow {
    fn of(record: &AccountRecord, sealer: &Sealer) -> Result<Self, StoreError> {
        let cell = Cell { table: "accounts", column: "key", row: &record.directory };
        Ok(Self {
            directory: record.directory.clone(),
            key: sealer.seal(cell, &record.key)?,
            url: record.url.clone(),
            created_at: record.created_at.as_millis(),
        })
    }

    fn into_record(self, sealer: &Sealer) -> Result<AccountRecord, StoreError> {
        let cell = Cell { table: "accounts", column: "key", row: &self.directory };
        Ok(AccountRecord {
            key: sealer.open(cell, &self.key)?,
            url: self.url,
            created_at: Timestamp::from_millis(self.created_at),
            directory: self.directory,
        })
    }
}
