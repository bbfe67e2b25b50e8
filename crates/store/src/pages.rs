use async_trait::async_trait;
use contract::{InstanceId, PageStore, PortResult, Secret, Survey, Timestamp};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::{page_keys, pages};
use crate::sealing::Sealer;
use crate::store::Store;

/// The only key there is today.
const SIGNING: &str = "signing";
const KEY: Cell<'static> = Cell { table: "page_keys", column: "key", row: SIGNING };

#[async_trait]
impl PageStore for Store {
    async fn ensure_key(&self, candidate: &Secret) -> PortResult<Secret> {
        let candidate = candidate.clone();
        self.run("read the key of links", move |db, inner| {
            if let Some(key) = key(db, &inner.sealer)? {
                return Ok(key);
            }
            unless_taken(insert_key(db, &inner.sealer.seal(KEY, &candidate)?))?;
            key(db, &inner.sealer)?.ok_or_else(|| KEY.inconsistent("it is gone"))
        })
        .await
    }

    async fn generation(&self, instance: &InstanceId) -> PortResult<i32> {
        let id = instance.as_str().to_owned();
        self.run("read which links are good", move |db, _| generation(db, &id)).await
    }

    async fn revoke(&self, instance: &InstanceId) -> PortResult<i32> {
        let id = instance.as_str().to_owned();
        self.run("revoke the links of an instance", move |db, _| {
            let row = PageRow { instance: id.clone(), generation: 1, seen_at: None, seen: None };
            // Somebody else may insert the row in between.
            if !raise(db, &id)? && !unless_taken(insert(db, &row))? {
                raise(db, &id)?;
            }
            generation(db, &id)
        })
        .await
    }

    async fn survey(&self, instance: &InstanceId) -> PortResult<Option<Survey>> {
        let id = instance.as_str().to_owned();
        self.run("read what was seen of names", move |db, _| {
            find(db, &id)?.map_or(Ok(None), PageRow::into_survey)
        })
        .await
    }

    async fn keep_survey(&self, instance: &InstanceId, survey: &Survey) -> PortResult<()> {
        let row = PageRow::of(instance, survey);
        self.run("keep what was seen of names", move |db, _| {
            let row = row?;
            if !see(db, &row)? && !unless_taken(insert(db, &row))? {
                see(db, &row)?;
            }
            Ok(())
        })
        .await
    }
}

fn key(db: &mut Db, sealer: &Sealer) -> Result<Option<Secret>, StoreError> {
    let kept: Option<String> = page_keys::table.find(SIGNING).select(page_keys::key).first(db).optional()?;
    kept.map(|kept| sealer.open(KEY, &kept)).transpose()
}

fn insert_key(db: &mut Db, sealed: &str) -> Result<bool, StoreError> {
    let row = (page_keys::name.eq(SIGNING), page_keys::key.eq(sealed));
    Ok(diesel::insert_into(page_keys::table).values(row).execute(db)? == 1)
}

fn find(db: &mut Db, instance: &str) -> Result<Option<PageRow>, StoreError> {
    Ok(pages::table.find(instance).select(PageRow::as_select()).first(db).optional()?)
}

fn generation(db: &mut Db, instance: &str) -> Result<i32, StoreError> {
    let kept = pages::table.find(instance).select(pages::generation).first(db).optional()?;
    Ok(kept.unwrap_or(0))
}

fn insert(db: &mut Db, row: &PageRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(pages::table).values(row).execute(db)? == 1)
}

fn raise(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let next = pages::generation.eq(pages::generation + 1);
    Ok(diesel::update(pages::table.find(instance)).set(next).execute(db)? == 1)
}

fn see(db: &mut Db, row: &PageRow) -> Result<bool, StoreError> {
    let seen = (pages::seen_at.eq(row.seen_at), pages::seen.eq(&row.seen));
    Ok(diesel::update(pages::table.find(&row.instance)).set(seen).execute(db)? == 1)
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = pages, treat_none_as_default_value = false)]
struct PageRow {
    instance: String,
    generation: i32,
    seen_at: Option<i64>,
    seen: Option<String>,
}

impl PageRow {
    fn of(instance: &InstanceId, survey: &Survey) -> Result<Self, StoreError> {
        let cell = Cell { table: "pages", column: "seen", row: instance.as_str() };
        Ok(Self {
            instance: instance.as_str().to_owned(),
            generation: 0,
            seen_at: Some(survey.at.as_millis()),
            seen: Some(cell.write_json(&survey.sights)?),
        })
    }

    fn into_survey(self) -> Result<Option<Survey>, StoreError> {
        let cell = Cell { table: "pages", column: "seen", row: &self.instance };
        let (Some(at), Some(seen)) = (self.seen_at, &self.seen) else { return Ok(None) };
        Ok(Some(Survey { at: Timestamp::from_millis(at), sights: cell.read_json(seen)? }))
    }
}
