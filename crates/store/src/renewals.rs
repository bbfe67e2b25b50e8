use std::time::Duration;

use async_trait::async_trait;
use contract::{ChosenMoment, InstanceId, PortResult, RenewalPlan, RenewalStore, Timestamp};
use diesel::dsl::min;
use diesel::prelude::*;

use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::renewals;
use crate::store::Store;

#[async_trait]
impl RenewalStore for Store {
    async fn ensure(&self, plan: &RenewalPlan) -> PortResult<()> {
        let row = RenewalRow::of(plan);
        self.run("plan a renewal", move |db, _| {
            if !replace_predecessor(db, &row)? {
                unless_taken(insert(db, &row))?;
            }
            Ok(())
        })
        .await
    }

    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<RenewalPlan>> {
        self.run("look which renewals are due", move |db, _| {
            if earliest(db)?.is_none_or(|earliest| earliest > now.as_millis()) {
                return Ok(Vec::new());
            }
            let due: Vec<RenewalRow> = renewals::table
                .filter(renewals::check_at.le(now.as_millis()))
                .order((renewals::check_at, renewals::instance))
                .limit(most.into())
                .select(RenewalRow::as_select())
                .load(db)?;
            let mut taken = Vec::with_capacity(due.len());
            for row in due {
                taken.extend(take(db, row, (now + put_off).as_millis())?);
            }
            Ok(taken)
        })
        .await
    }

    async fn keep(&self, plan: &RenewalPlan) -> PortResult<bool> {
        let row = RenewalRow::of(plan);
        self.run("keep the plan of a renewal", move |db, _| {
            let same = renewals::table
                .find(&row.instance)
                .filter(renewals::incarnation.eq(row.incarnation))
                .filter(renewals::generation.eq(row.generation));
            Ok(diesel::update(same).set(&row).execute(db)? == 1)
        })
        .await
    }

    async fn next_check(&self) -> PortResult<Option<Timestamp>> {
        self.run("look when the next renewal is due", move |db, _| {
            Ok(earliest(db)?.map(Timestamp::from_millis))
        })
        .await
    }

    async fn of_instance(&self, instance: &InstanceId) -> PortResult<Option<RenewalPlan>> {
        let id = instance.as_str().to_owned();
        self.run("read the plan of a renewal", move |db, _| {
            let row = renewals::table.find(id).select(RenewalRow::as_select()).first(db).optional()?;
            Ok(row.map(RenewalRow::into_plan))
        })
        .await
    }

    async fn forget(&self, plan: &RenewalPlan) -> PortResult<()> {
        let row = RenewalRow::of(plan);
        self.run("forget the plan of a renewal", move |db, _| {
            let same = renewals::table
                .find(row.instance)
                .filter(renewals::incarnation.eq(row.incarnation))
                .filter(renewals::generation.eq(row.generation));
            diesel::delete(same).execute(db)?;
            Ok(())
        })
        .await
    }
}

/// When the first plan is to be looked at. As a minimum, which PostgreSQL plans once per connection.
fn earliest(db: &mut Db) -> Result<Option<i64>, StoreError> {
    Ok(renewals::table.select(min(renewals::check_at)).get_result(db)?)
}

/// Moves a plan that was seen to be due; `None` when somebody else has moved it meanwhile.
fn take(db: &mut Db, row: RenewalRow, until: i64) -> Result<Option<RenewalPlan>, StoreError> {
    let unmoved = renewals::table.find(&row.instance).filter(renewals::check_at.eq(row.check_at));
    let taken = diesel::update(unmoved).set(renewals::check_at.eq(until)).execute(db)? == 1;
    Ok(taken.then(|| RenewalRow { check_at: until, ..row }.into_plan()))
}

/// Puts the plan in the place of the one for another certificate, if there is one.
fn replace_predecessor(db: &mut Db, row: &RenewalRow) -> Result<bool, StoreError> {
    let other = renewals::incarnation.ne(row.incarnation).or(renewals::generation.ne(row.generation));
    let predecessor = renewals::table.find(&row.instance).filter(other);
    Ok(diesel::update(predecessor).set(row).execute(db)? == 1)
}

fn insert(db: &mut Db, row: &RenewalRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(renewals::table).values(row).execute(db)? == 1)
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = renewals, treat_none_as_null = true, treat_none_as_default_value = false)]
#[diesel(primary_key(instance))]
pub(crate) struct RenewalRow {
    instance: String,
    incarnation: i32,
    generation: i32,
    window_from: Option<i64>,
    window_until: Option<i64>,
    renew_at: Option<i64>,
    check_at: i64,
    begun: i32,
    warned: i32,
}

impl RenewalRow {
    pub(crate) fn of(plan: &RenewalPlan) -> Self {
        let chosen = plan.chosen;
        Self {
            instance: plan.instance.as_str().to_owned(),
            incarnation: plan.incarnation,
            generation: plan.generation,
            window_from: chosen.map(|chosen| chosen.from.as_millis()),
            window_until: chosen.map(|chosen| chosen.until.as_millis()),
            renew_at: chosen.map(|chosen| chosen.at.as_millis()),
            check_at: plan.check_at.as_millis(),
            begun: plan.begun,
            warned: plan.warned,
        }
    }

    fn into_plan(self) -> RenewalPlan {
        let chosen = match (self.window_from, self.window_until, self.renew_at) {
            (Some(from), Some(until), Some(at)) => Some(ChosenMoment {
                from: Timestamp::from_millis(from),
                until: Timestamp::from_millis(until),
                at: Timestamp::from_millis(at),
            }),
            // The table's CHECK allows all or nothing.
            _ => None,
        };
        RenewalPlan {
            instance: InstanceId::new(self.instance),
            incarnation: self.incarnation,
            generation: self.generation,
            chosen,
            check_at: Timestamp::from_millis(self.check_at),
            begun: self.begun,
            warned: self.warned,
        }
    }
}
