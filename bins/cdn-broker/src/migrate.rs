//! `cdn-broker migrate`: the tables of the database, brought to the shape of this version before a broker is started.

use anyhow::Context;
use clap::Args;
use serde_json::json;
use store::{Shape, Store};

use crate::config::Config;
use crate::output::{complain, print, while_waiting};
use crate::{FOUND, OK, command};

#[derive(Args)]
pub(crate) struct MigrateArgs {
    /// Only say whether it is needed; nothing is changed. Exit code 2 if it is.
    #[arg(long)]
    check: bool,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &MigrateArgs) -> u8 {
    command::run(async |config| {
        let run = if arguments.check { Vec::new() } else { migrated(config).await? };
        let shape = Store::shape(&config.store).await.context("cannot look at the database")?;
        print(&if arguments.json { as_json(&run, &shape) } else { as_text(&run, &shape) });
        for version in &shape.unknown {
            complain(&format!(
                "the database has the migration {version} of a later version; this one works with it if it is the version before"
            ));
        }
        Ok(if shape.missing.is_empty() { OK } else { FOUND })
    })
}

/// Somebody else may be at it, and a large table takes its time.
async fn migrated(config: &Config) -> anyhow::Result<Vec<String>> {
    while_waiting("migrating", Store::migrate(&config.store)).await.context("cannot migrate the database")
}

fn as_json(run: &[String], shape: &Shape) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let told = json!({"version": version, "run": run, "missing": shape.missing, "unknown": shape.unknown});
    format!("{told:#}")
}

fn as_text(run: &[String], shape: &Shape) -> String {
    let missing = shape.missing.iter().map(|name| format!("missing: {name}"));
    let run = run.iter().map(|name| format!("run: {name}"));
    let version = env!("CARGO_PKG_VERSION");
    let end = if shape.missing.is_empty() {
        format!("The database has what version {version} needs.")
    } else {
        format!(
            "The database lacks what version {version} needs: `cdn-broker migrate`, or starting a broker, brings it."
        )
    };
    run.chain(missing).chain([end]).collect::<Vec<_>>().join("\n")
}
