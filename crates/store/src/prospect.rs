//! What opening the store would meet, found out without changing anything.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use contract::Clock;

use crate::error::StoreError;
use crate::migrating::{Shape, blocking, shape_of};
use crate::sealing::Sealer;
use crate::store::{Store, StoreSettings, connect};
use crate::target::Target;

/// What a broker would find at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// Whether there is a database. A file of SQLite that does not exist is made when the store is opened.
    pub is_there: bool,
    /// How its tables stand to this version; [`Store::open`] would run what is missing.
    pub shape: Shape,
}

impl Store {
    /// Finds out what [`Store::open`] would meet, and whether it could write where it has to. Nothing is made and nothing is
    /// migrated. Beside a file of SQLite another one is made for a moment and removed.
    ///
    /// Errors: [`StoreError::Settings`]; [`StoreError::Unreachable`] within five seconds; [`StoreError::Unwritable`].
    pub async fn prospect(settings: &StoreSettings) -> Result<Prospect, StoreError> {
        settings.check()?;
        let target = Target::parse(&settings.url)?;
        if let Target::Sqlite { file } = &target {
            let file = file.clone();
            blocking(move || takes_files_beside(&file)).await?;
        }
        if target.is_missing_file() {
            return Ok(Prospect { is_there: false, shape: Shape::of(&[])? });
        }
        let mut db = connect(&target).await?;
        blocking(move || {
            let shape = shape_of(&mut db)?;
            db.takes_writes(!shape.missing.is_empty())?;
            Ok(Prospect { is_there: true, shape })
        })
        .await
    }

    /// Opens the database as it is, to read: nothing is made, nothing is migrated, and the database refuses what would
    /// write. There is one connection.
    ///
    /// Errors: [`StoreError::Settings`]; [`StoreError::Unreachable`] within five seconds, also for a file that does not exist.
    pub async fn open_to_read(settings: &StoreSettings, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        settings.check()?;
        let target = Target::parse(&settings.url)?;
        if target.is_missing_file() {
            return Err(StoreError::Unreachable("there is no such file of SQLite".to_owned()));
        }
        let mut first = connect(&target).await?;
        let first = blocking(move || first.only_read().map(|()| first)).await?;
        Self::on(target, first, 1, Sealer::new(&settings.keys)?, clock)
    }
}

impl Target {
    /// Whether it is a file that has to be made first.
    pub(crate) fn is_missing_file(&self) -> bool {
        matches!(self, Self::Sqlite { file } if !Path::new(file).exists())
    }
}

/// SQLite keeps its log beside its file, and whoever makes the file needs the folder too. Permissions do not tell about disks
/// that are full or mounted to be read.
fn takes_files_beside(file: &str) -> Result<(), StoreError> {
    let folder = Path::new(file).parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let trial = folder.join(format!(".cdn-broker-{}", std::process::id()));
    let made =
        OpenOptions::new().write(true).create_new(true).open(&trial).and_then(|_| fs::remove_file(&trial));
    match made {
        // Somebody else tries the same.
        Err(why) if why.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(|why| {
            StoreError::Unwritable(format!("no file can be made in {}: {why}", folder.display()))
        }),
    }
}
