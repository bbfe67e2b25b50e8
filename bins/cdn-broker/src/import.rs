//! `cdn-broker import`: takes over the instances of an earlier broker.

mod json;
mod text;

use std::time::Duration;

use anyhow::Context;
use broker::{ImportReport, Importer};
use clap::{ArgGroup, Args};
use contract::{LegacyBroker, Secret};
use store::LegacyDatabase;

use crate::cli::{complain, print};
use crate::config::Config;
use crate::output::{Progress, agreed};
use crate::{FAILED, FOUND, OK, command, wire};

pub(crate) const HELP: &str = "Example:
  cdn-broker import --from cf-cdn-service-broker --source postgres://… --plan
  cdn-broker import --from cf-cdn-service-broker --source postgres://… --apply
  cdn-broker import --from cf-cdn-service-broker --undo

The source is only ever read. Its URL can be given as IMPORT_SOURCE, and its password as PGPASSWORD, so that neither shows in \
the list of processes; without it the source is DATABASE_URL, where this broker keeps what is its own in a schema of its own.
Exit codes: 0 everything is adopted (or would be, or is forgotten); 1 it could not be done, and nothing or only whole instances \
were adopted; 2 some instances are not adopted, or not forgotten: the report says why; 64 wrong command line or environment.
It needs the environment of `cdn-broker serve`, and may run beside brokers. Stop the earlier broker before `--apply`: \
docs/MIGRATION.md.";

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of a command line")]
#[command(group(ArgGroup::new("what").required(true).args(["plan", "apply", "undo"])))]
pub(crate) struct ImportArgs {
    /// The earlier broker: cf-cdn-service-broker, paas-cdn-broker or external-domain-broker.
    #[arg(long, value_parser = parse_broker)]
    from: LegacyBroker,
    /// Its database, `postgres://USER:PASSWORD@HOST/DATABASE`; `DATABASE_URL` if it is not given.
    #[arg(long, env = "IMPORT_SOURCE", hide_env_values = true)]
    source: Option<String>,
    /// The `DATABASE_ENCRYPTION_KEY` of external-domain-broker.
    #[arg(long, env = "DATABASE_ENCRYPTION_KEY", hide_env_values = true)]
    source_key: Option<String>,
    /// Say what would be adopted, what is missing, and how each name will be proven; write nothing.
    #[arg(long)]
    plan: bool,
    /// Adopt what can be adopted. Run again, it goes on where it stopped.
    #[arg(long)]
    apply: bool,
    /// Forget what was adopted and has not been changed since.
    #[arg(long)]
    undo: bool,
    /// The most calls a second to CloudFront, and to IAM.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Over how many days the replacement is spread of certificates whose key nobody has.
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(0..=60))]
    spread_days: u32,
    /// Do not look where the names lead (`--plan` does, `--apply` does not need it).
    #[arg(long)]
    no_dns: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

fn parse_broker(name: &str) -> Result<LegacyBroker, String> {
    let names = LegacyBroker::ALL.map(LegacyBroker::as_str).join(", ");
    LegacyBroker::find(name).ok_or_else(|| format!("the earlier brokers are {names}"))
}

pub(crate) fn run(arguments: &ImportArgs) -> u8 {
    let what = match arguments.from.as_str() {
        name if arguments.undo => {
            format!("Forget what was adopted from {name} and has not been changed since?")
        }
        name => format!("Adopt the instances of {name}? It has to be stopped."),
    };
    if !arguments.plan
        && let Err(code) = agreed(&what, arguments.yes)
    {
        return code;
    }
    command::run(
        async |config| {
            if arguments.undo { undo(config, arguments).await } else { import(config, arguments).await }
        },
    )
}

async fn import(config: &Config, arguments: &ImportArgs) -> anyhow::Result<u8> {
    let url = arguments.source.as_deref().unwrap_or(&config.store.url);
    let key = arguments.source_key.clone().map(Secret::new);
    let source = LegacyDatabase::new(arguments.from, url, key).context("--source")?;
    let importer = importer(config, arguments).await?;
    let progress = Progress::of("instances");
    let told = |done, all| tell(&progress, done, all);
    let report = if arguments.apply {
        importer.apply(&source, &told).await?
    } else {
        importer.plan(&source, &told).await?
    };
    drop(progress);
    print(&if arguments.json { json::report(&report) } else { text::report(&report) });
    Ok(outcome(&report))
}

async fn undo(config: &Config, arguments: &ImportArgs) -> anyhow::Result<u8> {
    let progress = Progress::of("instances");
    let undone = importer(config, arguments).await?.undo(&|done, all| tell(&progress, done, all)).await?;
    drop(progress);
    print(&if arguments.json { json::undone(&undone) } else { text::undone(&undone) });
    Ok(if undone.kept.is_empty() { OK } else { FOUND })
}

fn tell(progress: &Progress, done: usize, all: usize) {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    progress.at(count(done), Some(count(all)));
}

async fn importer(config: &Config, arguments: &ImportArgs) -> anyhow::Result<Importer> {
    let spread = Duration::from_hours(24) * arguments.spread_days;
    let looks = arguments.plan && !arguments.no_dns;
    wire::importer(config, arguments.from, (arguments.rate, spread, looks)).await
}

fn outcome(report: &ImportReport) -> u8 {
    let refused = report.entries.iter().filter(|entry| entry.verdict.is_refusal());
    match (refused.count(), report.count(broker::Verdict::Unread)) {
        (0, _) => OK,
        (_, 0) => FOUND,
        (_, unread) => {
            complain(&format!("{unread} instances could not be looked at or stored; run it again"));
            FAILED
        }
    }
}
