//! The databases that are measured.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::{BrokerSettings, Postgres};
use store::{SealingKey, Store, StoreSettings};
use tempfile::TempDir;

use crate::clock::SystemClock;

/// The aims are for this one.
pub(crate) const POSTGRES: &str = "PostgreSQL";

/// As many connections as a broker holds.
const POOL_SIZE: u32 = 4;

/// A new database with nothing in it, gone with this value.
pub(crate) struct Database {
    /// What people call it.
    pub(crate) name: &'static str,
    /// `DATABASE_URL`.
    pub(crate) url: String,
    _folder: Option<TempDir>,
    server: Option<Postgres>,
}

impl Database {
    /// One of each kind.
    pub(crate) async fn each() -> anyhow::Result<[Self; 2]> {
        Ok([Self::sqlite()?, Self::postgres().await?])
    }

    /// A PostgreSQL server of its own, which does not wait for its disk. A platform uses this kind in production.
    pub(crate) async fn postgres() -> anyhow::Result<Self> {
        let server = Postgres::start().await?;
        let url = server.database("bench").await?;
        Ok(Self { name: POSTGRES, url, _folder: None, server: Some(server) })
    }

    /// How many transactions its server has committed or rolled back so far: a statement by itself is one. PostgreSQL only.
    pub(crate) async fn transactions(&self) -> anyhow::Result<usize> {
        let server = self.server.as_ref().context("only PostgreSQL counts transactions")?;
        let counted = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'bench'";
        let rows = server.ask("bench", counted).await?;
        Ok(rows.first().context("the server counts nothing")?.parse()?)
    }

    fn sqlite() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}", folder.path().join("broker.sqlite").display());
        Ok(Self { name: "SQLite", url, _folder: Some(folder), server: None })
    }

    /// Opens it in this process, as the broker of `settings` does in its own.
    pub(crate) async fn open(&self, settings: &BrokerSettings) -> anyhow::Result<Store> {
        let settings = StoreSettings {
            url: self.url.clone(),
            keys: vec![sealing_key(&settings.encryption_keys)?],
            pool_size: POOL_SIZE,
        };
        Ok(Store::open(&settings, Arc::new(SystemClock)).await?)
    }

    /// The settings of a broker on it. `state` is where the sandbox keeps its files.
    pub(crate) fn broker_settings(&self, state: &Path) -> anyhow::Result<BrokerSettings> {
        Ok(BrokerSettings { database_url: self.url.clone(), ..BrokerSettings::new(state)? })
    }
}

fn sealing_key(text: &str) -> anyhow::Result<SealingKey> {
    let (name, key) = text.split_once(':').context("a sealing key is NAME:BASE64")?;
    let key: [u8; 32] = STANDARD.decode(key)?.try_into().ok().context("a sealing key has 32 bytes")?;
    Ok(SealingKey::new(name, key)?)
}
