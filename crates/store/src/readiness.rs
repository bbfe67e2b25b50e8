use async_trait::async_trait;
use contract::{PortResult, Readiness};
use diesel::prelude::*;

use crate::db::Db;
use crate::error::StoreError;
use crate::store::Store;

diesel::table! {
    /// Where diesel keeps what has been run.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

#[async_trait]
impl Readiness for Store {
    async fn ready(&self) -> PortResult<()> {
        self.run("ask the database whether it is ready", |db, _| {
            let run: Vec<String> =
                __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(db)?;
            match Db::migrations()?.into_iter().find(|(version, _)| !run.contains(version)) {
                Some((missing, _)) => Err(StoreError::Behind(missing)),
                None => Ok(()),
            }
        })
        .await
    }
}
