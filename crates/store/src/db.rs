//! The connection: one enumeration over the databases, so that each query is written once.

use contract::Clock;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::pg::PgConnection;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{Connection, MultiConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::StoreError;
use crate::target::Target;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Settings that SQLite keeps per connection. `FULL`, because a broker must remember what it has asked of others
/// even when the machine loses power; a writer waits for another one up to five seconds.
const SQLITE_SETTINGS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;";

/// Settings of a session of PostgreSQL. The timeouts end what a stuck server or a dead broker would hold for ever:
/// every statement of this crate takes milliseconds.
const POSTGRES_SETTINGS: &str = "SET search_path TO cdn_broker; SET statement_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '10s';";

/// Taken by whoever migrates, until the end of the transaction. The number is "cdn-brok" in ASCII. The schema is made
/// only when it is not there: a user who may not make schemas can be given one.
const POSTGRES_BEFORE_MIGRATIONS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1min'; \
     SELECT pg_advisory_xact_lock(x'63646e2d62726f6b'::bigint); \
     DO $$ BEGIN IF to_regnamespace('cdn_broker') IS NULL THEN CREATE SCHEMA cdn_broker; END IF; END $$;";

/// Why nothing can be written; empty when it can.
const POSTGRES_REFUSES_WRITES: &str = "(CASE \
     WHEN pg_is_in_recovery() THEN 'it is a standby, which takes no writes' \
     WHEN current_setting('default_transaction_read_only')::boolean THEN 'default_transaction_read_only is on' \
     ELSE '' END)";

/// The same, and why the migrations could make nothing. What is asked about a schema that is not there is unknown.
const POSTGRES_REFUSES_TABLES: &str = "(CASE \
     WHEN pg_is_in_recovery() THEN 'it is a standby, which takes no writes' \
     WHEN current_setting('default_transaction_read_only')::boolean THEN 'default_transaction_read_only is on' \
     WHEN to_regnamespace('cdn_broker') IS NULL AND NOT has_database_privilege(current_database(), 'CREATE') \
         THEN 'the user may not make the schema cdn_broker' \
     WHEN NOT has_schema_privilege(to_regnamespace('cdn_broker')::oid, 'CREATE') \
         THEN 'the user may not make tables in the schema cdn_broker' \
     ELSE '' END)";

/// How often the mode of a file of SQLite is asked for while others open it as well: each time somebody was done with it.
const MODE_TRIES: usize = 50;

/// A connection to one of the databases.
#[derive(MultiConnection)]
pub(crate) enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Does `$work` with the connection beneath `$db`, whichever it is. For the queries of every poll: a statement on [`Db`] itself
/// is put into words at each call, one on a database's own connection at the first.
macro_rules! on_its_own {
    ($db:expr, |$connection:ident| $work:expr) => {
        match $db {
            $crate::db::Db::Sqlite($connection) => $work,
            $crate::db::Db::Postgres($connection) => $work,
        }
    };
}
pub(crate) use on_its_own;

type Transactions = <Db as Connection>::TransactionManager;

impl Db {
    /// Opens a connection with everything that is set per connection.
    pub(crate) fn connect(target: &Target) -> Result<Self, StoreError> {
        match target {
            Target::Sqlite { file } => {
                let mut connection =
                    SqliteConnection::establish(file).map_err(|error| target.unreachable(&error))?;
                connection.batch_execute(SQLITE_SETTINGS)?;
                Ok(Self::Sqlite(connection))
            }
            Target::Postgres { url } => {
                let mut connection =
                    PgConnection::establish(url).map_err(|error| target.unreachable(&error))?;
                connection.batch_execute(POSTGRES_SETTINGS)?;
                Ok(Self::Postgres(connection))
            }
        }
    }

    /// Brings the database to the shape of this version, and says which migrations were run. Of several that try at once one
    /// works, the others wait and find nothing left to do.
    pub(crate) fn migrate(&mut self) -> Result<Vec<String>, StoreError> {
        if let Self::Sqlite(connection) = self {
            keep_a_write_ahead_log(connection)?;
        }
        let mut run = Vec::new();
        self.write(|db| {
            let versions = match db {
                Self::Sqlite(connection) => connection.run_pending_migrations(SQLITE_MIGRATIONS),
                Self::Postgres(connection) => {
                    connection.batch_execute(POSTGRES_BEFORE_MIGRATIONS)?;
                    connection.run_pending_migrations(POSTGRES_MIGRATIONS)
                }
            };
            run = versions.map_err(StoreError::Migrations)?.iter().map(ToString::to_string).collect();
            Ok(true)
        })?;
        let known = Self::migrations()?;
        Ok(known.into_iter().filter(|(version, _)| run.contains(version)).map(|(_, name)| name).collect())
    }

    /// Has everything refused from now on that would write.
    pub(crate) fn only_read(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute("PRAGMA query_only = ON")?,
            Self::Postgres(connection) => {
                connection.batch_execute("SET default_transaction_read_only = on")?;
            }
        }
        Ok(())
    }

    /// Finds out whether writes are taken, without one; `also_tables`, whether tables may be made.
    pub(crate) fn takes_writes(&mut self, also_tables: bool) -> Result<(), StoreError> {
        let refusal = match self {
            Self::Sqlite(connection) => connection
                .batch_execute("BEGIN IMMEDIATE; ROLLBACK")
                .err()
                .map_or_else(String::new, |error| error.to_string()),
            Self::Postgres(connection) => {
                let query = if also_tables { POSTGRES_REFUSES_TABLES } else { POSTGRES_REFUSES_WRITES };
                diesel::select(sql::<Text>(query)).get_result(connection)?
            }
        };
        if refusal.is_empty() { Ok(()) } else { Err(StoreError::Unwritable(refusal)) }
    }

    /// Whether migrations were ever run here.
    pub(crate) fn was_ever_migrated(&mut self) -> Result<bool, StoreError> {
        let tables: i64 = match self {
            Self::Sqlite(connection) => {
                let tables = "(SELECT count(*) FROM sqlite_master WHERE name = '__diesel_schema_migrations')";
                diesel::select(sql::<BigInt>(tables)).get_result(connection)?
            }
            Self::Postgres(connection) => {
                let tables = "(SELECT count(*) FROM pg_tables WHERE schemaname = 'cdn_broker' AND tablename = \
                     '__diesel_schema_migrations')";
                diesel::select(sql::<BigInt>(tables)).get_result(connection)?
            }
        };
        Ok(tables > 0)
    }

    /// The migrations that this version of the program needs, in their order: version, and name as their folder is called.
    /// Both databases have the same ones.
    pub(crate) fn migrations() -> Result<Vec<(String, String)>, StoreError> {
        let migrations = MigrationSource::<Sqlite>::migrations(&SQLITE_MIGRATIONS);
        let migrations = migrations.map_err(StoreError::Migrations)?;
        let names = migrations.iter().map(|migration| migration.name());
        Ok(names.map(|name| (name.version().to_string(), name.to_string())).collect())
    }

    /// Runs `work` in a transaction: everything it has written stays when it answers `true`, and nothing otherwise.
    ///
    /// `work` writes before it reads. In SQLite the transaction holds the right to write from its beginning, so that
    /// it never has to ask for it half-way, where it could only be refused.
    pub(crate) fn write(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(connection) => {
                AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?;
            }
            Self::Postgres(connection) => AnsiTransactionManager::begin_transaction(connection)?,
        }
        match work(self) {
            Ok(true) => Transactions::commit_transaction(self).map(|()| true).map_err(StoreError::from),
            outcome => {
                // A connection that cannot even roll back is broken, and is dropped; the outcome stands.
                let _ = Transactions::rollback_transaction(self);
                outcome
            }
        }
    }

    /// Asks the database for a sign of life.
    pub(crate) fn ping(&mut self) -> Result<(), StoreError> {
        Ok(self.batch_execute("SELECT 1")?)
    }

    /// Whether nothing more can be done with the connection.
    pub(crate) fn is_broken(&mut self) -> bool {
        Transactions::is_broken_transaction_manager(self)
    }

    /// The clock that leases are measured by, in milliseconds since the epoch: everybody on one database must use
    /// the same one. SQLite has none of its own; there it is the clock of this process.
    pub(crate) fn lease_clock(&mut self, clock: &dyn Clock) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(clock.now().as_millis()),
            Self::Postgres(connection) => {
                let clock = sql::<BigInt>("(extract(epoch from clock_timestamp()) * 1000)::bigint");
                Ok(diesel::select(clock).get_result(connection)?)
            }
        }
    }
}

/// Sets the mode that is kept in the file. Changing it needs the file for itself, and whoever finds another one at work on a
/// new file is refused at once, whatever `busy_timeout` says. Asking for the file in a transaction does wait.
fn keep_a_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for _ in 0..MODE_TRIES {
        match connection.batch_execute("PRAGMA journal_mode = WAL") {
            Err(Error::DatabaseError(_, said)) if said.message() == "database is locked" => {
                connection.batch_execute("BEGIN EXCLUSIVE; COMMIT")?;
            }
            outcome => return Ok(outcome?),
        }
    }
    Ok(connection.batch_execute("PRAGMA journal_mode = WAL")?)
}
