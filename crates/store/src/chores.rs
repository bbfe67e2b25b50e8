use std::time::Duration;

use async_trait::async_trait;
use contract::{Chore, ChoreStore, PortResult, Timestamp};
use diesel::prelude::*;

use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::chores;
use crate::store::Store;

#[async_trait]
impl ChoreStore for Store {
    async fn ensure(&self, chore: &Chore) -> PortResult<Chore> {
        let (row, given) = (ChoreRow::of(chore), chore.clone());
        self.run("read a chore", move |db, _| {
            if let Some(known) = find(db, &row.name)? {
                return Ok(known.into_chore());
            }
            if unless_taken(insert(db, &row))? {
                return Ok(given);
            }
            Ok(find(db, &row.name)?.map_or(given, ChoreRow::into_chore))
        })
        .await
    }

    async fn take_due(&self, name: &str, now: Timestamp, put_off: Duration) -> PortResult<Option<Chore>> {
        let name = name.to_owned();
        self.run("look whether a chore is due", move |db, _| {
            let due = find(db, &name)?.filter(|row| row.next_at <= now.as_millis());
            let Some(row) = due else { return Ok(None) };
            take(db, row, (now + put_off).as_millis())
        })
        .await
    }

    async fn put_off(&self, name: &str, next_at: Timestamp) -> PortResult<()> {
        let name = name.to_owned();
        self.run("put a chore off", move |db, _| {
            let row = diesel::update(chores::table.find(name));
            row.set(chores::next_at.eq(next_at.as_millis())).execute(db)?;
            Ok(())
        })
        .await
    }

    async fn note(&self, name: &str, found: &str) -> PortResult<()> {
        let (name, found) = (name.to_owned(), found.to_owned());
        self.run("keep what a chore has found", move |db, _| {
            diesel::update(chores::table.find(name)).set(chores::found.eq(found)).execute(db)?;
            Ok(())
        })
        .await
    }
}

fn find(db: &mut Db, name: &str) -> Result<Option<ChoreRow>, StoreError> {
    Ok(chores::table.find(name).select(ChoreRow::as_select()).first(db).optional()?)
}

fn insert(db: &mut Db, row: &ChoreRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(chores::table).values(row).execute(db)? == 1)
}

/// Moves a chore that was seen to be due; `None` when somebody else has moved it meanwhile.
fn take(db: &mut Db, row: ChoreRow, until: i64) -> Result<Option<Chore>, StoreError> {
    let unmoved = chores::table.find(&row.name).filter(chores::next_at.eq(row.next_at));
    let taken = diesel::update(unmoved).set(chores::next_at.eq(until)).execute(db)? == 1;
    Ok(taken.then(|| ChoreRow { next_at: until, ..row }.into_chore()))
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = chores)]
struct ChoreRow {
    name: String,
    next_at: i64,
    found: String,
}

impl ChoreRow {
    fn of(chore: &Chore) -> Self {
        Self { name: chore.name.clone(), next_at: chore.next_at.as_millis(), found: chore.found.clone() }
    }

    fn into_chore(self) -> Chore {
        Chore { name: self.name, next_at: Timestamp::from_millis(self.next_at), found: self.found }
    }
}
