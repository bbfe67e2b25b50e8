use async_trait::async_trait;
use contract::{
    InstanceId, InstanceState, Operation, OperationFilter, OperationId, OperationKind, OperationState,
    OperatorStore, PortResult, Timestamp, Track,
};
use diesel::prelude::*;

use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::operations::{self, OperationRow};
use crate::schema::{instance_domains, instances, operations as table, renewals};
use crate::store::Store;

#[async_trait]
impl OperatorStore for Store {
    async fn begin_recreation(&self, operation: &Operation) -> PortResult<bool> {
        let operation = OperationRow::of(operation);
        self.run("begin a recreation", move |db, _| {
            let operation = operation?;
            db.write(|db| {
                let instance = operation.instance();
                let stages = [InstanceState::Ready, InstanceState::ProvisionFailed];
                let mut is_in_one = false;
                for stage in stages {
                    is_in_one = is_in_one || move_stage(db, instance, stage, stage)?;
                }
                let begins = is_in_one && !operations::is_occupied(db, instance)?;
                if begins {
                    operations::cancel_running(db, instance, &[Track::Renewal])?;
                    operation.insert(db)?;
                }
                Ok(begins)
            })
        })
        .await
    }

    async fn resume(&self, id: &OperationId, at: Timestamp) -> PortResult<bool> {
        let id = id.as_str().to_owned();
        self.run("let an operation go on", move |db, _| {
            // What an operation is never changes; how it stands is looked at again behind the first write.
            let Some(failed) = operations::find(db, &id)? else { return Ok(false) };
            db.write(|db| resume(db, &failed, at))
        })
        .await
    }

    async fn cancel(
        &self,
        id: &OperationId,
        steps: &[String],
        sentence: &str,
        at: Timestamp,
    ) -> PortResult<bool> {
        let (id, steps, sentence) = (id.as_str().to_owned(), steps.to_vec(), sentence.to_owned());
        self.run("end an operation by hand", move |db, inner| {
            let Some(found) = operations::find(db, &id)? else { return Ok(false) };
            let now = db.lease_clock(inner.clock.as_ref())?;
            db.write(|db| {
                let ended = (
                    table::state.eq(OperationState::Failed.label()),
                    table::sentence.eq(sentence),
                    table::next_at.eq(at.as_millis()),
                    table::waits_for.eq(None::<&str>),
                );
                let there = table::table
                    .filter(table::id.eq(&id))
                    .filter(table::state.eq(OperationState::Running.label()))
                    .filter(table::track.eq(Track::User.label()))
                    .filter(table::step.eq_any(steps));
                Ok(is_free(db, found.instance.as_str(), now)?
                    && diesel::update(there).set(ended).execute(db)? == 1)
            })
        })
        .await
    }

    async fn forget(&self, operation: &Operation) -> PortResult<bool> {
        let operation = OperationRow::of(operation);
        self.run("forget an instance", move |db, inner| {
            let operation = operation?;
            let now = db.lease_clock(inner.clock.as_ref())?;
            db.write(|db| {
                let forgets = bury(db, operation.instance(), now)?;
                if forgets {
                    operations::cancel_running(db, operation.instance(), &[Track::User, Track::Renewal])?;
                    operation.insert(db)?;
                    let names =
                        instance_domains::table.filter(instance_domains::instance.eq(operation.instance()));
                    diesel::delete(names).execute(db)?;
                    diesel::delete(renewals::table.find(operation.instance())).execute(db)?;
                }
                Ok(forgets)
            })
        })
        .await
    }

    async fn of_instance(&self, instance: &InstanceId, most: u32) -> PortResult<Vec<Operation>> {
        let instance = instance.as_str().to_owned();
        self.run("list the operations of an instance", move |db, _| {
            let rows: Vec<OperationRow> = table::table
                .filter(table::instance.eq(instance))
                .order(table::seq.desc())
                .limit(most.into())
                .select(OperationRow::as_select())
                .load(db)?;
            rows.into_iter().map(OperationRow::into_operation).collect()
        })
        .await
    }

    async fn list(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        most: u32,
    ) -> PortResult<Vec<Operation>> {
        let filter = filter.clone();
        self.run("list operations", move |db, _| {
            let Some(end) = end_of_page(db, before.as_ref())? else { return Ok(Vec::new()) };
            page(db, &filter, end, most)?.into_iter().map(OperationRow::into_operation).collect()
        })
        .await
    }

    async fn leased_until(&self, instance: &InstanceId) -> PortResult<Option<Timestamp>> {
        let instance = instance.as_str().to_owned();
        self.run("look who works on an instance", move |db, inner| {
            let now = db.lease_clock(inner.clock.as_ref())?;
            let row = instances::table.find(instance).select(instances::lease_until);
            let until: Option<Option<i64>> = row.first(db).optional()?;
            Ok(until.flatten().filter(|until| *until > now).map(Timestamp::from_millis))
        })
        .await
    }
}

/// The sequence number that a page ends before; `None` when there is no such operation.
fn end_of_page(db: &mut Db, before: Option<&OperationId>) -> Result<Option<i64>, StoreError> {
    let Some(before) = before else { return Ok(Some(i64::MAX)) };
    Ok(table::table.filter(table::id.eq(before.as_str())).select(table::seq).first(db).optional()?)
}

fn page(db: &mut Db, filter: &OperationFilter, end: i64, most: u32) -> Result<Vec<OperationRow>, StoreError> {
    let states: Vec<&str> = match filter.state {
        Some(state) => vec![state.label()],
        None => STATES.map(Label::label).to_vec(),
    };
    let kinds: Vec<&str> = match filter.kind {
        Some(kind) => vec![kind.label()],
        None => KINDS.map(Label::label).to_vec(),
    };
    let meant = table::state.eq_any(states).and(table::kind.eq_any(kinds)).and(table::seq.lt(end));
    let rows = table::table.filter(meant).order(table::seq.desc()).limit(most.into());
    let rows = rows.select(OperationRow::as_select());
    Ok(match &filter.instance {
        Some(instance) => rows.filter(table::instance.eq(instance.as_str())).load(db)?,
        None => rows.load(db)?,
    })
}

const STATES: [OperationState; 4] =
    [OperationState::Running, OperationState::Succeeded, OperationState::Failed, OperationState::Cancelled];
const KINDS: [OperationKind; 5] = [
    OperationKind::Provision,
    OperationKind::Update,
    OperationKind::Renew,
    OperationKind::Deprovision,
    OperationKind::Recreate,
];

fn resume(db: &mut Db, failed: &Operation, at: Timestamp) -> Result<bool, StoreError> {
    let instance = failed.instance.as_str();
    let mut is_in_stage = false;
    for (before, during) in stages(failed.kind) {
        is_in_stage = is_in_stage || move_stage(db, instance, *before, *during)?;
    }
    let newest = operations::newest(db, instance, failed.track)?.filter(|newest| newest.id == failed.id);
    if !is_in_stage || newest.is_none_or(|newest| newest.state != OperationState::Failed) {
        return Ok(false);
    }
    if is_alone(failed) {
        operations::cancel_running(db, instance, &[Track::Renewal])?;
    }
    let anew = (
        table::state.eq(OperationState::Running.label()),
        table::attempt.eq(0),
        table::next_at.eq(at.as_millis()),
        table::step_since.eq(at.as_millis()),
        table::sentence.eq(None::<&str>),
        table::error.eq(None::<&str>),
        table::waits_for.eq(None::<&str>),
    );
    let row = table::table.filter(table::id.eq(failed.id.as_str()));
    Ok(diesel::update(row).set(anew).execute(db)? == 1)
}

/// Whether no renewal may run beside an operation: it deletes, or brings a certificate of its own.
fn is_alone(operation: &Operation) -> bool {
    operation.change.as_ref().is_none_or(|change| change.needs_certificate)
}

/// The stages of life in which an operation that has failed can go on, and those of the instance while it does.
fn stages(kind: OperationKind) -> &'static [(InstanceState, InstanceState)] {
    use InstanceState::{DeprovisionFailed, Deprovisioning, ProvisionFailed, Provisioning, Ready};
    match kind {
        OperationKind::Provision => &[(ProvisionFailed, Provisioning)],
        OperationKind::Update => &[(Ready, Ready)],
        OperationKind::Renew => &[],
        OperationKind::Recreate => &[(Ready, Ready), (ProvisionFailed, ProvisionFailed)],
        OperationKind::Deprovision => &[(DeprovisionFailed, Deprovisioning)],
    }
}

/// Moves an instance from one stage of life to another, or leaves it in the same one. Like everything that begins an
/// operation this is a write that comes first, so that one caller after the other is let through.
fn move_stage(
    db: &mut Db,
    instance: &str,
    from: InstanceState,
    to: InstanceState,
) -> Result<bool, StoreError> {
    let there = instances::table.find(instance).filter(instances::state.eq(from.label()));
    Ok(diesel::update(there).set(instances::state.eq(to.label())).execute(db)? == 1)
}

/// Marks an instance as gone that nobody works on, if anything is left of it.
fn bury(db: &mut Db, instance: &str, now: i64) -> Result<bool, StoreError> {
    let free = instances::lease_until.is_null().or(instances::lease_until.le(now));
    let there =
        instances::table.find(instance).filter(instances::state.ne(InstanceState::Gone.label())).filter(free);
    Ok(diesel::update(there).set(instances::state.eq(InstanceState::Gone.label())).execute(db)? == 1)
}

/// Whether nobody works on an instance; nobody begins to before the end of the transaction either. Written as an update for
/// the same reason as [`move_stage`].
fn is_free(db: &mut Db, instance: &str, now: i64) -> Result<bool, StoreError> {
    let free = instances::lease_until.is_null().or(instances::lease_until.le(now));
    let row = instances::table.find(instance).filter(free);
    Ok(diesel::update(row).set(instances::lease_token.eq(instances::lease_token)).execute(db)? == 1)
}
