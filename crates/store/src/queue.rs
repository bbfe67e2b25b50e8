use std::time::Duration;

use async_trait::async_trait;
use contract::{
    Claim, Cursor, LeaseToken, LogEntry, Operation, OperationState, PortResult, Timestamp, WorkQueue,
};
use diesel::dsl::{min, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use crate::changes;
use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::operations::{self, LogRow};
use crate::schema::{instances, operation_log, operations as table};
use crate::store::{Inner, Store};

/// How many due operations a worker looks at before it asks again. More workers than this may race for the same
/// ones; each of them then finds the next.
const CANDIDATES: i64 = 8;

#[async_trait]
impl WorkQueue for Store {
    async fn claim(&self, token: &LeaseToken, lease: Duration) -> PortResult<Option<Claim>> {
        let token = token.clone();
        self.run("claim an operation", move |db, inner| claim(db, inner, &token, lease)).await
    }

    /// The token is the fence: a lease that has run out but that nobody has taken still counts.
    async fn save(&self, claim: &Claim, cursor: &Cursor, lease: Duration) -> PortResult<bool> {
        let (claim, cursor) = (claim.clone(), cursor.clone());
        self.run("save how far an operation is", move |db, inner| {
            let until = db.lease_clock(inner.clock.as_ref())?.saturating_add(milliseconds(lease));
            db.write(|db| {
                let saved = extend(db, &claim, &cursor, until)? && advance(db, &claim, &cursor)?;
                if saved && cursor.adopt {
                    changes::adopt(db, claim.operation.id.as_str(), claim.operation.instance.as_str())?;
                }
                Ok(saved)
            })
        })
        .await
    }

    async fn release(&self, claim: &Claim) -> PortResult<()> {
        let claim = claim.clone();
        self.run("give back a lease", move |db, _| {
            release(db, claim.operation.instance.as_str(), &claim.token)
        })
        .await
    }

    async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        self.run("read when the next operation is due", move |db, _| {
            Ok(earliest(db)?.map(Timestamp::from_millis))
        })
        .await
    }

    async fn wake(&self, scope: &str, at: Timestamp, spread: Duration) -> PortResult<usize> {
        let (scope, at) = (scope.to_owned(), at.as_millis());
        let slot = milliseconds(spread) / SLOTS;
        self.run("let operations go on", move |db, _| wake(db, &scope, at, slot)).await
    }

    async fn log(&self, entry: &LogEntry) -> PortResult<()> {
        let row = LogRow::of(entry);
        self.run("write the history of an operation", move |db, _| {
            diesel::insert_into(operation_log::table).values(row).execute(db)?;
            Ok(())
        })
        .await
    }
}

/// Over how many moments a crowd is spread that goes on together.
const SLOTS: i64 = 64;

/// One statement per moment, for those whose turn it is by their sequence number: no row is read first, so that none is
/// written back as it was.
fn wake(db: &mut Db, scope: &str, at: i64, slot: i64) -> Result<usize, StoreError> {
    let waiting = || {
        table::table
            .filter(table::waits_for.eq(scope))
            .filter(table::state.eq(OperationState::Running.label()))
    };
    let count: i64 = waiting().count().get_result(db)?;
    for number in 0..SLOTS {
        let due = at.saturating_add(slot.saturating_mul(number));
        let turn = sql::<Bool>("seq % ").bind::<BigInt, _>(SLOTS).sql(" = ").bind::<BigInt, _>(number);
        diesel::update(waiting().filter(table::next_at.gt(due)).filter(turn))
            .set((table::step_since.eq(table::step_since - table::next_at + due), table::next_at.eq(due)))
            .execute(db)?;
    }
    Ok(usize::try_from(count).unwrap_or_default())
}

/// When the first running operation falls due.
///
/// As a minimum, which PostgreSQL plans once per connection. `LIMIT` with a parameter it would plan anew each time, and
/// that takes the longer the more its statistics hold.
fn earliest(db: &mut Db) -> Result<Option<i64>, StoreError> {
    let running = table::table.filter(table::state.eq(OperationState::Running.label()));
    Ok(running.select(min(table::next_at)).get_result(db)?)
}

/// Takes leases of due operations one after the other until one is ours. A lease is lost only to a worker that got
/// one, so somebody always goes on, and whoever loses all candidates asks for the next ones.
///
/// Most of the time nothing is due, and that is found out first, as cheaply as can be.
fn claim(
    db: &mut Db,
    inner: &Inner,
    token: &LeaseToken,
    lease: Duration,
) -> Result<Option<Claim>, StoreError> {
    loop {
        let due = inner.clock.now().as_millis();
        if earliest(db)?.is_none_or(|earliest| earliest > due) {
            return Ok(None);
        }
        let now = db.lease_clock(inner.clock.as_ref())?;
        let candidates = candidates(db, due, now)?;
        if candidates.is_empty() {
            return Ok(None);
        }
        for (id, instance) in candidates {
            if take_lease(db, &instance, token, now, now.saturating_add(milliseconds(lease)))?
                && let Some(operation) = still_due(db, &id, &instance, token, due)?
            {
                return Ok(Some(Claim { operation, token: token.clone() }));
            }
        }
    }
}

fn candidates(db: &mut Db, due: i64, now: i64) -> Result<Vec<(String, String)>, StoreError> {
    let free = instances::lease_until.is_null().or(instances::lease_until.le(now));
    let candidates = table::table
        .inner_join(instances::table)
        .filter(table::state.eq(OperationState::Running.label()))
        .filter(table::next_at.le(due))
        .filter(free)
        .order((table::next_at, table::seq))
        .limit(CANDIDATES)
        .select((table::id, table::instance))
        .load(db)?;
    Ok(candidates)
}

fn take_lease(
    db: &mut Db,
    instance: &str,
    token: &LeaseToken,
    now: i64,
    until: i64,
) -> Result<bool, StoreError> {
    let free = instances::lease_until.is_null().or(instances::lease_until.le(now));
    let won = diesel::update(instances::table.find(instance).filter(free))
        .set((instances::lease_token.eq(token.as_str()), instances::lease_until.eq(until)))
        .execute(db)?;
    Ok(won == 1)
}

/// Reads the operation again under the lease: between the look and the lease somebody else may have had it and
/// moved it on. If so, the lease is given back.
///
/// A row that cannot be understood keeps its lease until it runs out, so that it does not stand in the way of all
/// the others.
fn still_due(
    db: &mut Db,
    id: &str,
    instance: &str,
    token: &LeaseToken,
    due: i64,
) -> Result<Option<Operation>, StoreError> {
    let operation = operations::find(db, id)?
        .filter(|it| it.state == OperationState::Running && it.next_at.as_millis() <= due);
    if operation.is_none() {
        release(db, instance, token)?;
    }
    Ok(operation)
}

fn release(db: &mut Db, instance: &str, token: &LeaseToken) -> Result<(), StoreError> {
    diesel::update(instances::table.find(instance).filter(instances::lease_token.eq(token.as_str())))
        .set((instances::lease_token.eq(None::<&str>), instances::lease_until.eq(None::<i64>)))
        .execute(db)?;
    Ok(())
}

/// Extends the lease, if it is still ours, and moves the instance on where the cursor says so.
fn extend(db: &mut Db, claim: &Claim, cursor: &Cursor, until: i64) -> Result<bool, StoreError> {
    let held = instances::table
        .find(claim.operation.instance.as_str())
        .filter(instances::lease_token.eq(claim.token.as_str()));
    let moved_on = cursor.instance_state.map(|state| instances::state.eq(state.label()));
    Ok(diesel::update(held).set((instances::lease_until.eq(until), moved_on)).execute(db)? == 1)
}

/// Moves the cursor, if the operation is still running.
fn advance(db: &mut Db, claim: &Claim, cursor: &Cursor) -> Result<bool, StoreError> {
    let running = table::table
        .filter(table::id.eq(claim.operation.id.as_str()))
        .filter(table::state.eq(OperationState::Running.label()));
    let changes = (
        table::state.eq(cursor.state.label()),
        table::step.eq(&cursor.step),
        table::attempt.eq(cursor.attempt),
        table::next_at.eq(cursor.next_at.as_millis()),
        table::step_since.eq(cursor.step_since.as_millis()),
        table::sentence.eq(&cursor.sentence),
        table::error.eq(&cursor.error),
        table::waits_for.eq(&cursor.waits_for),
    );
    Ok(diesel::update(running).set(changes).execute(db)? == 1)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
