//! The shape of the tables, compared with what this version needs, and brought to it, without opening the store.

use diesel::prelude::*;
use tokio::task::spawn_blocking;

use crate::db::Db;
use crate::error::StoreError;
use crate::readiness::__diesel_schema_migrations;
use crate::store::{Store, StoreSettings, connect};
use crate::target::Target;

/// How the tables of a database stand to this version of the program. Migrations are named as their folders are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Migrations that this version needs and that have not been run, in the order in which they are.
    pub missing: Vec<String>,
    /// Versions of migrations that have been run and that this version does not know: those of a later one. It works with
    /// them, if it is the version before.
    pub unknown: Vec<String>,
}

impl Store {
    /// Looks whether the database has the shape that this version needs. Nothing is changed; a file that does not exist is
    /// not made.
    ///
    /// Errors: [`StoreError::Settings`]; [`StoreError::Unreachable`] within five seconds.
    pub async fn shape(settings: &StoreSettings) -> Result<Shape, StoreError> {
        settings.check()?;
        let target = Target::parse(&settings.url)?;
        if target.is_missing_file() {
            return Shape::of(&[]);
        }
        let mut db = connect(&target).await?;
        blocking(move || shape_of(&mut db)).await
    }

    /// Brings the database to the shape of this version, as opening the store does, and says which migrations were run for
    /// that. Of several that try at once one works, under a lock of the database; the others wait and find nothing to do.
    ///
    /// Errors: those of [`Store::open`].
    pub async fn migrate(settings: &StoreSettings) -> Result<Vec<String>, StoreError> {
        settings.check()?;
        let mut db = connect(&Target::parse(&settings.url)?).await?;
        blocking(move || db.migrate()).await
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    spawn_blocking(work).await.map_err(|_| StoreError::BrokenOff)?
}

/// How the tables stand; nothing is changed.
pub(crate) fn shape_of(db: &mut Db) -> Result<Shape, StoreError> {
    Shape::of(&run_so_far(db)?)
}

/// The versions of what has been run; none, when nothing ever was.
fn run_so_far(db: &mut Db) -> Result<Vec<String>, StoreError> {
    if !db.was_ever_migrated()? {
        return Ok(Vec::new());
    }
    Ok(__diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(db)?)
}

impl Shape {
    /// After these migrations have been run, by their versions.
    pub(crate) fn of(run: &[String]) -> Result<Self, StoreError> {
        let known = Db::migrations()?;
        let is_known = |version: &&String| known.iter().any(|(known, _)| known == *version);
        let missing = known.iter().filter(|(version, _)| !run.contains(version));
        Ok(Self {
            missing: missing.map(|(_, name)| name.clone()).collect(),
            unknown: run.iter().filter(|version| !is_known(version)).cloned().collect(),
        })
    }
}
