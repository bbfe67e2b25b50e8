//! What both commands need before they begin: a folder, settings, the broker's program.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::{BrokerSettings, Postgres, Settings};
use tempfile::TempDir;

use crate::arguments::SetupOptions;

/// The service and the plan of the default catalog (`design.md`, 6).
pub(crate) const SERVICE_ID: &str = "8478b533-2b59-4007-8494-2feec5970f94";
pub(crate) const PLAN_ID: &str = "fc055c72-1075-44c9-9aee-bddd52e1b053";

/// What is kept: the state folder and, if one is asked for, the database server. What is temporary goes with this value.
pub(crate) struct State {
    path: PathBuf,
    _temporary: Option<TempDir>,
    _postgres: Option<Postgres>,
}

impl State {
    /// Makes what `options` ask for. A server that was asked for is the database of `options` from then on.
    pub(crate) async fn prepare(options: &mut SetupOptions) -> anyhow::Result<Self> {
        let (path, temporary) = folder(options.state.as_deref())?;
        let mut postgres = None;
        if options.postgres {
            let server = Postgres::start().await?;
            options.database_url = Some(server.database("broker").await?);
            postgres = Some(server);
        }
        Ok(Self { path, _temporary: temporary, _postgres: postgres })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn folder(wanted: Option<&Path>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    let Some(path) = wanted else {
        let folder = tempfile::Builder::new().prefix("cdn-sandbox-").tempdir()?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok((path.canonicalize()?, None))
}

pub(crate) fn sandbox_settings(options: &SetupOptions, state: &Path) -> Settings {
    let mut settings = Settings::new(state);
    settings.aws.deploy = Duration::from_secs(options.deploy_seconds);
    settings.aws.iam_propagation = Duration::from_secs(options.iam_propagation_seconds);
    settings
}

pub(crate) fn broker_settings(options: &SetupOptions, state: &Path) -> anyhow::Result<BrokerSettings> {
    let mut settings = BrokerSettings::new(state)?;
    if let Some(url) = &options.database_url {
        settings.database_url.clone_from(url);
    }
    Ok(settings)
}

/// The program to run: the one given, or the one that was built into the same folder as this one.
pub(crate) fn broker_binary(options: &SetupOptions) -> anyhow::Result<PathBuf> {
    let binary = match &options.broker {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("cdn-broker"),
    };
    ensure!(
        binary.is_file(),
        "there is no {}: build it with `cargo build -p cdn-broker`, or say where it is with --broker PATH",
        binary.display()
    );
    Ok(binary.canonicalize()?)
}
