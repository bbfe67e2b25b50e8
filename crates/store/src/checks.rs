use std::time::Duration;

use async_trait::async_trait;
use contract::{CheckRecord, CheckRun, CheckStore, PortResult, RUNS_KEPT, Timestamp};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::schema::{check_notes, check_runs, checks};
use crate::store::Store;

#[async_trait]
impl CheckStore for Store {
    async fn now(&self) -> PortResult<Timestamp> {
        self.run("ask the database for the time", move |db, inner| {
            Ok(Timestamp::from_millis(db.lease_clock(inner.clock.as_ref())?))
        })
        .await
    }

    async fn all(&self) -> PortResult<Vec<CheckRecord>> {
        self.run("read how the checks stand", move |db, _| {
            let rows: Vec<CheckRow> =
                checks::table.order(checks::name).select(CheckRow::as_select()).load(db)?;
            Ok(rows.into_iter().map(CheckRow::into_record).collect())
        })
        .await
    }

    async fn ensure(&self, record: &CheckRecord) -> PortResult<CheckRecord> {
        let (row, given) = (CheckRow::of(record), record.clone());
        self.run("read how a check stands", move |db, _| {
            if let Some(known) = find(db, &row.name)? {
                return Ok(known.into_record());
            }
            if unless_taken(insert(db, &row))? {
                return Ok(given);
            }
            Ok(find(db, &row.name)?.map_or(given, CheckRow::into_record))
        })
        .await
    }

    async fn change(&self, seen: &CheckRecord, next: &CheckRecord) -> PortResult<Option<CheckRecord>> {
        let (seen, next) = (CheckRow::of(seen), CheckRow::following(seen, next));
        self.run("keep how a check stands", move |db, _| {
            Ok(replace(db, &seen, &next)?.then(|| next.into_record()))
        })
        .await
    }

    async fn finish(&self, seen: &CheckRecord, next: &CheckRecord, run: &CheckRun) -> PortResult<bool> {
        let (seen, next, run) = (CheckRow::of(seen), CheckRow::following(seen, next), run.clone());
        self.run("keep how a check went", move |db, _| {
            let row = RunRow::of(&run)?;
            db.write(|db| {
                if !replace(db, &seen, &next)? {
                    return Ok(false);
                }
                diesel::insert_into(check_runs::table).values(&row).execute(db)?;
                let old = check_runs::table
                    .filter(check_runs::name.eq(&row.name))
                    .filter(check_runs::number.le(row.number.saturating_sub(RUNS_KEPT)));
                diesel::delete(old).execute(db)?;
                Ok(true)
            })
        })
        .await
    }

    async fn history(&self, name: &str, most: u32) -> PortResult<Vec<CheckRun>> {
        let name = name.to_owned();
        self.run("read how a check went", move |db, _| {
            let rows: Vec<RunRow> = check_runs::table
                .filter(check_runs::name.eq(name))
                .order(check_runs::number.desc())
                .limit(most.into())
                .select(RunRow::as_select())
                .load(db)?;
            rows.into_iter().map(RunRow::into_run).collect()
        })
        .await
    }

    async fn recall(&self, key: &str) -> PortResult<Option<String>> {
        let key = key.to_owned();
        self.run("recall what a check remembers", move |db, _| {
            Ok(check_notes::table.find(key).select(check_notes::text).first(db).optional()?)
        })
        .await
    }

    async fn remember(&self, key: &str, text: &str) -> PortResult<()> {
        let row = NoteRow { key: key.to_owned(), text: text.to_owned() };
        self.run("remember something for a check", move |db, _| {
            if !overwrite(db, &row)? && !unless_taken(insert_note(db, &row))? {
                overwrite(db, &row)?;
            }
            Ok(())
        })
        .await
    }
}

fn find(db: &mut Db, name: &str) -> Result<Option<CheckRow>, StoreError> {
    Ok(checks::table.find(name).select(CheckRow::as_select()).first(db).optional()?)
}

fn insert(db: &mut Db, row: &CheckRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(checks::table).values(row).execute(db)? == 1)
}

fn replace(db: &mut Db, seen: &CheckRow, next: &CheckRow) -> Result<bool, StoreError> {
    let as_seen = checks::table.filter(checks::name.eq(&seen.name)).filter(checks::version.eq(seen.version));
    Ok(diesel::update(as_seen).set(next).execute(db)? == 1)
}

fn insert_note(db: &mut Db, row: &NoteRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(check_notes::table).values(row).execute(db)? == 1)
}

fn overwrite(db: &mut Db, row: &NoteRow) -> Result<bool, StoreError> {
    let note = diesel::update(check_notes::table.find(&row.key));
    Ok(note.set(check_notes::text.eq(&row.text)).execute(db)? == 1)
}

#[derive(Insertable)]
#[diesel(table_name = check_notes)]
struct NoteRow {
    key: String,
    text: String,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = checks, treat_none_as_default_value = false, treat_none_as_null = true)]
struct CheckRow {
    name: String,
    next_at: i64,
    leased_until: Option<i64>,
    runs: i32,
    failures: i32,
    failing_since: Option<i64>,
    told: bool,
    version: i32,
}

impl CheckRow {
    fn of(record: &CheckRecord) -> Self {
        Self {
            name: record.name.clone(),
            next_at: record.next_at.as_millis(),
            leased_until: record.leased_until.map(Timestamp::as_millis),
            runs: record.runs,
            failures: record.failures,
            failing_since: record.failing_since.map(Timestamp::as_millis),
            told: record.told,
            version: record.version,
        }
    }

    /// What is to stand where `seen` stands.
    fn following(seen: &CheckRecord, next: &CheckRecord) -> Self {
        Self { name: seen.name.clone(), version: seen.version.saturating_add(1), ..Self::of(next) }
    }

    fn into_record(self) -> CheckRecord {
        CheckRecord {
            name: self.name,
            next_at: Timestamp::from_millis(self.next_at),
            leased_until: self.leased_until.map(Timestamp::from_millis),
            runs: self.runs,
            failures: self.failures,
            failing_since: self.failing_since.map(Timestamp::from_millis),
            told: self.told,
            version: self.version,
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = check_runs)]
struct RunRow {
    name: String,
    number: i32,
    began: i64,
    took: i64,
    outcome: String,
    steps: String,
}

impl RunRow {
    fn of(run: &CheckRun) -> Result<Self, StoreError> {
        let cell = |column| Cell { table: "check_runs", column, row: &run.check };
        Ok(Self {
            name: run.check.clone(),
            number: run.number,
            began: run.began.as_millis(),
            took: i64::try_from(run.took.as_millis()).unwrap_or(i64::MAX),
            outcome: cell("outcome").write_json(&run.outcome)?,
            steps: cell("steps").write_json(&run.steps)?,
        })
    }

    fn into_run(self) -> Result<CheckRun, StoreError> {
        let cell = |column| Cell { table: "check_runs", column, row: &self.name };
        Ok(CheckRun {
            number: self.number,
            began: Timestamp::from_millis(self.began),
            took: Duration::from_millis(u64::try_from(self.took).unwrap_or(0)),
            outcome: cell("outcome").read_json(&self.outcome)?,
            steps: cell("steps").read_json(&self.steps)?,
            check: self.name.clone(),
        })
    }
}
