use async_trait::async_trait;
use contract::{
    Instance, InstanceId, InstanceState, LogEntry, Operation, OperationId, OperationKind, OperationState,
    OperationStore, OriginalRequest, PortResult, Standing, Timestamp, Track,
};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::changes::ChangeRow;
use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::schema::{instances, operation_log, operations};
use crate::standing;
use crate::store::Store;

#[async_trait]
impl OperationStore for Store {
    async fn find(&self, id: &OperationId) -> PortResult<Option<Operation>> {
        let id = id.as_str().to_owned();
        self.run("read an operation", move |db, _| find(db, &id)).await
    }

    async fn standing(&self, instance: &InstanceId) -> PortResult<Option<Standing>> {
        let id = instance.as_str().to_owned();
        self.run("read how an instance stands", move |db, _| standing::read(db, &id)).await
    }

    async fn begin_deprovision(&self, operation: &Operation) -> PortResult<bool> {
        let operation = OperationRow::of(operation);
        self.run("begin a deprovision", move |db, _| {
            let operation = operation?;
            db.write(|db| {
                let begins = mark_deprovisioning(db, &operation.instance)?
                    && !is_being_deprovisioned(db, &operation.instance)?;
                if begins {
                    cancel_running(db, &operation.instance, &[Track::User, Track::Renewal])?;
                    operation.insert(db)?;
                }
                Ok(begins)
            })
        })
        .await
    }

    async fn begin_update(
        &self,
        operation: &Operation,
        seen: &Instance,
        supersede: bool,
    ) -> PortResult<bool> {
        let operation = OperationRow::of(operation);
        let request = seen.request.clone();
        self.run("begin an update", move |db, _| {
            let operation = operation?;
            db.write(|db| {
                let begins = is_ready_as_seen(db, &operation.instance, &request)?
                    && !is_occupied(db, &operation.instance)?;
                if begins && supersede {
                    cancel_running(db, &operation.instance, &[Track::Renewal])?;
                }
                if begins {
                    operation.insert(db)?;
                }
                Ok(begins)
            })
        })
        .await
    }

    async fn begin_renewal(&self, operation: &Operation) -> PortResult<bool> {
        let operation = OperationRow::of(operation);
        self.run("begin a renewal", move |db, _| {
            let operation = operation?;
            db.write(|db| {
                let begins =
                    is_ready(db, &operation.instance)? && !awaits_certificate(db, &operation.instance)?;
                if begins {
                    operation.insert(db)?;
                }
                Ok(begins)
            })
        })
        .await
    }

    async fn newest(&self, instance: &InstanceId, track: Track) -> PortResult<Option<Operation>> {
        let id = instance.as_str().to_owned();
        self.run("read the newest operation on a track", move |db, _| newest(db, &id, track)).await
    }

    async fn hasten(&self, instance: &InstanceId, track: Track, at: Timestamp) -> PortResult<()> {
        let (instance, at) = (instance.as_str().to_owned(), at.as_millis());
        self.run("bring an operation forward", move |db, _| {
            let waiting = operations::table
                .filter(operations::instance.eq(instance))
                .filter(operations::track.eq(track.label()))
                .filter(operations::state.eq(OperationState::Running.label()))
                .filter(operations::attempt.eq(0))
                .filter(operations::next_at.gt(at));
            diesel::update(waiting).set(operations::next_at.eq(at)).execute(db)?;
            Ok(())
        })
        .await
    }

    async fn history(&self, id: &OperationId) -> PortResult<Vec<LogEntry>> {
        let id = id.as_str().to_owned();
        self.run("read the history of an operation", move |db, _| {
            let rows: Vec<LogRow> = operation_log::table
                .filter(operation_log::operation.eq(id))
                .order(operation_log::seq)
                .select(LogRow::as_select())
                .load(db)?;
            Ok(rows.into_iter().map(LogRow::into_entry).collect())
        })
        .await
    }
}

/// The newest operation on a track of an instance.
pub(crate) fn newest(db: &mut Db, instance: &str, track: Track) -> Result<Option<Operation>, StoreError> {
    let row = operations::table
        .filter(operations::instance.eq(instance))
        .filter(operations::track.eq(track.label()))
        .order(operations::seq.desc())
        .select(OperationRow::as_select())
        .first(db)
        .optional()?;
    row.map(OperationRow::into_operation).transpose()
}

/// The operation with this id.
pub(crate) fn find(db: &mut Db, id: &str) -> Result<Option<Operation>, StoreError> {
    let row = operations::table
        .filter(operations::id.eq(id))
        .select(OperationRow::as_select())
        .first(db)
        .optional()?;
    row.map(OperationRow::into_operation).transpose()
}

/// Marks an instance unless nothing is left of it. This comes first because it lets one caller after the other
/// through, on both databases; what is read behind it holds until the end of the transaction. Everybody who writes
/// an instance and its operations begins with the instance, so nobody waits in a circle.
fn mark_deprovisioning(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let alive = instances::table.find(instance).filter(instances::state.ne(InstanceState::Gone.label()));
    let marked =
        diesel::update(alive).set(instances::state.eq(InstanceState::Deprovisioning.label())).execute(db)?;
    Ok(marked == 1)
}

fn is_being_deprovisioned(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let deprovisions: i64 = operations::table
        .filter(operations::instance.eq(instance))
        .filter(operations::state.eq(OperationState::Running.label()))
        .filter(operations::kind.eq(OperationKind::Deprovision.label()))
        .count()
        .get_result(db)?;
    Ok(deprovisions > 0)
}

/// Whether an instance serves. Written as an update for the same reason as [`mark_deprovisioning`].
fn is_ready(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let ready = instances::table.find(instance).filter(instances::state.eq(InstanceState::Ready.label()));
    Ok(diesel::update(ready).set(instances::state.eq(InstanceState::Ready.label())).execute(db)? == 1)
}

/// Whether a renewal runs, or an operation that brings a certificate of its own or a lost one back.
fn awaits_certificate(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let brings_one =
        operations::needs_certificate.eq(true).or(operations::kind.eq(OperationKind::Recreate.label()));
    let running: i64 = operations::table
        .filter(operations::instance.eq(instance))
        .filter(operations::state.eq(OperationState::Running.label()))
        .filter(operations::track.eq(Track::Renewal.label()).or(brings_one.assume_not_null()))
        .count()
        .get_result(db)?;
    Ok(running > 0)
}

/// Whether an instance is ready and has still the parameters and the plan it had when it was looked at. Like
/// [`mark_deprovisioning`] this is a write that comes first, so that one caller after the other is let through.
fn is_ready_as_seen(db: &mut Db, instance: &str, seen: &OriginalRequest) -> Result<bool, StoreError> {
    let ready = InstanceState::Ready.label();
    let as_seen = instances::table
        .find(instance)
        .filter(instances::state.eq(ready))
        .filter(instances::parameters.eq(&seen.parameters))
        .filter(instances::plan_id.eq(&seen.plan_id));
    Ok(diesel::update(as_seen).set(instances::state.eq(ready)).execute(db)? == 1)
}

/// Whether an operation of the user's runs.
pub(crate) fn is_occupied(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let running: i64 = operations::table
        .filter(operations::instance.eq(instance))
        .filter(operations::state.eq(OperationState::Running.label()))
        .filter(operations::track.eq(Track::User.label()))
        .count()
        .get_result(db)?;
    Ok(running > 0)
}

pub(crate) fn cancel_running(db: &mut Db, instance: &str, tracks: &[Track]) -> Result<(), StoreError> {
    let tracks: Vec<&str> = tracks.iter().map(|track| track.label()).collect();
    let running = operations::table
        .filter(operations::instance.eq(instance))
        .filter(operations::track.eq_any(tracks))
        .filter(operations::state.eq(OperationState::Running.label()));
    diesel::update(running).set(operations::state.eq(OperationState::Cancelled.label())).execute(db)?;
    Ok(())
}

/// An operation without its sequence number, which the database gives.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = operations, treat_none_as_default_value = false)]
pub(crate) struct OperationRow {
    id: String,
    instance: String,
    track: String,
    kind: String,
    state: String,
    step: String,
    attempt: i32,
    next_at: i64,
    step_since: i64,
    started_at: i64,
    sentence: Option<String>,
    error: Option<String>,
    waits_for: Option<String>,
    request_identity: Option<String>,
    #[diesel(embed)]
    change: ChangeRow,
}

impl OperationRow {
    pub(crate) fn of(operation: &Operation) -> Result<Self, StoreError> {
        Ok(Self {
            change: ChangeRow::of(operation.id.as_str(), operation.change.as_ref())?,
            id: operation.id.as_str().to_owned(),
            instance: operation.instance.as_str().to_owned(),
            track: operation.track.label().to_owned(),
            kind: operation.kind.label().to_owned(),
            state: operation.state.label().to_owned(),
            step: operation.step.clone(),
            attempt: operation.attempt,
            next_at: operation.next_at.as_millis(),
            step_since: operation.step_since.as_millis(),
            started_at: operation.started_at.as_millis(),
            sentence: operation.sentence.clone(),
            error: operation.error.clone(),
            waits_for: operation.waits_for.clone(),
            request_identity: operation.request_identity.clone(),
        })
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn insert(&self, db: &mut Db) -> Result<(), StoreError> {
        diesel::insert_into(operations::table).values(self).execute(db)?;
        Ok(())
    }

    pub(crate) fn into_operation(self) -> Result<Operation, StoreError> {
        let cell = |column| Cell { table: "operations", column, row: &self.id };
        Ok(Operation {
            track: cell("track").label(&self.track)?,
            kind: cell("kind").label(&self.kind)?,
            state: cell("state").label(&self.state)?,
            instance: InstanceId::new(self.instance),
            step: self.step,
            attempt: self.attempt,
            next_at: Timestamp::from_millis(self.next_at),
            step_since: Timestamp::from_millis(self.step_since),
            started_at: Timestamp::from_millis(self.started_at),
            sentence: self.sentence,
            error: self.error,
            waits_for: self.waits_for,
            request_identity: self.request_identity,
            change: self.change.into_change(&self.id)?,
            id: OperationId::new(self.id),
        })
    }
}

/// A line of the history without its sequence number, which the database gives.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = operation_log, treat_none_as_default_value = false)]
pub(crate) struct LogRow {
    operation: String,
    step: String,
    outcome: String,
    sentence: String,
    request_id: Option<String>,
    at: i64,
}

impl LogRow {
    pub(crate) fn of(entry: &LogEntry) -> Self {
        Self {
            operation: entry.operation.as_str().to_owned(),
            step: entry.step.clone(),
            outcome: entry.outcome.clone(),
            sentence: entry.sentence.clone(),
            request_id: entry.request_id.clone(),
            at: entry.at.as_millis(),
        }
    }

    fn into_entry(self) -> LogEntry {
        LogEntry {
            operation: OperationId::new(self.operation),
            step: self.step,
            outcome: self.outcome,
            sentence: self.sentence,
            request_id: self.request_id,
            at: Timestamp::from_millis(self.at),
        }
    }
}
