//! A connection that is opened when it is needed, and again when it has broken.

use std::time::Duration;

use tokio::time::Instant;

use crate::db::Db;
use crate::error::StoreError;
use crate::target::Target;

/// For how long a connection that has just worked is taken to work still. Asking it each time would double the number
/// of round trips under load; no server goes and comes back within this time, so that only callers who meet it while it
/// is away anyway get an error.
const TRUSTED: Duration = Duration::from_millis(100);

/// The way of one thread to the database.
pub(crate) struct Line {
    target: Target,
    connection: Option<Db>,
    /// When the connection last did what it was asked; `None` when it did not.
    worked: Option<Instant>,
}

impl Line {
    /// A way to `target`, which need not be there yet.
    pub(crate) fn to(target: Target) -> Self {
        Self { target, connection: None, worked: None }
    }

    /// A way on which a connection is open already.
    pub(crate) fn open(target: Target, connection: Db) -> Self {
        Self { connection: Some(connection), ..Self::to(target) }
    }

    /// Runs `work` with a connection that works.
    ///
    /// Errors: [`StoreError::Unreachable`] before `work` was begun; those of `work`.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut db = self.working()?;
        let outcome = work(&mut db);
        self.worked = outcome.is_ok().then(Instant::now);
        self.connection = (!db.is_broken()).then_some(db);
        outcome
    }

    fn working(&mut self) -> Result<Db, StoreError> {
        let mut kept = self.connection.take();
        if !self.is_trusted() {
            kept = kept.and_then(|mut db| db.ping().is_ok().then_some(db));
        }
        kept.map_or_else(|| Db::connect(&self.target), Ok)
    }

    /// Gives the connection up, whatever is under way on it.
    pub(crate) fn hang_up(&mut self) {
        self.connection = None;
    }

    fn is_trusted(&self) -> bool {
        self.worked.is_some_and(|worked| worked.elapsed() < TRUSTED)
    }
}
