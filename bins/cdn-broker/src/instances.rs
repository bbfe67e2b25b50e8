//! `cdn-broker instances …`: look at service instances, and set right what has gone wrong with one. The commands read and
//! write the database only; the work is done by whichever broker takes it on.

mod act;
pub(crate) mod history;
mod link;
mod list;
mod purge;
mod show;
pub(crate) mod words;

use broker::Operator;
use clap::{Args, Subcommand};
use contract::InstanceId;

use crate::{command, wire};

macro_rules! acted {
    ($command:literal) => {
        concat!(
            "Examples:\n  cdn-broker instances ",
            $command,
            " 9a4b0c1e-0000-4000-8000-000000000001\n  cdn-broker instances ",
            $command,
            " --no-wait 9a4b0c1e-0000-4000-8000-000000000001\n\n\
             The command waits and says what happens; interrupted, the work goes on without it.\n\
             Exit codes: 0 done (or begun, with --no-wait), 1 failed or refused, 64 wrong command line or environment."
        )
    };
}

#[derive(Subcommand)]
pub(crate) enum InstancesCommand {
    /// List the instances, in the order of their ids.
    #[command(after_help = "Examples:\n  cdn-broker instances list --state provision-failed\n  \
        cdn-broker instances list --watch\n\n\
        --json prints one object a line, as it is read: see docs/COMMANDS.md.\n\
        Exit codes: 0 listed, 1 it could not be done, 64 wrong command line or environment.")]
    List(ListArgs),
    /// Tell the whole story of an instance: request, domains, where it stands, what comes next, certificate, log.
    #[command(after_help = "Examples:\n  cdn-broker instances show 9a4b0c1e-0000-4000-8000-000000000001\n  \
        cdn-broker instances show --watch 9a4b0c1e-0000-4000-8000-000000000001\n  \
        cdn-broker instances show --link 9a4b0c1e-0000-4000-8000-000000000001\n\n\
        Exit codes: 0 told, 1 there is no such instance, or what was watched has failed, 64 wrong command line or environment.")]
    Show(ShowArgs),
    /// Tell what was done for an instance, operation by operation, the latest first.
    #[command(
        after_help = "Example:\n  cdn-broker instances history 9a4b0c1e-0000-4000-8000-000000000001\n\n\
        Exit codes: 0 told, 1 there is no such instance, 64 wrong command line or environment."
    )]
    History(HistoryArgs),
    /// Let the operation that has failed last go on where it was given up.
    #[command(after_help = acted!("retry"))]
    Retry(ActArgs),
    /// Rebuild an instance from the database: its distribution, its certificate, its names.
    ///
    /// For a distribution that was deleted by mistake, a certificate that is gone, an account that was replaced, and an
    /// instance that could not be created. What is still there is kept; a certificate that is still valid is used again.
    #[command(after_help = acted!("recreate"))]
    Recreate(ActArgs),
    /// End an update or a recreation that does not get on, before the CDN was told of it.
    ///
    /// What is served stays as it is, and the platform reads that the operation has failed; its user can make the same
    /// update again, which goes on where this one stopped.
    #[command(
        after_help = "Example:\n  cdn-broker instances cancel --yes 9a4b0c1e-0000-4000-8000-000000000001\n\n\
        Exit codes: 0 ended, 1 refused or not agreed to, 64 wrong command line or environment."
    )]
    Cancel(CancelArgs),
    /// Renew the certificate of an instance now.
    #[command(after_help = acted!("renew"))]
    Renew(ActArgs),
    /// Delete an instance that the platform has forgotten (`cf purge-service-instance`): its distribution, its certificates, its
    /// names.
    ///
    /// It asks for the id of the instance before. With `--keep-cloud` the instance is only forgotten here: its distribution and
    /// its certificates stay in AWS and go on to serve, and `cdn-broker reconcile` reports them as orphans.
    #[command(after_help = PURGED)]
    Purge(PurgeArgs),
}

const PURGED: &str = "Examples:\n  cdn-broker instances purge 9a4b0c1e-0000-4000-8000-000000000001
  cdn-broker instances purge --keep-cloud --yes 9a4b0c1e-0000-4000-8000-000000000001\n
A broker does the work, and the command waits for it; interrupted, the work goes on without it. With --keep-cloud no broker is needed.
Exit codes: 0 done (or begun, with --no-wait), 1 failed, refused or not confirmed, 64 wrong command line or environment.";

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only instances in this state: provisioning, ready, provision-failed, deprovisioning, deprovision-failed or gone.
    #[arg(long, value_parser = words::parse_state)]
    state: Option<contract::InstanceState>,
    /// Deleted instances too.
    #[arg(long)]
    all: bool,
    /// Look every second until Ctrl-C: a terminal is drawn anew, a pipe reads the lines that have changed.
    #[arg(long)]
    watch: bool,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct CancelArgs {
    /// The id of the instance, as the platform gives it (`cf service NAME --guid`).
    id: String,
    /// Do not ask first.
    #[arg(long)]
    yes: bool,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ShowArgs {
    /// The id of the instance, as the platform gives it (`cf service NAME --guid`).
    id: String,
    /// Show the link to its page instead. Whoever has it may open the page.
    #[arg(long)]
    link: bool,
    /// Make every link to its page that was given so far worthless, end the visits that began with one, and show the new link.
    #[arg(long)]
    revoke_link: bool,
    /// Do not ask before links are revoked.
    #[arg(long, requires = "revoke_link")]
    yes: bool,
    /// Look every second until nothing runs any more, or until Ctrl-C: a terminal is drawn anew, a pipe reads the lines that
    /// have changed.
    #[arg(long, conflicts_with_all = ["link", "revoke_link"])]
    watch: bool,
    /// One JSON object, for programs; with --watch one a line whenever something has changed.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// The id of the instance, as the platform gives it (`cf service NAME --guid`).
    id: String,
    /// How many operations, the latest ones.
    #[arg(long, default_value_t = 10)]
    operations: u32,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ActArgs {
    /// The id of the instance, as the platform gives it (`cf service NAME --guid`).
    id: String,
    /// Only begin it.
    #[arg(long)]
    no_wait: bool,
    /// One JSON object at the end, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct PurgeArgs {
    /// The id of the instance, as the platform has given it.
    id: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Only forget it here, and leave alone what it has in AWS.
    #[arg(long, conflicts_with = "no_wait")]
    keep_cloud: bool,
    /// Only begin it.
    #[arg(long)]
    no_wait: bool,
    /// One JSON object at the end, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &InstancesCommand) -> u8 {
    command::run(async |config| match command {
        InstancesCommand::List(arguments) => list::run(config, arguments).await,
        InstancesCommand::Show(arguments) if arguments.link || arguments.revoke_link => {
            link::run(config, arguments).await
        }
        InstancesCommand::Show(arguments) => show::run(&wire::operator(config).await?, arguments).await,
        InstancesCommand::History(arguments) => history::run(&wire::operator(config).await?, arguments).await,
        InstancesCommand::Retry(arguments) => {
            act::run(&wire::operator(config).await?, arguments, Operator::retry).await
        }
        InstancesCommand::Recreate(arguments) => {
            act::run(&wire::operator(config).await?, arguments, Operator::recreate).await
        }
        InstancesCommand::Cancel(arguments) => act::cancel(&wire::operator(config).await?, arguments).await,
        InstancesCommand::Purge(arguments) => purge::run(&wire::operator(config).await?, arguments).await,
        InstancesCommand::Renew(arguments) => {
            act::run(&wire::operator(config).await?, arguments, Operator::renew).await
        }
    })
}

fn unknown(id: &InstanceId) -> u8 {
    crate::cli::complain(&format!("there is no service instance {id}"));
    crate::FAILED
}
