use std::time::Duration;

use async_trait::async_trait;
use contract::{InstanceId, PortResult, Sweep, SweepStore, Timestamp, VaultName};
use diesel::prelude::*;

use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::sweeps;
use crate::store::Store;

#[async_trait]
impl SweepStore for Store {
    async fn add(&self, sweep: &Sweep) -> PortResult<()> {
        let row = SweepRow::of(sweep);
        self.run("store a removal for the background", move |db, _| {
            unless_taken(insert(db, &row))?;
            Ok(())
        })
        .await
    }

    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<Sweep>> {
        self.run("look which removals are due", move |db, _| {
            let due: Vec<SweepRow> = sweeps::table
                .filter(sweeps::next_at.le(now.as_millis()))
                .order((sweeps::next_at, sweeps::vault_name))
                .limit(most.into())
                .select(SweepRow::as_select())
                .load(db)?;
            let mut taken = Vec::with_capacity(due.len());
            for row in due {
                taken.extend(take(db, row, (now + put_off).as_millis())?);
            }
            Ok(taken)
        })
        .await
    }

    async fn keep(&self, sweep: &Sweep) -> PortResult<()> {
        let row = SweepRow::of(sweep);
        self.run("keep how a removal stands", move |db, _| {
            diesel::update(sweeps::table.find(&row.vault_name))
                .set((sweeps::next_at.eq(row.next_at), sweeps::told.eq(row.told)))
                .execute(db)?;
            Ok(())
        })
        .await
    }

    async fn done(&self, name: &VaultName) -> PortResult<()> {
        let name = name.as_str().to_owned();
        self.run("forget a removal that is done", move |db, _| {
            diesel::delete(sweeps::table.find(name)).execute(db)?;
            Ok(())
        })
        .await
    }

    async fn knows(&self, name: &VaultName) -> PortResult<bool> {
        let name = name.as_str().to_owned();
        self.run("look whether a removal is stored", move |db, _| {
            let known: i64 = sweeps::table.filter(sweeps::vault_name.eq(name)).count().get_result(db)?;
            Ok(known > 0)
        })
        .await
    }

    async fn next_try(&self) -> PortResult<Option<Timestamp>> {
        self.run("look when the next removal is due", move |db, _| {
            let next: Option<i64> =
                sweeps::table.order(sweeps::next_at).select(sweeps::next_at).first(db).optional()?;
            Ok(next.map(Timestamp::from_millis))
        })
        .await
    }
}

fn insert(db: &mut Db, row: &SweepRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(sweeps::table).values(row).execute(db)? == 1)
}

/// Moves a removal that was seen to be due; `None` when somebody else has moved it meanwhile.
fn take(db: &mut Db, row: SweepRow, until: i64) -> Result<Option<Sweep>, StoreError> {
    let unmoved = sweeps::table.find(&row.vault_name).filter(sweeps::next_at.eq(row.next_at));
    let taken = diesel::update(unmoved).set(sweeps::next_at.eq(until)).execute(db)? == 1;
    Ok(taken.then(|| SweepRow { next_at: until, ..row }.into_sweep()))
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sweeps)]
struct SweepRow {
    vault_name: String,
    instance: String,
    since: i64,
    next_at: i64,
    told: bool,
}

impl SweepRow {
    fn of(sweep: &Sweep) -> Self {
        Self {
            vault_name: sweep.vault_name.as_str().to_owned(),
            instance: sweep.instance.as_str().to_owned(),
            since: sweep.since.as_millis(),
            next_at: sweep.next_at.as_millis(),
            told: sweep.told,
        }
    }

    fn into_sweep(self) -> Sweep {
        Sweep {
            vault_name: VaultName::new(self.vault_name),
            instance: InstanceId::new(self.instance),
            since: Timestamp::from_millis(self.since),
            next_at: Timestamp::from_millis(self.next_at),
            told: self.told,
        }
    }
}
