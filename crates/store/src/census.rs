use std::time::Duration;

use async_trait::async_trait;
use contract::{
    Census, CensusStore, CertificateState, Condition, DispatchState, InstanceState, OperationCount,
    OperationState, Pool, PortResult, Side, Timestamp,
};
use diesel::dsl::{count_star, min, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::schema::{certificates, deliveries, incidents, instances, operations};
use crate::store::Store;

#[async_trait]
impl CensusStore for Store {
    async fn census(&self, now: Timestamp, horizons: &[Duration]) -> PortResult<Census> {
        let horizons = horizons.to_vec();
        self.run("count what there is", move |db, inner| {
            let (waiting, given_up) = (waiting(db)?, given_up(db)?);
            let present = db.lease_clock(inner.clock.as_ref())?;
            let (expiring, certificates) = expiring(db, now, &horizons)?;
            Ok(Census {
                operations: running(db)?,
                instances: instances_by_state(db)?,
                expiring,
                certificates,
                next_expiry: next_expiry(db)?,
                incidents: open_incidents(db)?,
                waiting,
                given_up,
                leases: leases(db, present)?,
            })
        })
        .await
    }

    fn pool(&self) -> Pool {
        self.usage()
    }
}

fn cell(table: &'static str, column: &'static str) -> Cell<'static> {
    Cell { table, column, row: "a group of rows" }
}

/// Kind, step, what is waited for, how many, and when the oldest was accepted.
type Standing = (String, String, Option<String>, i64, Option<i64>);

/// Only what runs is read: a few rows beside all that have ended.
fn running(db: &mut Db) -> Result<Vec<OperationCount>, StoreError> {
    let mut counts = Vec::new();
    for (condition, is_so) in CONDITIONS {
        let rows: Vec<Standing> = operations::table
            .filter(operations::state.eq(OperationState::Running.label()))
            .filter(sql::<Bool>(is_so))
            .group_by((operations::kind, operations::step, operations::waits_for))
            .select((
                operations::kind,
                operations::step,
                operations::waits_for,
                count_star(),
                min(operations::started_at),
            ))
            .load(db)?;
        for (kind, step, waits_for, count, oldest) in rows {
            counts.push(OperationCount {
                kind: cell("operations", "kind").label(&kind)?,
                step,
                condition,
                waits_for,
                count: whole(count),
                oldest: Timestamp::from_millis(oldest.unwrap_or_default()),
            });
        }
    }
    Ok(counts)
}

/// How each condition shows in the cursor.
const CONDITIONS: [(Condition, &str); 3] = [
    (Condition::Working, "waits_for IS NULL AND attempt = 0"),
    (Condition::Retrying, "waits_for IS NULL AND attempt > 0"),
    (Condition::Parked, "waits_for IS NOT NULL"),
];

fn instances_by_state(db: &mut Db) -> Result<Vec<(InstanceState, u64)>, StoreError> {
    let rows: Vec<(String, i64)> =
        instances::table.group_by(instances::state).select((instances::state, count_star())).load(db)?;
    let read = |(state, count): (String, i64)| Ok((cell("instances", "state").label(&state)?, whole(count)));
    rows.into_iter().map(read).collect()
}

/// How many expire within each horizon, and how many there are at all. Between two horizons each certificate is read once,
/// along an index, however many horizons there are.
fn expiring(
    db: &mut Db,
    now: Timestamp,
    horizons: &[Duration],
) -> Result<(Vec<(Duration, u64)>, u64), StoreError> {
    let mut ends: Vec<(i64, Duration)> =
        horizons.iter().map(|horizon| ((now + *horizon).as_millis(), *horizon)).collect();
    ends.sort_unstable();
    let (mut from, mut counted, mut within) = (i64::MIN, 0, Vec::new());
    for (until, horizon) in ends {
        counted += live_between(db, from, until)?;
        from = until;
        within.push((horizon, counted));
    }
    let all = counted + live_between(db, from, i64::MAX)?;
    let place = |horizon: &Duration| horizons.iter().position(|one| one == horizon);
    within.sort_by_key(|(horizon, _)| place(horizon));
    Ok((within, all))
}

fn live_between(db: &mut Db, after: i64, until: i64) -> Result<u64, StoreError> {
    let live = certificates::table
        .filter(certificates::state.eq(CertificateState::Live.label()))
        .filter(certificates::not_after.gt(after))
        .filter(certificates::not_after.le(until));
    Ok(whole(live.count().get_result(db)?))
}

fn next_expiry(db: &mut Db) -> Result<Option<Timestamp>, StoreError> {
    let live = certificates::table.filter(certificates::state.eq(CertificateState::Live.label()));
    let first: Option<i64> = live.select(min(certificates::not_after)).get_result(db)?;
    Ok(first.map(Timestamp::from_millis))
}

fn open_incidents(db: &mut Db) -> Result<Vec<(Option<Side>, u64)>, StoreError> {
    let rows: Vec<(Option<String>, i64)> = incidents::table
        .filter(incidents::closed_at.is_null())
        .group_by(incidents::side)
        .select((incidents::side, count_star()))
        .load(db)?;
    let side = |side: Option<String>| side.map(|side| cell("incidents", "side").label(&side)).transpose();
    rows.into_iter().map(|(word, count)| Ok((side(word)?, whole(count)))).collect()
}

fn waiting(db: &mut Db) -> Result<Vec<(String, u64, Timestamp)>, StoreError> {
    let rows: Vec<(String, i64, Option<i64>)> = deliveries::table
        .filter(deliveries::state.eq(DispatchState::Waiting.label()))
        .group_by(deliveries::target)
        .select((deliveries::target, count_star(), min(deliveries::created_at)))
        .load(db)?;
    let read = |(target, count, oldest): (String, i64, Option<i64>)| {
        (target, whole(count), Timestamp::from_millis(oldest.unwrap_or_default()))
    };
    Ok(rows.into_iter().map(read).collect())
}

fn given_up(db: &mut Db) -> Result<Vec<(String, u64)>, StoreError> {
    let rows: Vec<(String, i64)> = deliveries::table
        .filter(deliveries::state.eq(DispatchState::GivenUp.label()))
        .group_by(deliveries::target)
        .select((deliveries::target, count_star()))
        .load(db)?;
    Ok(rows.into_iter().map(|(target, count)| (target, whole(count))).collect())
}

/// Leases are held for operations that run, so that only these instances are looked at.
fn leases(db: &mut Db, present: i64) -> Result<u64, StoreError> {
    let held: Vec<String> = operations::table
        .inner_join(instances::table)
        .filter(operations::state.eq(OperationState::Running.label()))
        .filter(instances::lease_until.gt(present))
        .select(instances::id)
        .distinct()
        .load(db)?;
    Ok(held.len() as u64)
}

fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
