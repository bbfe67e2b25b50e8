//! Everything that is sealed, for when keys are replaced. Who adds a sealed column adds it to [`COLUMNS`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use contract::{KeyStanding, PortResult, Resealed, SealedPlace, SealedStore, SealingKeyUse, StuckValue};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::cell::Cell;
use crate::db::{Db, on_its_own};
use crate::error::StoreError;
use crate::schema::{accounts, issuances, next_account_keys, page_keys};
use crate::sealing::{Sealer, key_name};
use crate::store::Store;

/// A row's key, and the value.
type Sealed = (String, String);

/// The sealed values of one column.
struct Kind {
    table: &'static str,
    /// The column that a row is known by.
    row: &'static str,
    column: &'static str,
    /// The next values behind a row: the row's key, and the value.
    page: fn(&mut Db, &str, i64) -> QueryResult<Vec<Sealed>>,
    /// Writes a value, if the row still has the one that was read.
    replace: fn(&mut Db, &str, &str, &str) -> QueryResult<usize>,
}

/// In the order of their tables' names, which is that of places.
const COLUMNS: [Kind; 4] = [
    Kind {
        table: "accounts",
        row: "directory",
        column: "key",
        page: |db, after, most| {
            accounts::table
                .filter(accounts::directory.gt(after))
                .order(accounts::directory)
                .limit(most)
                .select((accounts::directory, accounts::key))
                .load(db)
        },
        replace: |db, row, old, new| {
            let row = accounts::table.find(row).filter(accounts::key.eq(old));
            diesel::update(row).set(accounts::key.eq(new)).execute(db)
        },
    },
    Kind {
        table: "issuances",
        row: "id",
        column: "private_key",
        page: |db, after, most| {
            issuances::table
                .filter(issuances::id.gt(after))
                .filter(issuances::private_key.is_not_null())
                .order(issuances::id)
                .limit(most)
                .select((issuances::id, issuances::private_key.assume_not_null()))
                .load(db)
        },
        replace: |db, row, old, new| {
            let row = issuances::table.find(row).filter(issuances::private_key.eq(old));
            diesel::update(row).set(issuances::private_key.eq(new)).execute(db)
        },
    },
    Kind {
        table: "next_account_keys",
        row: "directory",
        column: "key",
        page: |db, after, most| {
            next_account_keys::table
                .filter(next_account_keys::directory.gt(after))
                .order(next_account_keys::directory)
                .limit(most)
                .select((next_account_keys::directory, next_account_keys::key))
                .load(db)
        },
        replace: |db, row, old, new| {
            let row = next_account_keys::table.find(row).filter(next_account_keys::key.eq(old));
            diesel::update(row).set(next_account_keys::key.eq(new)).execute(db)
        },
    },
    Kind {
        table: "page_keys",
        row: "name",
        column: "key",
        page: |db, after, most| {
            page_keys::table
                .filter(page_keys::name.gt(after))
                .order(page_keys::name)
                .limit(most)
                .select((page_keys::name, page_keys::key))
                .load(db)
        },
        replace: |db, row, old, new| {
            let row = page_keys::table.find(row).filter(page_keys::key.eq(old));
            diesel::update(row).set(page_keys::key.eq(new)).execute(db)
        },
    },
];

#[async_trait]
impl SealedStore for Store {
    async fn keys(&self) -> PortResult<Vec<SealingKeyUse>> {
        let mut counts = Counts::new();
        for kind in &COLUMNS {
            // Table by table, so that nobody waits for a connection behind all of them.
            let counted = self.run("count what is sealed", move |db, _| count(db, kind));
            for (key, values) in counted.await? {
                counts.entry(key).or_default().insert(kind.table.to_owned(), values);
            }
        }
        Ok(uses(&self.sealer().names(), counts))
    }

    async fn reseal(&self, after: Option<SealedPlace>, most: u32) -> PortResult<Resealed> {
        self.run("seal anew", move |db, inner| {
            let mut outcome = Resealed::default();
            for kind in &COLUMNS {
                let behind = match &after {
                    Some(after) if after.table.as_str() > kind.table => continue,
                    Some(after) if after.table == kind.table => after.row.as_str(),
                    _ => "",
                };
                let left = most.saturating_sub(outcome.looked_at);
                let page = (kind.page)(db, behind, left.into())?;
                if !page.is_empty() {
                    add(&mut outcome, reseal(db, kind, &page, &inner.sealer)?);
                }
            }
            Ok(outcome)
        })
        .await
    }
}

/// By key and by table.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// The values that begin alike, up to the end of their key's name.
#[derive(QueryableByName)]
struct Group {
    /// `None` when they do not begin as a sealed value does.
    #[diesel(sql_type = Nullable<Text>)]
    label: Option<String>,
    /// One of the rows.
    #[diesel(sql_type = Text)]
    example: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How many values each key has in a table. The database counts: only what the values are called by comes over.
fn count(db: &mut Db, kind: &Kind) -> Result<Vec<(String, u64)>, StoreError> {
    let Kind { table, row, column, .. } = kind;
    let label = match db {
        Db::Sqlite(_) => {
            format!(
                "substr({column}, 1, instr({column}, ':') + instr(substr({column}, instr({column}, ':') + 1), ':'))"
            )
        }
        Db::Postgres(_) => format!("substring({column} from '^[^:]*:[^:]*:')"),
    };
    let groups = sql_query(format!(
        "SELECT {label} AS label, min({row}) AS example, count(*) AS number FROM {table} \
         WHERE {column} IS NOT NULL GROUP BY 1"
    ));
    let groups: Vec<Group> = on_its_own!(db, |connection| groups.load(connection))?;
    let read = |Group { label, example, number }| {
        let cell = Cell { table, column, row: &example };
        let key = label.as_deref().and_then(key_name);
        let key = key.ok_or_else(|| cell.inconsistent("it is not a sealed value"))?;
        Ok((key.to_owned(), u64::try_from(number).unwrap_or(0)))
    };
    groups.into_iter().map(read).collect()
}

fn uses(configured: &[String], mut counts: Counts) -> Vec<SealingKeyUse> {
    let mut uses = Vec::new();
    for (number, name) in configured.iter().enumerate() {
        let standing = if number == 0 { KeyStanding::First } else { KeyStanding::Configured };
        let values = counts.remove(name).unwrap_or_default();
        uses.push(SealingKeyUse { name: name.clone(), standing, values });
    }
    let missing = counts.into_iter();
    uses.extend(missing.map(|(name, values)| SealingKeyUse { name, standing: KeyStanding::Missing, values }));
    uses
}

/// Adds what came of the next table.
fn add(outcome: &mut Resealed, next: Resealed) {
    outcome.looked_at += next.looked_at;
    outcome.sealed_anew += next.sealed_anew;
    outcome.raced += next.raced;
    outcome.stuck.extend(next.stuck);
    outcome.last = next.last.or(outcome.last.take());
}

/// Seals the values of a page anew: all of the work first, then all of the writing in one short transaction.
fn reseal(db: &mut Db, kind: &Kind, page: &[Sealed], sealer: &Sealer) -> Result<Resealed, StoreError> {
    let place = |row: &str| SealedPlace { table: kind.table.to_owned(), row: row.to_owned() };
    let mut outcome = Resealed { last: page.last().map(|(row, _)| place(row)), ..Resealed::default() };
    let mut fresh = Vec::new();
    for (row, old) in page {
        outcome.looked_at += 1;
        let cell = Cell { table: kind.table, column: kind.column, row };
        match sealer.reseal(cell, old) {
            Ok(None) => {}
            Ok(Some(new)) => fresh.push((row, old, new)),
            Err(error) => outcome.stuck.push(StuckValue { place: place(row), why: error.to_string() }),
        }
    }
    if !fresh.is_empty() {
        db.write(|db| {
            for (row, old, new) in &fresh {
                match (kind.replace)(db, row, old, new)? {
                    0 => outcome.raced += 1,
                    _ => outcome.sealed_anew += 1,
                }
            }
            Ok(true)
        })?;
    }
    Ok(outcome)
}
