//! `cdn-broker certificates …`: what the store knows of certificates, and what there is of them in IAM. Nothing is changed.

mod list;
mod orphans;
mod show;

use std::io::Write as _;

use broker::words;
use clap::{Args, Subcommand};

pub(crate) use self::list::left;
use crate::{command, wire};

#[derive(Subcommand)]
pub(crate) enum CertificatesCommand {
    /// List certificates, in the order of their instances. Asks the database alone.
    ///
    /// `LEFT` is how long one is still good.
    #[command(after_help = "Examples:\n  cdn-broker certificates list --state live\n  \
        cdn-broker certificates list --days 14\n\n\
        It reads page by page: with very many the first are printed at once.\n\
        Exit codes: 0 listed (also when there are none), 1 failed, 64 wrong command line or environment.")]
    List(ListArgs),
    /// Tell all about one certificate: dates, issuer, id and ARN in IAM, whether it is attached, and how its renewal will be
    /// proven.
    ///
    /// IAM and CloudFront are asked, and where the names lead is looked up; nothing is changed.
    #[command(
        after_help = "Examples:\n  cdn-broker certificates show cdn-9a4b0c1e-0000-4000-8000-000000000001-1-1\n  \
        cdn-broker certificates show ASCAEXAMPLE\n  \
        cdn-broker certificates show 9a4b0c1e-0000-4000-8000-000000000001\n\n\
        Exit codes: 0 told, 1 there is no such certificate, 64 wrong command line or environment."
    )]
    Show(ShowArgs),
    /// List certificates in IAM that no instance needs, and instances whose certificate is missing there.
    ///
    /// Nothing is removed; `cdn-broker reconcile --fix` does that with what this database has provably made. What is in IAM
    /// for less than an hour, and instances at work, are not spoken of.
    #[command(after_help = "Example:\n  cdn-broker certificates orphans\n\n\
        Exit codes: 0 none, 1 it could not be done, 2 there are some, 64 wrong command line or environment.")]
    Orphans(OrphansArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only certificates in this state: pending, stored, live, retired or removed. Removed ones are left out unless they are
    /// asked for.
    #[arg(long, value_parser = words::parse_certificate)]
    state: Option<contract::CertificateState>,
    /// Only certificates of this instance.
    #[arg(long, value_name = "ID")]
    instance: Option<String>,
    /// Only certificates that are good for less than so many days.
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// One JSON object a line, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The name of the certificate in IAM, its id there, or the id of its instance.
    id: String,
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct OrphansArgs {
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &CertificatesCommand) -> u8 {
    command::run(async |config| match command {
        CertificatesCommand::List(arguments) => list::run(&wire::operator(config).await?, arguments).await,
        CertificatesCommand::Show(arguments) => show::run(&wire::operator(config).await?, arguments).await,
        CertificatesCommand::Orphans(arguments) => {
            let report = wire::reconciler(config).await?.certificates(&progress).await?;
            Ok(orphans::show(&report, arguments))
        }
    })
}

/// How far it has come.
fn progress(how_far: &str) {
    let _ = writeln!(std::io::stderr(), "read {how_far}");
}
