use std::time::Duration;

use async_trait::async_trait;
use contract::{Dispatch, DispatchState, Outbox, PortResult, Timestamp};
use diesel::dsl::{min, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::schema::deliveries;
use crate::store::Store;

/// Whether nothing waits that was to be delivered before.
const IS_NEXT: &str = "NOT EXISTS (SELECT 1 FROM deliveries AS earlier WHERE earlier.about = deliveries.about \
     AND earlier.target = deliveries.target AND earlier.number < deliveries.number AND earlier.state = 'waiting')";

#[async_trait]
impl Outbox for Store {
    async fn add(&self, deliveries: &[Dispatch]) -> PortResult<usize> {
        let rows = DeliveryRow::all(deliveries);
        self.run("store what is to be delivered", move |db, _| {
            let (rows, mut new) = (rows?, 0);
            db.write(|db| {
                new = insert(db, &rows)?;
                Ok(true)
            })?;
            Ok(new)
        })
        .await
    }

    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<Dispatch>> {
        self.run("look which deliveries are due", move |db, _| {
            let due: Vec<(i64, DeliveryRow)> = deliveries::table
                .filter(deliveries::state.eq(DispatchState::Waiting.label()))
                .filter(deliveries::next_at.le(now.as_millis()))
                .filter(sql::<Bool>(IS_NEXT))
                .order((deliveries::next_at, deliveries::seq))
                .limit(most.into())
                .select((deliveries::seq, DeliveryRow::as_select()))
                .load(db)?;
            let mut taken = Vec::with_capacity(due.len());
            for (seq, row) in due {
                taken.extend(take(db, seq, row, (now + put_off).as_millis())?);
            }
            Ok(taken)
        })
        .await
    }

    async fn keep(&self, seen: &Dispatch, next: &Dispatch) -> PortResult<bool> {
        let (seen, next) = (DeliveryRow::of(seen), DeliveryRow::of(next));
        self.run("keep how a delivery stands", move |db, _| {
            let (seen, next) = (seen?, next?);
            let as_seen = deliveries::table
                .filter(deliveries::about.eq(&seen.about))
                .filter(deliveries::target.eq(&seen.target))
                .filter(deliveries::number.eq(seen.number))
                .filter(deliveries::next_at.eq(seen.next_at))
                .filter(deliveries::state.eq(DispatchState::Waiting.label()));
            Ok(diesel::update(as_seen).set(&next).execute(db)? == 1)
        })
        .await
    }

    async fn next_due(&self) -> PortResult<Option<Timestamp>> {
        self.run("look when the next delivery is due", move |db, _| {
            let waiting = deliveries::table.filter(deliveries::state.eq(DispatchState::Waiting.label()));
            let next: Option<i64> = waiting.select(min(deliveries::next_at)).get_result(db)?;
            Ok(next.map(Timestamp::from_millis))
        })
        .await
    }

    async fn about(&self, about: &str) -> PortResult<Vec<Dispatch>> {
        let about = about.to_owned();
        self.run("read what was delivered", move |db, _| {
            let rows: Vec<DeliveryRow> = deliveries::table
                .filter(deliveries::about.eq(about))
                .order(deliveries::seq)
                .select(DeliveryRow::as_select())
                .load(db)?;
            rows.into_iter().map(DeliveryRow::into_delivery).collect()
        })
        .await
    }
}

/// Inserts what is not known yet, within a transaction of the caller's: in PostgreSQL a refused row would end it, so
/// what is known is looked for. Whoever comes at the same moment is refused as a whole, and tries again.
pub(crate) fn insert(db: &mut Db, rows: &[DeliveryRow]) -> Result<usize, StoreError> {
    let mut new = 0;
    for row in rows {
        let known: i64 = deliveries::table
            .filter(deliveries::about.eq(&row.about))
            .filter(deliveries::target.eq(&row.target))
            .filter(deliveries::number.eq(row.number))
            .count()
            .get_result(db)?;
        if known == 0 {
            new += diesel::insert_into(deliveries::table).values(row).execute(db)?;
        }
    }
    Ok(new)
}

/// Moves a delivery that was seen to be due; `None` when somebody else has moved it meanwhile.
fn take(db: &mut Db, seq: i64, row: DeliveryRow, until: i64) -> Result<Option<Dispatch>, StoreError> {
    let unmoved = deliveries::table
        .find(seq)
        .filter(deliveries::next_at.eq(row.next_at))
        .filter(deliveries::state.eq(DispatchState::Waiting.label()));
    let taken = diesel::update(unmoved).set(deliveries::next_at.eq(until)).execute(db)? == 1;
    taken.then(|| DeliveryRow { next_at: until, ..row }.into_delivery()).transpose()
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct DeliveryRow {
    about: String,
    number: i32,
    target: String,
    notice: String,
    created_at: i64,
    next_at: i64,
    attempts: i32,
    state: String,
    ended_at: Option<i64>,
    error: Option<String>,
}

fn cell<'a>(column: &'static str, row: &'a str) -> Cell<'a> {
    Cell { table: "deliveries", column, row }
}

impl DeliveryRow {
    pub(crate) fn all(deliveries: &[Dispatch]) -> Result<Vec<Self>, StoreError> {
        deliveries.iter().map(Self::of).collect()
    }

    fn of(delivery: &Dispatch) -> Result<Self, StoreError> {
        Ok(Self {
            about: delivery.about.clone(),
            number: delivery.number,
            target: delivery.target.clone(),
            notice: cell("notice", &delivery.about).write_json(&delivery.notice)?,
            created_at: delivery.created_at.as_millis(),
            next_at: delivery.next_at.as_millis(),
            attempts: delivery.attempts,
            state: delivery.state.label().to_owned(),
            ended_at: delivery.ended_at.map(Timestamp::as_millis),
            error: delivery.error.clone(),
        })
    }

    fn into_delivery(self) -> Result<Dispatch, StoreError> {
        Ok(Dispatch {
            notice: cell("notice", &self.about).read_json(&self.notice)?,
            state: cell("state", &self.about).label(&self.state)?,
            about: self.about,
            number: self.number,
            target: self.target,
            created_at: Timestamp::from_millis(self.created_at),
            next_at: Timestamp::from_millis(self.next_at),
            attempts: self.attempts,
            ended_at: self.ended_at.map(Timestamp::from_millis),
            error: self.error,
        })
    }
}
