//! The commands, and the two ways in which they talk to their user.

use std::io::{IsTerminal as _, Write};

use clap::{Args, Parser, Subcommand};

use crate::alerts::AlertsCommand;
use crate::checks::ChecksCommand;
use crate::import::ImportArgs;
use crate::instances::InstancesCommand;
use crate::keys::KeysCommand;
use crate::operations::OperationsCommand;
use crate::{OK, USAGE};

/// A service broker that puts CloudFront with an automatically renewed certificate in front of users' own domains.
#[derive(Parser)]
#[command(name = "cdn-broker", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 64 wrong command line or environment.
Configuration is read from the environment: see docs/CONFIGURATION.md.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the Open Service Broker API and do the work behind it, until SIGTERM.
    #[command(after_help = "Example:\n  DATABASE_URL=sqlite://broker.db … cdn-broker serve")]
    Serve,
    /// Look at service instances, and set right what has gone wrong with one; brokers may run beside it.
    #[command(subcommand)]
    Instances(InstancesCommand),
    /// Look at what runs and what has run on the instances, and see what it waits for.
    #[command(subcommand)]
    Operations(OperationsCommand),
    /// Try out what the service relies on, and see how it went: authority, live sites, certificates.
    #[command(subcommand)]
    Checks(ChecksCommand),
    /// See what was understood of the environment, and whether it works.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The keys that private keys are sealed with in the database, and how one is replaced; brokers may run beside it.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Compare the store with CloudFront, IAM, S3 and Route 53, and say what differs.
    #[command(after_help = RECONCILE_HELP)]
    Reconcile(ReconcileArgs),
    /// Whether alerts arrive, and what the operators were told of.
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Take over the instances of an earlier broker: same instances, same distributions, nothing changed at AWS.
    #[command(after_help = crate::import::HELP)]
    Import(ImportArgs),
    /// What the operator has to set up in AWS.
    #[command(subcommand)]
    Aws(AwsCommand),
}

const RECONCILE_HELP: &str = "Example:
  cdn-broker reconcile          # says what differs
  cdn-broker reconcile --fix    # mends it

Exit codes: 0 nothing differs; 1 it could not be done, or not completely (nothing was mended then); 2 something differs, \
also if it was mended; 64 wrong command line or environment.
It needs the environment of `cdn-broker serve`. It may run beside brokers, and needs one to finish what it begins.";

#[derive(Args)]
pub(crate) struct ReconcileArgs {
    /// Mend what differs: bring back what was changed by hand, remove what was left behind for a day. Nothing is touched that
    /// this store has not made.
    #[arg(long)]
    pub(crate) fix: bool,
    /// One JSON object, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every variable with its value and where it came from, secrets masked; then try out what can be tried.
    #[command(after_help = CONFIG_CHECK_HELP)]
    Check(ConfigCheckArgs),
}

const CONFIG_CHECK_HELP: &str = "Example:
  cdn-broker config check

Tried are the database and its schema, the certificate authority, AWS (who we are, CloudFront, IAM), the challenge bucket and the \
managed zone (each by writing something, reading and removing it), CHALLENGE_URL and CHALLENGE_HOST (by asking for a token, for \
which a broker has to run), and the platform. The database is made ready for this version, as by `cdn-broker serve`.

Exit codes: 0 all is well; 1 it could not be done; 2 something does not work; 64 wrong command line or environment.";

#[derive(Args)]
pub(crate) struct ConfigCheckArgs {
    /// One JSON object, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum AwsCommand {
    /// Print the IAM policy of the broker's user and the policy of the challenge bucket.
    #[command(after_help = "Example:\n  cdn-broker aws policy --account 111111111111 --bucket my-challenges")]
    Policy(PolicyArgs),
}

#[derive(Args)]
pub(crate) struct PolicyArgs {
    /// The AWS account, twelve digits.
    #[arg(long)]
    pub(crate) account: String,
    /// The bucket of challenge answers, as in the variable `BUCKET`.
    #[arg(long)]
    pub(crate) bucket: String,
    /// The path prefix of certificates, as in the variable `IAM_PATH_PREFIX`.
    #[arg(long, default_value = "letsencrypt")]
    pub(crate) iam_path_prefix: String,
    /// The Route 53 id of the managed zone, as in the variable `MANAGED_ZONE`; leave it out if there is none.
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// The bucket of access logs, as in the variable `LOG_BUCKET`; leave it out if there is none.
    #[arg(long)]
    pub(crate) log_bucket: Option<String>,
    /// One JSON object with both policies, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints help where it was asked for, and what is wrong where something is.
pub(crate) fn explain(message: &clap::Error) -> u8 {
    // Nobody is left to tell when even this cannot be printed.
    let _ = message.print();
    if message.use_stderr() { USAGE } else { OK }
}

/// Prints a result. Whoever closes the pipe (`| head`) has read enough.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Asks whether to go on, where somebody is there to answer. `--yes` answers beforehand.
pub(crate) fn agreed(question: &str, yes: bool) -> bool {
    if yes {
        return true;
    }
    if !std::io::stdin().is_terminal() {
        complain("nobody is there to be asked; say --yes");
        return false;
    }
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let heard = std::io::stdin().read_line(&mut answer).is_ok();
    heard && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Prints what went wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "cdn-broker: {text}");
}
