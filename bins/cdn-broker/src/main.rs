#![doc = include_str!("../README.md")]

mod accounts;
mod alerts;
mod aws;
mod certificates;
mod checks;
mod cli;
mod clock;
mod command;
mod completions;
mod config;
mod config_check;
mod fit;
mod import;
mod instances;
mod keys;
mod ledger;
mod logging;
mod migrate;
mod operations;
mod output;
mod reconcile;
mod serve;
mod tls;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, ConfigCommand};
use crate::output::exit::{FAILED, FOUND, OK, USAGE};

fn main() -> ExitCode {
    let code = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(help_or_error) => cli::explain(&help_or_error),
    };
    ExitCode::from(code)
}

fn run(command: Command) -> u8 {
    match command {
        Command::Serve => serve::run(),
        Command::Instances(command) => instances::run(&command),
        Command::Operations(command) => operations::run(&command),
        Command::Certificates(command) => certificates::run(&command),
        Command::Accounts(command) => accounts::run(&command),
        Command::Ledger(command) => ledger::run(&command),
        Command::Checks(command) => checks::run(&command),
        Command::Config(ConfigCommand::Check(arguments)) => config_check::run(&arguments),
        Command::Keys(command) => keys::run(&command),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Alerts(command) => alerts::run(&command),
        Command::Import(arguments) => import::run(&arguments),
        Command::Aws(command) => aws::run(&command),
        Command::Completions { shell } => completions::run(shell),
    }
}
