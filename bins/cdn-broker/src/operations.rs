//! `cdn-broker operations …`: what runs and what has run, on all instances. Reads the database only.

mod list;
mod show;

use broker::{Waiting, words};
use clap::{Args, Subcommand};

use crate::{command, wire};

#[derive(Subcommand)]
pub(crate) enum OperationsCommand {
    /// List operations, the newest first.
    ///
    /// `AGE` is how long ago one was begun. `WAITS` is for whom one waits that runs: `operator` (something that only the
    /// operator can remove), `retry` (the last try has failed), `room` (the authority's limits, or a name that another instance
    /// has), `user` (who has to prove a domain), `cdn` (that brings a change to its edges), `broker` (one that is free).
    #[command(after_help = "Examples:\n  cdn-broker operations list --waits-for operator\n  \
        cdn-broker operations list --state failed --kind renew\n\n\
        It reads page by page: with very many operations the first are printed at once, and `| head` is enough.\n\
        Exit codes: 0 listed (also when there are none), 1 failed, 64 wrong command line or environment.")]
    List(ListArgs),
    /// Tell all about one operation: where it stands, its tries, who is at work, what comes next, its errors, its history.
    #[command(after_help = "Examples:\n  cdn-broker operations show 0c6e21b0f5b94f7c8a1d2e3f40516273\n  \
        cdn-broker operations show 9a4b0c1e-0000-4000-8000-000000000001\n\n\
        Exit codes: 0 told, 1 there is no such operation, 64 wrong command line or environment.")]
    Show(ShowArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only operations that stand like this: running, succeeded, failed or cancelled.
    #[arg(long, value_parser = words::parse_outcome)]
    state: Option<contract::OperationState>,
    /// Only operations that do this: provision, update, renew, recreate or deprovision.
    #[arg(long, value_parser = words::parse_kind)]
    kind: Option<contract::OperationKind>,
    /// Only operations that run and wait for this: operator, retry, room, user, cdn or broker.
    #[arg(long, value_name = "WHOM", value_parser = words::parse_waiting)]
    waits_for: Option<Waiting>,
    /// Only operations on this instance.
    #[arg(long, value_name = "ID")]
    instance: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    most: Option<u32>,
    /// With step, tries, next run and id, for wide terminals.
    #[arg(long)]
    wide: bool,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The id of the operation; or that of an instance, for the newest on each of its two tracks.
    id: String,
    /// One JSON object, for programs; for an instance one a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &OperationsCommand) -> u8 {
    command::run(async |config| {
        let operator = wire::operator(config).await?;
        match command {
            OperationsCommand::List(arguments) => list::run(&operator, arguments).await,
            OperationsCommand::Show(arguments) => show::run(&operator, arguments).await,
        }
    })
}
