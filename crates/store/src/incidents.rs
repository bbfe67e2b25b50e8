use async_trait::async_trait;
use contract::{Dispatch, Incident, IncidentId, IncidentStore, PortResult, Timestamp};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::deliveries::{self, DeliveryRow};
use crate::error::{StoreError, unless_taken};
use crate::labels::Label;
use crate::schema::{deliveries as outbox, incidents};
use crate::store::Store;

#[async_trait]
impl IncidentStore for Store {
    async fn find_open(&self, subject: &str) -> PortResult<Option<Incident>> {
        let subject = subject.to_owned();
        self.run("look for an open incident", move |db, _| {
            let row: Option<IncidentRow> = incidents::table
                .filter(incidents::subject.eq(subject))
                .filter(incidents::closed_at.is_null())
                .select(IncidentRow::as_select())
                .first(db)
                .optional()?;
            row.map(IncidentRow::into_incident).transpose()
        })
        .await
    }

    async fn open(&self, incident: &Incident, deliveries: &[Dispatch]) -> PortResult<bool> {
        let (row, told) = (IncidentRow::of(incident), DeliveryRow::all(deliveries));
        self.run("keep an incident", move |db, _| {
            unless_taken(db.write(|db| {
                diesel::insert_into(incidents::table).values(&row?).execute(db)?;
                deliveries::insert(db, &told?)?;
                Ok(true)
            }))
        })
        .await
    }

    async fn change(&self, seen: &Incident, next: &Incident, deliveries: &[Dispatch]) -> PortResult<bool> {
        let (id, version) = (seen.id.as_str().to_owned(), seen.version);
        let (row, told) = (IncidentRow::of(next), DeliveryRow::all(deliveries));
        self.run("keep what has become of an incident", move |db, _| {
            let row = IncidentRow { version: version.saturating_add(1), ..row? };
            let told = told?;
            db.write(|db| {
                let as_seen = incidents::table.find(id).filter(incidents::version.eq(version));
                let changed = diesel::update(as_seen).set(&row).execute(db)? == 1;
                if changed {
                    deliveries::insert(db, &told)?;
                }
                Ok(changed)
            })
        })
        .await
    }

    async fn list(&self, only_open: bool, most: u32) -> PortResult<Vec<Incident>> {
        self.run("list incidents", move |db, _| {
            let latest = incidents::table
                .order((incidents::opened_at.desc(), incidents::id.desc()))
                .limit(most.into())
                .select(IncidentRow::as_select());
            let rows: Vec<IncidentRow> = if only_open {
                latest.filter(incidents::closed_at.is_null()).load(db)?
            } else {
                latest.load(db)?
            };
            rows.into_iter().map(IncidentRow::into_incident).collect()
        })
        .await
    }

    async fn forget_before(&self, moment: Timestamp) -> PortResult<usize> {
        let moment = moment.as_millis();
        self.run("forget what has ended long ago", move |db, _| forget_before(db, moment)).await
    }
}

fn forget_before(db: &mut Db, moment: i64) -> Result<usize, StoreError> {
    let over = incidents::table.filter(incidents::closed_at.lt(moment));
    let ended = outbox::table.filter(outbox::ended_at.lt(moment));
    Ok(diesel::delete(over).execute(db)? + diesel::delete(ended).execute(db)?)
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = incidents, treat_none_as_default_value = false, treat_none_as_null = true)]
struct IncidentRow {
    id: String,
    subject: String,
    message: String,
    side: Option<String>,
    affected: String,
    opened_at: i64,
    last_at: i64,
    raised: i32,
    turns: i32,
    closed_at: Option<i64>,
    version: i32,
}

fn cell<'a>(column: &'static str, row: &'a str) -> Cell<'a> {
    Cell { table: "incidents", column, row }
}

impl IncidentRow {
    fn of(incident: &Incident) -> Result<Self, StoreError> {
        Ok(Self {
            id: incident.id.as_str().to_owned(),
            subject: incident.subject.clone(),
            message: incident.message.clone(),
            side: incident.side.map(|side| side.label().to_owned()),
            affected: cell("affected", incident.id.as_str()).write_json(&incident.affected)?,
            opened_at: incident.opened_at.as_millis(),
            last_at: incident.last_at.as_millis(),
            raised: incident.raised,
            turns: incident.turns,
            closed_at: incident.closed_at.map(Timestamp::as_millis),
            version: incident.version,
        })
    }

    fn into_incident(self) -> Result<Incident, StoreError> {
        let side = self.side.as_deref().map(|side| cell("side", &self.id).label(side)).transpose()?;
        let affected = cell("affected", &self.id).read_json(&self.affected)?;
        Ok(Incident {
            id: IncidentId::new(self.id),
            subject: self.subject,
            message: self.message,
            side,
            affected,
            opened_at: Timestamp::from_millis(self.opened_at),
            last_at: Timestamp::from_millis(self.last_at),
            raised: self.raised,
            turns: self.turns,
            closed_at: self.closed_at.map(Timestamp::from_millis),
            version: self.version,
        })
    }
}
