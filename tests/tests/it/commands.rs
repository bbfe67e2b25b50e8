//! The operator's commands, as an operator uses them: the real program beside a running broker.

mod accounts;
mod certificates;
mod ledger;
mod operations;
mod purge;

use std::process::Stdio;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::house::{House, Printed, program};

/// A table fits a terminal of 80 columns.
fn fits(printed: &Printed) -> anyhow::Result<()> {
    for line in printed.out.lines() {
        ensure!(line.chars().count() <= 80, "{} columns: {line:?}", line.chars().count());
    }
    Ok(())
}

/// What was printed, on one line: texts are broken where a terminal ends.
fn in_a_line(printed: &Printed) -> String {
    printed.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Starts a command and does not wait for it.
fn begun(house: &House, settings: &BrokerSettings, arguments: &[&str]) -> anyhow::Result<Child> {
    let mut command = Command::new(program("cdn-broker")?);
    command.args(arguments).env_clear().envs(house.sandbox.broker_environment(settings));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command.spawn()?)
}

/// Runs a command for somebody who types this when asked.
async fn typing(
    house: &House,
    settings: &BrokerSettings,
    arguments: &[&str],
    typed: &str,
) -> anyhow::Result<Printed> {
    let mut child = begun(house, settings, arguments)?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(typed.as_bytes()).await?;
    drop(stdin);
    let ended = child.wait_with_output().await?;
    Ok(Printed {
        code: ended.status.code().context("the command was killed")?,
        out: String::from_utf8(ended.stdout)?,
        err: String::from_utf8(ended.stderr)?,
    })
}
