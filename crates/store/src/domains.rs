use async_trait::async_trait;
use contract::{
    DomainName, DomainRecord, DomainState, DomainStore, InstanceId, InstanceState, PortResult, Timestamp,
};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::schema::{instance_domains, instances};
use crate::store::Store;

/// How often a claim is made again when somebody else has claimed one of its names at the same moment. The second time
/// the other's claim is seen.
const ATTEMPTS: usize = 3;

#[async_trait]
impl DomainStore for Store {
    async fn claim(
        &self,
        instance: &InstanceId,
        incarnation: i32,
        names: &[DomainName],
    ) -> PortResult<Vec<DomainName>> {
        let claim = Claim::new(instance, incarnation, names);
        self.run("claim proven names", move |db, inner| {
            let since = inner.clock.now().as_millis();
            let mut outcome = claim.make(db, since);
            for _ in 1..ATTEMPTS {
                if outcome.as_ref().err().is_none_or(|error| !error.is_taken()) {
                    break;
                }
                outcome = claim.make(db, since);
            }
            let refused = outcome?;
            Ok(claim.names.into_iter().filter(|name| refused.iter().any(|it| it == name.as_str())).collect())
        })
        .await
    }

    async fn owners(&self, names: &[DomainName]) -> PortResult<Vec<DomainRecord>> {
        let names = texts(names);
        self.run("read who has proven names", move |db, _| {
            let rows: Vec<DomainRow> = instance_domains::table
                .filter(instance_domains::name.eq_any(names))
                .filter(instance_domains::state.eq(DomainState::Proven.label()))
                .order(instance_domains::name)
                .select(DomainRow::as_select())
                .load(db)?;
            rows.into_iter().map(DomainRow::into_record).collect()
        })
        .await
    }

    async fn of_instance(&self, instance: &InstanceId) -> PortResult<Vec<DomainRecord>> {
        let id = instance.as_str().to_owned();
        self.run("read the names of an instance", move |db, _| {
            let rows: Vec<DomainRow> = instance_domains::table
                .filter(instance_domains::instance.eq(id))
                .order(instance_domains::name)
                .select(DomainRow::as_select())
                .load(db)?;
            rows.into_iter().map(DomainRow::into_record).collect()
        })
        .await
    }

    async fn lapse(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<()> {
        let (id, names) = (instance.as_str().to_owned(), texts(names));
        self.run("mark names as lapsed", move |db, inner| {
            let proven = instance_domains::table
                .filter(instance_domains::instance.eq(id))
                .filter(instance_domains::name.eq_any(names))
                .filter(instance_domains::state.eq(DomainState::Proven.label()));
            diesel::update(proven)
                .set((
                    instance_domains::state.eq(DomainState::Lapsed.label()),
                    instance_domains::since.eq(inner.clock.now().as_millis()),
                ))
                .execute(db)?;
            Ok(())
        })
        .await
    }

    async fn keep_only(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<()> {
        let (id, names) = (instance.as_str().to_owned(), texts(names));
        self.run("give names back", move |db, _| {
            let others = instance_domains::table
                .filter(instance_domains::instance.eq(id))
                .filter(instance_domains::name.ne_all(names));
            diesel::delete(others).execute(db)?;
            Ok(())
        })
        .await
    }
}

fn texts(names: &[DomainName]) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

pub(crate) struct Claim {
    instance: String,
    incarnation: i32,
    names: Vec<DomainName>,
    /// In order: two claims that overlap then wait for each other in one direction only.
    sorted: Vec<String>,
}

impl Claim {
    pub(crate) fn new(instance: &InstanceId, incarnation: i32, names: &[DomainName]) -> Self {
        let mut sorted = texts(names);
        sorted.sort();
        Self { instance: instance.as_str().to_owned(), incarnation, names: names.to_vec(), sorted }
    }

    /// Takes all names, or says which cannot be had.
    fn make(&self, db: &mut Db, since: i64) -> Result<Vec<String>, StoreError> {
        let mut refused = Vec::new();
        db.write(|db| {
            refused = self.take_all(db, since)?;
            Ok(refused.is_empty())
        })?;
        Ok(refused)
    }

    /// The same within a transaction.
    pub(crate) fn take_all(&self, db: &mut Db, since: i64) -> Result<Vec<String>, StoreError> {
        let refused = if self.hold_instance(db)? { self.taken(db)? } else { self.sorted.clone() };
        if refused.is_empty() {
            for name in &self.sorted {
                self.take(db, name, since)?;
            }
        }
        Ok(refused)
    }

    /// Whether the instance is still in this life. Written as an update so that it stays so until the end of the
    /// transaction.
    fn hold_instance(&self, db: &mut Db) -> Result<bool, StoreError> {
        let lives = instances::table
            .find(&self.instance)
            .filter(instances::incarnation.eq(self.incarnation))
            .filter(instances::state.ne(InstanceState::Gone.label()));
        Ok(diesel::update(lives).set(instances::incarnation.eq(self.incarnation)).execute(db)? == 1)
    }

    /// Those of the names that other instances have proven.
    pub(crate) fn taken(&self, db: &mut Db) -> Result<Vec<String>, StoreError> {
        let taken = instance_domains::table
            .filter(instance_domains::name.eq_any(&self.sorted))
            .filter(instance_domains::state.eq(DomainState::Proven.label()))
            .filter(instance_domains::instance.ne(&self.instance))
            .select(instance_domains::name)
            .load(db)?;
        Ok(taken)
    }

    fn take(&self, db: &mut Db, name: &str, since: i64) -> Result<(), StoreError> {
        let own = instance_domains::table.find((self.instance.as_str(), name));
        let known: Option<String> = own.select(instance_domains::state).first(db).optional()?;
        let proven = DomainState::Proven.label();
        match known.as_deref() {
            Some(state) if state == proven => {}
            Some(_) => {
                let again = (instance_domains::state.eq(proven), instance_domains::since.eq(since));
                diesel::update(own).set(again).execute(db)?;
            }
            None => {
                let (instance, name) = (self.instance.clone(), name.to_owned());
                let row = DomainRow { instance, name, state: proven.to_owned(), since, inherited: false };
                diesel::insert_into(instance_domains::table).values(row).execute(db)?;
            }
        }
        Ok(())
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = instance_domains)]
struct DomainRow {
    instance: String,
    name: String,
    state: String,
    since: i64,
    inherited: bool,
}

impl DomainRow {
    fn into_record(self) -> Result<DomainRecord, StoreError> {
        let key = format!("{} {}", self.instance, self.name);
        let cell = |column| Cell { table: "instance_domains", column, row: &key };
        Ok(DomainRecord {
            name: cell("name").parsed(DomainName::parse(&self.name))?,
            state: cell("state").label(&self.state)?,
            since: Timestamp::from_millis(self.since),
            inherited: self.inherited,
            instance: InstanceId::new(self.instance),
        })
    }
}
