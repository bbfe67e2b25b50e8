//! The databases of earlier brokers. They are read in one transaction that cannot write, on a connection that cannot either.

mod external_domain;
mod routes;
mod shape;

use async_trait::async_trait;
use contract::{LegacyBroker, LegacyInstance, LegacyInstances, PortResult, Secret, Timestamp};
use diesel::connection::{Connection, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio::task::spawn_blocking;

use crate::error::StoreError;
use crate::target::Target;

/// Everything is seen as it was at one moment, and nothing can be written, whatever the user may do there.
const READ_ONLY: &str = "SET default_transaction_read_only = on; SET statement_timeout = '60s'; \
     SET lock_timeout = '10s'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;";

/// The database of an earlier broker.
#[derive(Clone)]
pub struct LegacyDatabase {
    broker: LegacyBroker,
    target: Target,
    key: Option<Secret>,
}

impl LegacyDatabase {
    /// The database of `broker` at `url`, as libpq takes it. `key` opens the columns that `external-domain-broker` seals:
    /// its `DATABASE_ENCRYPTION_KEY`. Nothing is touched yet.
    ///
    /// Errors: [`StoreError::Settings`] when it is not the URL of a PostgreSQL database.
    pub fn new(broker: LegacyBroker, url: &str, key: Option<Secret>) -> Result<Self, StoreError> {
        match Target::parse(url)? {
            Target::Sqlite { .. } => {
                Err(StoreError::Settings("the earlier brokers keep their data in PostgreSQL only".to_owned()))
            }
            target @ Target::Postgres { .. } => Ok(Self { broker, target, key }),
        }
    }

    fn read(&self) -> Result<Vec<LegacyInstance>, StoreError> {
        let Target::Postgres { url } = &self.target else { return Ok(Vec::new()) };
        let mut db = PgConnection::establish(url).map_err(|error| self.target.unreachable(&error))?;
        db.batch_execute(READ_ONLY)?;
        shape::check(&mut db, self.broker)?;
        match self.broker {
            LegacyBroker::CfCdn => routes::cf_cdn(&mut db),
            LegacyBroker::PaasCdn => routes::paas_cdn(&mut db),
            LegacyBroker::ExternalDomain => external_domain::all(&mut db, self.key.as_ref()),
        }
    }
}

#[async_trait]
impl LegacyInstances for LegacyDatabase {
    async fn all(&self) -> PortResult<Vec<LegacyInstance>> {
        let database = self.clone();
        let read = spawn_blocking(move || database.read()).await.unwrap_or(Err(StoreError::BrokenOff));
        read.map_err(|error| forbidden(error).while_doing("read the database of the earlier broker"))
    }
}

/// A table that may not be read is for the operator to open, and is not said to be missing.
fn forbidden(error: StoreError) -> StoreError {
    match error {
        StoreError::Query(DieselError::DatabaseError(DatabaseErrorKind::Unknown, why))
            if why.message().starts_with("permission denied") =>
        {
            StoreError::Foreign(format!(
                "{}: the user of the URL has to be allowed to read it",
                why.message()
            ))
        }
        other => other,
    }
}

/// Milliseconds since the epoch, as the queries give them.
fn moment(milliseconds: Option<i64>) -> Option<Timestamp> {
    milliseconds.map(Timestamp::from_millis)
}

/// A text that says nothing is as good as none.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
