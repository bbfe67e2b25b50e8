//! `cdn-broker checks …`: what is tried out from time to time, how it stands, and how it went.

mod text;

use broker::{ByHand, CheckStanding, Checks};
use clap::{Args, Subcommand};
use contract::{CheckOutcome, CheckRun};
use serde_json::{Value, json};

use crate::cli::{complain, print};
use crate::instances::words::rfc3339;
use crate::output::while_waiting;
use crate::{FAILED, FOUND, OK, command, wire};

#[derive(Subcommand)]
pub(crate) enum ChecksCommand {
    /// List the checks: what each stands for, how it stands, and when it runs next.
    #[command(after_help = "Example:\n  cdn-broker checks list\n\n\
        Exit codes: 0 listed, 1 it could not be done, 64 wrong command line or environment.")]
    List(ListArgs),
    /// Run a check now, and say how it went.
    #[command(after_help = "Example:\n  cdn-broker checks run acme-directory\n\n\
        The run counts like any other: repeated failure opens an incident, success closes it.\n\
        Exit codes: 0 it succeeded or was skipped, 1 it could not be run, 2 it failed, 64 wrong command line or environment.")]
    Run(RunArgs),
    /// Tell how the latest runs went, the newest first: of one check, or of all.
    #[command(after_help = "Example:\n  cdn-broker checks history acme-directory --runs 50\n\n\
        Exit codes: 0 told, 1 there is no such check, 64 wrong command line or environment.")]
    History(HistoryArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// One JSON array, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct RunArgs {
    /// The name of the check.
    name: String,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// The name of the check; all when it is left out.
    name: Option<String>,
    /// How many runs of each.
    #[arg(long, default_value_t = 20)]
    runs: u32,
    /// One JSON array, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &ChecksCommand) -> u8 {
    command::run(async |config| {
        let checks = wire::checks(config).await?;
        match command {
            ChecksCommand::List(arguments) => list(&checks, arguments).await,
            ChecksCommand::Run(arguments) => run_one(&checks, arguments).await,
            ChecksCommand::History(arguments) => history(&checks, arguments).await,
        }
    })
}

async fn list(checks: &Checks, arguments: &ListArgs) -> anyhow::Result<u8> {
    let list = checks.list().await?;
    if arguments.json {
        print(&format!("{:#}", Value::from(list.iter().map(standing).collect::<Vec<_>>())));
    } else {
        print(&text::list(&list));
    }
    Ok(OK)
}

async fn run_one(checks: &Checks, arguments: &RunArgs) -> anyhow::Result<u8> {
    let what = format!("running {}", arguments.name);
    let run = match while_waiting(&what, checks.run_now(&arguments.name)).await? {
        ByHand::Ran(run) => run,
        ByHand::Busy(until) => {
            complain(&format!("a broker runs it at this moment, until {until} at the latest; try again"));
            return Ok(FAILED);
        }
        ByHand::Unknown => return unknown(checks, &arguments.name).await,
    };
    if arguments.json {
        print(&format!("{:#}", one_run(&run)));
    } else {
        print(&text::run(&run));
    }
    Ok(if matches!(run.outcome, CheckOutcome::Failing(_)) { FOUND } else { OK })
}

async fn history(checks: &Checks, arguments: &HistoryArgs) -> anyhow::Result<u8> {
    let names = match &arguments.name {
        Some(name) => vec![name.clone()],
        None => checks.list().await?.into_iter().map(|one| one.record.name).collect(),
    };
    let mut runs = Vec::new();
    for name in &names {
        match checks.history(name, arguments.runs).await? {
            Some(of_check) => runs.extend(of_check),
            None => return unknown(checks, name).await,
        }
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.began));
    if arguments.json {
        print(&format!("{:#}", Value::from(runs.iter().map(one_run).collect::<Vec<_>>())));
    } else {
        print(&text::history(&runs));
    }
    Ok(OK)
}

async fn unknown(checks: &Checks, name: &str) -> anyhow::Result<u8> {
    let names: Vec<String> = checks.list().await?.into_iter().map(|one| one.record.name).collect();
    complain(&format!(
        "there is no check `{name}` here; there are {}. Some need settings: see docs/CHECKS.md",
        names.join(", ")
    ));
    Ok(FAILED)
}

fn standing(one: &CheckStanding) -> Value {
    let record = &one.record;
    json!({
        "name": record.name,
        "stands_for": one.stands_for,
        "every_seconds": one.every.map(|every| every.as_secs()),
        "state": text::state(one),
        "failures": record.failures,
        "failing_since": record.failing_since.map(rfc3339),
        "incident": record.told,
        "next_at": one.every.map(|_| rfc3339(record.next_at)),
        "running_until": record.leased_until.map(rfc3339),
        "runs": record.runs,
        "last": one.last.as_ref().map(one_run),
    })
}

fn one_run(run: &CheckRun) -> Value {
    let failure = match &run.outcome {
        CheckOutcome::Failing(failure) => Some(failure),
        _ => None,
    };
    let why = match &run.outcome {
        CheckOutcome::Skipped { why } => Some(why.as_str()),
        CheckOutcome::Underway { waits_for, .. } => Some(waits_for.as_str()),
        CheckOutcome::Failing(failure) => Some(failure.sentence.as_str()),
        CheckOutcome::Ok => None,
    };
    json!({
        "check": run.check,
        "number": run.number,
        "began_at": rfc3339(run.began),
        "took_ms": u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
        "verdict": text::verdict(&run.outcome),
        "sentence": why,
        "side": failure.map(|failure| failure.side.word()),
        "class": failure.map(|failure| failure.class.as_str()),
        "relies": failure.map(|failure| failure.relies.as_str()),
        "affected": failure.map(|failure| failure.affected.iter().map(contract::InstanceId::as_str).collect::<Vec<_>>()),
        "steps": run.steps.iter().map(|step| json!({"name": step.name, "ms": step.millis, "ended": step.ended})).collect::<Vec<_>>(),
    })
}
