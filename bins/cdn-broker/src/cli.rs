//! The commands, and the two ways in which they talk to their user.

use clap::{Args, Parser, Subcommand};

use crate::accounts::AccountsCommand;
use crate::alerts::AlertsCommand;
use crate::certificates::CertificatesCommand;
use crate::checks::ChecksCommand;
use crate::completions::Completing;
use crate::import::ImportArgs;
use crate::instances::InstancesCommand;
use crate::keys::KeysCommand;
use crate::ledger::LedgerCommand;
use crate::migrate::MigrateArgs;
use crate::operations::OperationsCommand;
pub(crate) use crate::output::{complain, print};
use crate::{OK, USAGE};

/// A service broker that puts CloudFront with an automatically renewed certificate in front of users' own domains.
#[derive(Parser)]
#[command(name = "cdn-broker", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Example:
  cdn-broker instances list

Exit codes: 0 done, 1 failed or refused, 2 something was found, 64 wrong command line or environment.
Configuration is read from the environment: see docs/CONFIGURATION.md. The commands are in docs/COMMANDS.md.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the Open Service Broker API and do the work behind it, until SIGTERM.
    #[command(after_help = "Example:\n  DATABASE_URL=sqlite://broker.db … cdn-broker serve\n\n\
        Exit codes: 0 stopped by SIGTERM or SIGINT, 1 it could not serve, 64 wrong command line or environment.")]
    Serve,
    /// Look at service instances, and set right what has gone wrong with one; brokers may run beside it.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker instances show 9a4b0c1e-0000-4000-8000-000000000001\n\nExit codes: as each command's --help says."
    )]
    Instances(InstancesCommand),
    /// Look at what runs and what has run on the instances, and see what it waits for.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker operations list --waits-for operator\n\nExit codes: as each command's --help says."
    )]
    Operations(OperationsCommand),
    /// Look at certificates: what the database knows of them, and what there is of them in IAM.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker certificates list --days 14\n\nExit codes: as each command's --help says."
    )]
    Certificates(CertificatesCommand),
    /// The accounts at certificate authorities, and how the key of one is replaced; brokers may run beside it.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker accounts show\n\nExit codes: as each command's --help says."
    )]
    Accounts(AccountsCommand),
    /// What is left under the limits of the certificate authority, and who waits for room.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker ledger show\n\nExit codes: as each command's --help says."
    )]
    Ledger(LedgerCommand),
    /// Try out what the service relies on, and see how it went: authority, live sites, certificates.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker checks list\n\nExit codes: as each command's --help says."
    )]
    Checks(ChecksCommand),
    /// See what was understood of the environment, and whether it works.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker config check\n\nExit codes: as each command's --help says."
    )]
    Config(ConfigCommand),
    /// The keys that private keys are sealed with in the database, and how one is replaced; brokers may run beside it.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker keys list\n\nExit codes: as each command's --help says."
    )]
    Keys(KeysCommand),
    /// Bring the database to the shape that this version needs, and say what was done.
    #[command(after_help = MIGRATE_HELP)]
    Migrate(MigrateArgs),
    /// Compare the store with CloudFront, IAM, S3 and Route 53, and say what differs.
    #[command(after_help = RECONCILE_HELP)]
    Reconcile(ReconcileArgs),
    /// Whether alerts arrive, and what the operators were told of.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker alerts test\n\nExit codes: as each command's --help says."
    )]
    Alerts(AlertsCommand),
    /// Take over the instances of an earlier broker: same instances, same distributions, nothing changed at AWS.
    #[command(after_help = crate::import::HELP)]
    Import(ImportArgs),
    /// What the operator has to set up in AWS.
    #[command(
        subcommand,
        after_help = "Example:\n  cdn-broker aws policy --account 111111111111 --bucket my-challenges\n\nExit codes: as each command's --help says."
    )]
    Aws(AwsCommand),
    /// Print a script that makes a shell complete these commands.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell.
        shell: Completing,
    },
}

const COMPLETIONS_HELP: &str = "Examples:
  source <(cdn-broker completions bash)
  cdn-broker completions zsh > \"${fpath[1]}/_cdn-broker\"
  cdn-broker completions fish > ~/.config/fish/completions/cdn-broker.fish

It needs no environment. Exit codes: 0 printed, 64 wrong command line.";

const MIGRATE_HELP: &str = "Examples:
  cdn-broker migrate
  cdn-broker migrate --check    # changes nothing

`cdn-broker serve` does the same when it starts. By hand it shows what happens before a broker depends on it: run it as a task of the \
new version, beside brokers of the version before, which go on. Of several at once one works, under a lock of the database.

Exit codes: 0 the database has what this version needs; 1 it could not be done, and nothing was changed; 2 it is needed (--check); \
64 wrong command line or environment.";

const RECONCILE_HELP: &str = "Example:
  cdn-broker reconcile                # says what differs
  cdn-broker reconcile --fix          # mends it, after a question
  cdn-broker reconcile --fix --yes    # without one, in scripts

Exit codes: 0 nothing differs; 1 it could not be done, or not completely (nothing was mended then); 2 something differs, \
also if it was mended; 64 wrong command line or environment.
It needs the environment of `cdn-broker serve`. It may run beside brokers, and needs one to finish what it begins.";

#[derive(Args)]
pub(crate) struct ReconcileArgs {
    /// Mend what differs: bring back what was changed by hand, remove what was left behind for a day. Nothing is touched that
    /// this store has not made.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not ask before something is removed.
    #[arg(long, requires = "fix")]
    pub(crate) yes: bool,
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

Tried are the database and its schema (looked at and not changed; what a start would migrate is `pending`, which is no failure), the certificate authority, AWS (CloudFront, IAM), the challenge bucket and the managed zone \
(each by writing something, reading and removing it), every single permission (by asking IAM's policy simulator, which needs \
iam:SimulatePrincipalPolicy; without it they are `unchecked`, which is no failure), CHALLENGE_URL and CHALLENGE_HOST (by asking for a token, for \
which a broker has to run), and the platform. It may run beside brokers of another version: nothing stays changed.

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
    #[command(
        after_help = "Example:\n  cdn-broker aws policy --account 111111111111 --bucket my-challenges\n\n\
        It needs no environment. Exit codes: 0 printed, 64 wrong command line."
    )]
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
    /// The ARN of the user or role that is to have the policy, so that `config check` can look at its permissions; needed
    /// for a role, and for a user with a path.
    #[arg(long)]
    pub(crate) principal: Option<String>,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The examples of a command and of those below it, with its name.
    fn examples(command: &clap::Command, name: &str, found: &mut Vec<(String, String)>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .filter(|line| line.contains("cdn-broker "));
        found.extend(lines.map(|line| (name.to_owned(), line.to_owned())));
        for below in command.get_subcommands() {
            examples(below, &format!("{name} {}", below.get_name()), found);
        }
    }

    /// What the program is given, without what the shell does around it.
    fn words(line: &str) -> Vec<&str> {
        let (_, command) = line.split_at(line.find("cdn-broker ").unwrap_or_default());
        let command = command.split(['#', '|', '>', ')']).next().unwrap_or_default();
        command.split_whitespace().collect()
    }

    #[test]
    fn every_command_has_an_example_that_is_one_of_it() {
        let mut found = Vec::new();
        examples(&Cli::command(), "cdn-broker", &mut found);
        let mut all = vec![("cdn-broker".to_owned(), Cli::command())];
        while let Some((name, command)) = all.pop() {
            assert!(found.iter().any(|(of, _)| *of == name), "`{name} --help` has no example");
            all.extend(
                command.get_subcommands().map(|one| (format!("{name} {}", one.get_name()), one.clone())),
            );
        }
        for (name, line) in found {
            let words = words(&line);
            assert!(words.join(" ").starts_with(&name), "`{line}` is no example of `{name}`");
            let parsed = Cli::try_parse_from(&words);
            assert!(
                parsed.is_ok(),
                "`{line}`: {}",
                parsed.err().map(|error| error.to_string()).unwrap_or_default()
            );
        }
    }
}
