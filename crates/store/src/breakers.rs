use async_trait::async_trait;
use contract::{Breaker, BreakerStore, PortResult, Timestamp};
use diesel::prelude::*;

use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::breakers;
use crate::store::Store;

#[async_trait]
impl BreakerStore for Store {
    async fn all(&self) -> PortResult<Vec<Breaker>> {
        self.run("read what stands in the way", move |db, _| {
            let rows: Vec<BreakerRow> =
                breakers::table.order(breakers::scope).select(BreakerRow::as_select()).load(db)?;
            Ok(rows.into_iter().map(BreakerRow::into_breaker).collect())
        })
        .await
    }

    async fn open(&self, breaker: &Breaker) -> PortResult<bool> {
        let row = BreakerRow::of(breaker);
        self.run("keep what stands in the way", move |db, _| unless_taken(insert(db, &row))).await
    }

    async fn change(&self, seen: &Breaker, next: &Breaker) -> PortResult<bool> {
        let (seen, next) = (BreakerRow::of(seen), BreakerRow::of(next));
        self.run("keep how something stands in the way", move |db, _| replace(db, &seen, next)).await
    }

    async fn close(&self, seen: &Breaker) -> PortResult<bool> {
        let seen = BreakerRow::of(seen);
        self.run("forget what is out of the way", move |db, _| {
            let as_seen = breakers::table
                .filter(breakers::scope.eq(&seen.scope))
                .filter(breakers::since.eq(seen.since))
                .filter(breakers::version.eq(seen.version));
            Ok(diesel::delete(as_seen).execute(db)? == 1)
        })
        .await
    }
}

fn insert(db: &mut Db, row: &BreakerRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(breakers::table).values(row).execute(db)? == 1)
}

fn replace(db: &mut Db, seen: &BreakerRow, next: BreakerRow) -> Result<bool, StoreError> {
    let as_seen = breakers::table
        .filter(breakers::scope.eq(&seen.scope))
        .filter(breakers::since.eq(seen.since))
        .filter(breakers::version.eq(seen.version));
    let next = BreakerRow { version: seen.version.saturating_add(1), ..next };
    Ok(diesel::update(as_seen).set(next).execute(db)? == 1)
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = breakers, treat_none_as_default_value = false, treat_none_as_null = true)]
struct BreakerRow {
    scope: String,
    since: i64,
    cause: String,
    probe_at: i64,
    probes: i32,
    waited: i32,
    gone_since: Option<i64>,
    told: bool,
    tell_at: Option<i64>,
    version: i32,
}

impl BreakerRow {
    fn of(breaker: &Breaker) -> Self {
        Self {
            scope: breaker.scope.clone(),
            since: breaker.since.as_millis(),
            cause: breaker.cause.clone(),
            probe_at: breaker.probe_at.as_millis(),
            probes: breaker.probes,
            waited: breaker.waited,
            gone_since: breaker.gone_since.map(Timestamp::as_millis),
            told: breaker.told,
            tell_at: breaker.tell_at.map(Timestamp::as_millis),
            version: breaker.version,
        }
    }

    fn into_breaker(self) -> Breaker {
        Breaker {
            scope: self.scope,
            since: Timestamp::from_millis(self.since),
            cause: self.cause,
            probe_at: Timestamp::from_millis(self.probe_at),
            probes: self.probes,
            waited: self.waited,
            gone_since: self.gone_since.map(Timestamp::from_millis),
            told: self.told,
            tell_at: self.tell_at.map(Timestamp::from_millis),
            version: self.version,
        }
    }
}
