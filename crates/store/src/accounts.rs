use async_trait::async_trait;
use contract::{AccountRecord, AccountStore, PortResult, Secret, Timestamp};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::{accounts, next_account_keys};
use crate::sealing::Sealer;
use crate::store::Store;

/// An account, and the sealed key that is to follow on its own.
type Row = (AccountRow, Option<String>);

/// The accounts with what is to follow.
macro_rules! rows {
    () => {
        accounts::table
            .left_join(next_account_keys::table)
            .select((AccountRow::as_select(), next_account_keys::key.nullable()))
    };
}

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

    async fn all(&self) -> PortResult<Vec<AccountRecord>> {
        self.run("list the ACME accounts", |db, inner| {
            let rows: Vec<Row> = rows!().order(accounts::directory).load(db)?;
            rows.into_iter().map(|row| into_record(row, &inner.sealer)).collect()
        })
        .await
    }

    async fn propose_key(
        &self,
        directory: &str,
        key: &Secret,
        next: &Secret,
    ) -> PortResult<Option<AccountRecord>> {
        let (directory, key, next) = (directory.to_owned(), key.clone(), next.clone());
        self.run("store the next key of an ACME account", move |db, inner| {
            let row = next_row(&directory, &next, &inner.sealer)?;
            db.write(|db| {
                let account = locked(db, &directory, &inner.sealer)?;
                let proposes =
                    account.is_some_and(|account| account.key == key && account.next_key.is_none());
                Ok(proposes && diesel::insert_into(next_account_keys::table).values(&row).execute(db)? == 1)
            })?;
            find(db, &directory, &inner.sealer)
        })
        .await
    }

    async fn adopt_key(&self, directory: &str, next: &Secret) -> PortResult<()> {
        let (directory, next) = (directory.to_owned(), next.clone());
        self.run("put the next key of an ACME account in its place", move |db, inner| {
            let cell = Cell { table: "accounts", column: "key", row: &directory };
            let sealed = inner.sealer.seal(cell, &next)?;
            db.write(|db| {
                let follows = is_next(db, &directory, &next, &inner.sealer)?;
                if follows {
                    let account = diesel::update(accounts::table.find(&directory));
                    account.set(accounts::key.eq(&sealed)).execute(db)?;
                    diesel::delete(next_account_keys::table.find(&directory)).execute(db)?;
                }
                Ok(follows)
            })?;
            Ok(())
        })
        .await
    }

    async fn drop_key(&self, directory: &str, next: &Secret) -> PortResult<()> {
        let (directory, next) = (directory.to_owned(), next.clone());
        self.run("forget the next key of an ACME account", move |db, inner| {
            db.write(|db| {
                let follows = is_next(db, &directory, &next, &inner.sealer)?;
                if follows {
                    diesel::delete(next_account_keys::table.find(&directory)).execute(db)?;
                }
                Ok(follows)
            })?;
            Ok(())
        })
        .await
    }
}

fn find(db: &mut Db, directory: &str, sealer: &Sealer) -> Result<Option<AccountRecord>, StoreError> {
    let row = rows!().filter(accounts::directory.eq(directory)).first(db).optional()?;
    row.map(|row| into_record(row, sealer)).transpose()
}

/// The account as it stays until the end of the transaction. The update comes first, so that one caller after the other is let
/// through, on both databases.
fn locked(db: &mut Db, directory: &str, sealer: &Sealer) -> Result<Option<AccountRecord>, StoreError> {
    let row = accounts::table.find(directory);
    diesel::update(row).set(accounts::created_at.eq(accounts::created_at)).execute(db)?;
    find(db, directory, sealer)
}

fn is_next(db: &mut Db, directory: &str, next: &Secret, sealer: &Sealer) -> Result<bool, StoreError> {
    let account = locked(db, directory, sealer)?;
    Ok(account.is_some_and(|account| account.next_key.as_ref() == Some(next)))
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

#[derive(Insertable)]
#[diesel(table_name = next_account_keys)]
struct NextRow {
    directory: String,
    key: String,
}

fn next_row(directory: &str, next: &Secret, sealer: &Sealer) -> Result<NextRow, StoreError> {
    let cell = Cell { table: "next_account_keys", column: "key", row: directory };
    Ok(NextRow { directory: directory.to_owned(), key: sealer.seal(cell, next)? })
}

fn into_record((row, next): Row, sealer: &Sealer) -> Result<AccountRecord, StoreError> {
    let cell = Cell { table: "next_account_keys", column: "key", row: &row.directory };
    let next_key = next.map(|sealed| sealer.open(cell, &sealed)).transpose()?;
    Ok(AccountRecord { next_key, ..row.into_record(sealer)? })
}

impl AccountRow {
    /// Without what is to follow, which has a table of its own.
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
            next_key: None,
        })
    }
}
