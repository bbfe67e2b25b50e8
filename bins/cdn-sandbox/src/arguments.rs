//! What can be said on the command line.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The whole service on one machine: a CDN broker and everything it talks to.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// What the sandbox's own log shows on standard error, as a `tracing` filter.
    #[arg(long, env = "LOG", default_value = "warn", global = true)]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything, print one JSON line when it is ready, and serve until SIGTERM or Ctrl-C.
    #[command(after_help = "Example:\n  cdn-sandbox serve --state /tmp/sandbox --deploy-seconds 5\n\n\
        With --emulators-only the line also holds \"environment\", the variables that a separately started\n\
        `cdn-broker serve` needs; \"broker\" is then where that broker will listen.")]
    Serve(ServeOptions),
    /// Play the main job from end to end: create an instance, prove two domains, visit them, delete it.
    #[command(
        after_help = "Example:\n  cdn-sandbox demo --deploy-seconds 10\n  cdn-sandbox demo --all-proofs\n  cdn-sandbox demo --incident\n\n\
        Ends with exit code 0, or with 1 and a message when anything was not as it should be."
    )]
    Demo(DemoOptions),
    /// Play the `cf` commands of a document against a sandbox, and print the document with what they really say.
    #[command(after_help = "Example:\n  cdn-sandbox walkthrough docs/WALKTHROUGH.md --check\n  \
        cdn-sandbox walkthrough docs/WALKTHROUGH.md > new.md && mv new.md docs/WALKTHROUGH.md\n\n\
        Only blocks that begin with ```console are played. Exit code 1 with --check: the document says something else;\n\
        ids, times, tokens and ports may differ.")]
    Walkthrough(WalkthroughOptions),
}

#[derive(Args, Debug)]
pub(crate) struct WalkthroughOptions {
    /// The document, in Markdown.
    #[arg(value_name = "FILE")]
    pub(crate) document: PathBuf,
    /// Print nothing but what the document says that is not so.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) setup: SetupOptions,
}

#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    #[command(flatten)]
    pub(crate) setup: SetupOptions,
    /// Play instead every way to prove a domain, one after another, and compare them in a table. The certificates live for
    /// minutes only, so that one of them is renewed before the end.
    #[arg(long)]
    pub(crate) all_proofs: bool,
    /// Play instead what happens when AWS or the authority changes a rule: after how long the operator is told, and what
    /// becomes of what is served and of what is being made. Takes some minutes.
    #[arg(long, conflicts_with = "all_proofs")]
    pub(crate) incident: bool,
}

/// What all commands start.
#[derive(Args, Debug)]
pub(crate) struct SetupOptions {
    /// The folder for configuration, logs and the database; it stays. Default: a temporary one, which does not.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// The program `cdn-broker`. Default: the one beside this program.
    #[arg(long, value_name = "PATH")]
    pub(crate) broker: Option<PathBuf>,
    /// The broker's database, `sqlite://FILE` or `postgres://…`. Default: SQLite in the state folder.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Give the broker a PostgreSQL of its own, which goes with the sandbox.
    #[arg(long, conflicts_with = "database_url")]
    pub(crate) postgres: bool,
    /// How long a change of a distribution takes until it is deployed.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    pub(crate) deploy_seconds: u64,
    /// How long an uploaded certificate stays invisible to CloudFront.
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub(crate) iam_propagation_seconds: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    pub(crate) setup: SetupOptions,
    /// Start everything but the broker.
    #[arg(long, conflicts_with = "auto_prove")]
    pub(crate) emulators_only: bool,
    /// Prove domains without anybody: whatever TXT record the instructions of a created or updated instance name is set.
    /// "broker" is then where somebody listens who passes everything on to the broker and reads along.
    #[arg(long)]
    pub(crate) auto_prove: bool,
    /// Let the broker ask the platform whether a domain exists. There is one organization, `org-1`, whose name is
    /// `example-org`, with the space `space-1`; "platform" is where domains are made, as with `cf create-domain`.
    #[arg(long)]
    pub(crate) with_platform: bool,
    #[command(flatten)]
    pub(crate) ports: Ports,
}

/// Where things listen. A port of 0 is a free one.
#[derive(Args, Debug)]
pub(crate) struct Ports {
    /// The broker's port.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) broker_port: u16,
    /// The ACME authority's port.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) acme_port: u16,
    /// The name server's port, for UDP and TCP.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) dns_port: u16,
    /// The port of the name server's admin interface.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) dns_admin_port: u16,
    /// The edge's loopback address. Default: one that no other sandbox on this machine has.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) edge_address: Option<Ipv4Addr>,
    /// The port for HTTP of the edge, of the platform's router, and of every other host.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) edge_http_port: u16,
    /// The port for HTTPS of the same.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) edge_https_port: u16,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
