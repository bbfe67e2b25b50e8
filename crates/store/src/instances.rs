use async_trait::async_trait;
use contract::{
    DistributionId, Instance, InstanceId, InstanceState, InstanceStore, Operation, OriginalRequest,
    PortResult, Reference, Timestamp,
};
use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::labels::Label;
use crate::operations::OperationRow;
use crate::schema::instances;
use crate::store::Store;

const TABLE: &str = "instances";

/// How many instances have a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanUse {
    /// OSB `service_id`.
    pub service_id: String,
    /// OSB `plan_id`.
    pub plan_id: String,
    /// How many; those that are gone do not count.
    pub instances: u64,
}

impl Store {
    /// The plans that instances have, in the order of their ids.
    ///
    /// Errors: the database's.
    pub async fn plans_in_use(&self) -> PortResult<Vec<PlanUse>> {
        self.run("count instances by plan", |db, _| {
            let rows: Vec<(String, String, i64)> = instances::table
                .filter(instances::state.ne(InstanceState::Gone.label()))
                .group_by((instances::service_id, instances::plan_id))
                .order((instances::service_id, instances::plan_id))
                .select((instances::service_id, instances::plan_id, count_star()))
                .load(db)?;
            let read = |(service_id, plan_id, count): (String, String, i64)| PlanUse {
                service_id,
                plan_id,
                instances: u64::try_from(count).unwrap_or(0),
            };
            Ok(rows.into_iter().map(read).collect())
        })
        .await
    }
}

#[async_trait]
impl InstanceStore for Store {
    async fn create(&self, instance: &Instance, operation: &Operation) -> PortResult<bool> {
        let (row, operation) = (InstanceRow::of(instance), OperationRow::of(operation));
        self.run("store a new instance", move |db, _| {
            let (row, operation) = (row?, operation?);
            db.write(|db| {
                let ours = replace_tombstone(db, &row)? || unless_taken(insert(db, &row))?;
                if ours {
                    operation.insert(db)?;
                }
                Ok(ours)
            })
        })
        .await
    }

    async fn find(&self, id: &InstanceId) -> PortResult<Option<Instance>> {
        let id = id.as_str().to_owned();
        self.run("read an instance", move |db, _| find(db, &id)).await
    }

    async fn list(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<Instance>> {
        let after = after.map_or_else(String::new, |id| id.as_str().to_owned());
        self.run("list instances", move |db, _| {
            // An id has at least one character, so that all of them come after the empty text.
            let rows: Vec<InstanceRow> = instances::table
                .filter(instances::id.gt(after))
                .order(instances::id)
                .limit(limit.into())
                .select(InstanceRow::as_select())
                .load(db)?;
            rows.into_iter().map(InstanceRow::into_instance).collect()
        })
        .await
    }

    async fn replace_reference(
        &self,
        id: &InstanceId,
        spent: &Reference,
        next: &Reference,
    ) -> PortResult<()> {
        let (id, spent, next) = (id.as_str().to_owned(), spent.as_str().to_owned(), next.as_str().to_owned());
        self.run("give a distribution another reference", move |db, _| {
            let named = instances::table.find(id).filter(instances::reference.eq(spent));
            diesel::update(named)
                .set((
                    instances::reference.eq(next),
                    instances::distribution.eq(None::<&str>),
                    instances::distribution_domain.eq(None::<&str>),
                ))
                .execute(db)?;
            Ok(())
        })
        .await
    }

    async fn record_distribution(
        &self,
        id: &InstanceId,
        reference: &Reference,
        distribution: &DistributionId,
        domain: &str,
    ) -> PortResult<()> {
        let (id, distribution) = (id.as_str().to_owned(), distribution.as_str().to_owned());
        let (reference, domain) = (reference.as_str().to_owned(), domain.to_owned());
        self.run("keep the id of a distribution", move |db, _| {
            let learnt =
                (instances::distribution.eq(distribution), instances::distribution_domain.eq(domain));
            let named = instances::table.find(id).filter(instances::reference.eq(reference));
            diesel::update(named).set(learnt).execute(db)?;
            Ok(())
        })
        .await
    }
}

/// The instance with this id.
fn find(db: &mut Db, id: &str) -> Result<Option<Instance>, StoreError> {
    let row = instances::table.find(id).select(InstanceRow::as_select()).first(db).optional()?;
    row.map(InstanceRow::into_instance).transpose()
}

/// Puts the new instance in the place of its own tombstone, if there is one.
fn replace_tombstone(db: &mut Db, row: &InstanceRow) -> Result<bool, StoreError> {
    let tombstone = instances::table
        .find(&row.id)
        .filter(instances::state.eq(InstanceState::Gone.label()))
        .filter(instances::incarnation.eq(row.incarnation - 1));
    Ok(diesel::update(tombstone).set(row).execute(db)? == 1)
}

fn insert(db: &mut Db, row: &InstanceRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(instances::table).values(row).execute(db)? == 1)
}

/// An instance without its lease, which only the queue writes.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = instances, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct InstanceRow {
    id: String,
    incarnation: i32,
    state: String,
    service_id: String,
    plan_id: String,
    organization: String,
    space: String,
    parameters: String,
    context: String,
    identity: Option<String>,
    api_version: String,
    received_at: i64,
    settings: String,
    reference: String,
    distribution: Option<String>,
    distribution_domain: Option<String>,
}

impl InstanceRow {
    pub(crate) fn of(instance: &Instance) -> Result<Self, StoreError> {
        let Instance { id, incarnation, state, request, settings, reference, .. } = instance.clone();
        let cell = Cell { table: TABLE, column: "settings", row: id.as_str() };
        Ok(Self {
            incarnation,
            state: state.label().to_owned(),
            service_id: request.service_id,
            plan_id: request.plan_id,
            organization: request.organization,
            space: request.space,
            parameters: request.parameters,
            context: request.context,
            identity: request.identity,
            api_version: request.api_version,
            received_at: request.received_at.as_millis(),
            settings: cell.write_json(&settings)?,
            reference: reference.as_str().to_owned(),
            distribution: instance.distribution.as_ref().map(|id| id.as_str().to_owned()),
            distribution_domain: instance.distribution_domain.clone(),
            id: id.as_str().to_owned(),
        })
    }

    pub(crate) fn into_instance(self) -> Result<Instance, StoreError> {
        let cell = |column| Cell { table: TABLE, column, row: &self.id };
        Ok(Instance {
            state: cell("state").label(&self.state)?,
            settings: cell("settings").read_json(&self.settings)?,
            incarnation: self.incarnation,
            request: OriginalRequest {
                service_id: self.service_id,
                plan_id: self.plan_id,
                organization: self.organization,
                space: self.space,
                parameters: self.parameters,
                context: self.context,
                identity: self.identity,
                api_version: self.api_version,
                received_at: Timestamp::from_millis(self.received_at),
            },
            reference: Reference::new(self.reference),
            distribution: self.distribution.map(DistributionId::new),
            distribution_domain: self.distribution_domain,
            id: InstanceId::new(self.id),
        })
    }
}
