use async_trait::async_trait;
use contract::{InstanceId, Mishap, PortResult, SiteFinding, Timestamp, TroubleStore};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::{mishaps, site_findings};
use crate::store::Store;

#[async_trait]
impl TroubleStore for Store {
    async fn note(&self, mishap: &Mishap) -> PortResult<()> {
        let mishap = mishap.clone();
        self.run("keep a mishap", move |db, _| {
            let row = MishapRow::of(mishap)?;
            if !overwrite(db, &row)? && !unless_taken(insert(db, &row))? {
                overwrite(db, &row)?;
            }
            Ok(())
        })
        .await
    }

    async fn mishaps(&self, since: Timestamp, most: u32) -> PortResult<Vec<Mishap>> {
        self.run("read the latest mishaps", move |db, _| {
            let rows: Vec<MishapRow> = mishaps::table
                .filter(mishaps::at.ge(since.as_millis()))
                .order((mishaps::class, mishaps::instance))
                .limit(most.into())
                .select(MishapRow::as_select())
                .load(db)?;
            rows.into_iter().map(MishapRow::into_mishap).collect()
        })
        .await
    }

    async fn forget_before(&self, at: Timestamp) -> PortResult<()> {
        self.run("forget old mishaps", move |db, _| {
            diesel::delete(mishaps::table.filter(mishaps::at.lt(at.as_millis()))).execute(db)?;
            Ok(())
        })
        .await
    }

    async fn findings(&self, instance: &InstanceId) -> PortResult<Vec<SiteFinding>> {
        let instance = instance.as_str().to_owned();
        self.run("read what was found at a site", move |db, _| {
            let found = site_findings::table.find(&instance).select(site_findings::found);
            match found.first::<String>(db).optional()? {
                Some(text) => cell(&instance).read_json(&text),
                None => Ok(Vec::new()),
            }
        })
        .await
    }

    async fn keep_findings(&self, instance: &InstanceId, findings: &[SiteFinding]) -> PortResult<()> {
        let (instance, findings) = (instance.as_str().to_owned(), findings.to_vec());
        self.run("keep what was found at a site", move |db, _| {
            if findings.is_empty() {
                diesel::delete(site_findings::table.find(&instance)).execute(db)?;
                return Ok(());
            }
            let found = cell(&instance).write_json(&findings)?;
            let row = FoundRow { instance, found };
            if !replace(db, &row)? && !unless_taken(insert_found(db, &row))? {
                replace(db, &row)?;
            }
            Ok(())
        })
        .await
    }

    async fn troubled(&self, after: Option<InstanceId>, most: u32) -> PortResult<Vec<InstanceId>> {
        self.run("read at which sites something was found", move |db, _| {
            let after = after.as_ref().map_or("", InstanceId::as_str);
            let ids: Vec<String> = site_findings::table
                .filter(site_findings::instance.gt(after))
                .order(site_findings::instance)
                .limit(most.into())
                .select(site_findings::instance)
                .load(db)?;
            Ok(ids.into_iter().map(InstanceId::new).collect())
        })
        .await
    }
}

fn cell(instance: &str) -> Cell<'_> {
    Cell { table: "site_findings", column: "found", row: instance }
}

fn insert(db: &mut Db, row: &MishapRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(mishaps::table).values(row).execute(db)? == 1)
}

fn overwrite(db: &mut Db, row: &MishapRow) -> Result<bool, StoreError> {
    let known = mishaps::table.find((&row.class, &row.instance));
    Ok(diesel::update(known).set(row).execute(db)? == 1)
}

fn insert_found(db: &mut Db, row: &FoundRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(site_findings::table).values(row).execute(db)? == 1)
}

fn replace(db: &mut Db, row: &FoundRow) -> Result<bool, StoreError> {
    let known = diesel::update(site_findings::table.find(&row.instance));
    Ok(known.set(site_findings::found.eq(&row.found)).execute(db)? == 1)
}

#[derive(Insertable)]
#[diesel(table_name = site_findings)]
struct FoundRow {
    instance: String,
    found: String,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = mishaps)]
struct MishapRow {
    class: String,
    instance: String,
    tenant: String,
    side: String,
    sentence: String,
    at: i64,
}

impl MishapRow {
    fn of(mishap: Mishap) -> Result<Self, StoreError> {
        let side = Cell { table: "mishaps", column: "side", row: &mishap.class }.write_json(&mishap.side)?;
        Ok(Self {
            side: side.trim_matches('"').to_owned(),
            class: mishap.class,
            instance: mishap.instance.as_str().to_owned(),
            tenant: mishap.tenant,
            sentence: mishap.sentence,
            at: mishap.at.as_millis(),
        })
    }

    fn into_mishap(self) -> Result<Mishap, StoreError> {
        let cell = Cell { table: "mishaps", column: "side", row: &self.class };
        Ok(Mishap {
            side: cell.read_json(&format!("\"{}\"", self.side))?,
            instance: InstanceId::new(self.instance),
            tenant: self.tenant,
            sentence: self.sentence,
            at: Timestamp::from_millis(self.at),
            class: self.class,
        })
    }
}
