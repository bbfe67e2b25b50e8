//! `cdn-broker ledger …`: what is left under the authority's limits, as this database counts it. Asks nobody else.

use std::collections::BTreeMap;

use anyhow::Context;
use broker::{Operator, Waiting, json};
use clap::{Args, Subcommand};
use contract::{Allowance, Clock, DomainName, LimitUse, Operation, OperationFilter, OperationId, Timestamp};
use serde_json::{Value, json};

use crate::cli::print;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::instances::words;
use crate::{OK, command, wire};

/// How many rows are read at once.
const PAGE: u32 = 500;

#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Show what is left under each limit of the authority, who waits for room and until when, and the broker's own budget.
    ///
    /// Limits that nothing is used of are left out. Other clients of the same account or domain are not counted: the authority
    /// has the last word.
    #[command(after_help = "Example:\n  cdn-broker ledger show\n\n\
        Exit codes: 0 shown, 1 failed, 64 wrong command line or environment.")]
    Show(ShowArgs),
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// One JSON object, for programs.
    #[arg(long)]
    json: bool,
}

/// All that is shown.
struct Shown<'a> {
    authority: &'a str,
    directory: &'a str,
    limits: Vec<LimitUse>,
    /// The names that a limit for exactly the same names is about.
    sets: BTreeMap<String, Vec<DomainName>>,
    waiting: Vec<Operation>,
    canary: (usize, u32, Option<Timestamp>),
}

pub(crate) fn run(command: &LedgerCommand) -> u8 {
    let LedgerCommand::Show(arguments) = command;
    command::run(async |config| {
        let shown = read(config).await?;
        print(&if arguments.json { format!("{:#}", shown.to_json()) } else { shown.to_text() });
        Ok(OK)
    })
}

async fn read(config: &Config) -> anyhow::Result<Shown<'_>> {
    let operator = wire::operator(config).await?;
    let (rooms, canaries) = wire::rooms(config).await?;
    let limits = rooms.usage().await.context("cannot read the ledger")?;
    let now = SystemClock.now();
    let (ordered, next) = canaries.ordered_lately(now).await?;
    Ok(Shown {
        authority: &config.acme.limits.authority,
        directory: &config.acme.directory_url,
        sets: sets(&operator, &rooms, &limits).await?,
        waiting: waiting(&operator).await?,
        limits,
        canary: (ordered, config.checks.canary_orders, next),
    })
}

/// The ledger knows sets of names by a digest only; certificates know their names.
async fn sets(
    operator: &Operator,
    rooms: &impl Allowance,
    limits: &[LimitUse],
) -> anyhow::Result<BTreeMap<String, Vec<DomainName>>> {
    let mut sets = BTreeMap::new();
    if !limits.iter().any(|one| one.limit == "set") {
        return Ok(sets);
    }
    let mut after = None;
    loop {
        let page = operator.certificates(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(sets) };
        after = Some(last.key());
        for certificate in page {
            let set = rooms.set(&certificate.names);
            if limits.iter().any(|one| one.about == set) {
                sets.insert(set, certificate.names);
            }
        }
    }
}

async fn waiting(operator: &Operator) -> anyhow::Result<Vec<Operation>> {
    let (mut all, mut before): (Vec<Operation>, Option<OperationId>) = (Vec::new(), None);
    loop {
        let page =
            operator.operations(&OperationFilter::default(), Some(Waiting::Room), before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        before = Some(last.id.clone());
        all.extend(page);
    }
}

impl Shown<'_> {
    fn to_json(&self) -> Value {
        let (ordered, per_week, next) = self.canary;
        json!({
            "authority": self.authority,
            "directory": self.directory,
            "limits": self.limits.iter().map(|one| self.limit(one)).collect::<Vec<_>>(),
            "waiting": self.waiting.iter().map(json::operation).collect::<Vec<_>>(),
            "canary_orders": {
                "used": ordered,
                "per_week": per_week,
                "next_free": next.map(words::rfc3339),
            },
        })
    }

    fn limit(&self, one: &LimitUse) -> Value {
        let names = self.sets.get(&one.about);
        json!({
            "limit": one.limit,
            "about": one.about,
            "names": names.map(|names| names.iter().map(DomainName::as_str).collect::<Vec<_>>()),
            "left": one.left,
            "most": one.most,
            "period_seconds": one.period.map(|period| period.as_secs()),
            "full_at": one.full_at.map(words::rfc3339),
            "held_until": one.held_until.map(words::rfc3339),
        })
    }

    fn to_text(&self) -> String {
        let mut lines = words::columns(&[
            ["authority".to_owned(), self.authority.to_owned()],
            ["directory".to_owned(), self.directory.to_owned()],
        ]);
        lines.extend([String::new(), "room left".to_owned()]);
        lines.extend(if self.limits.is_empty() {
            vec!["  no limits of this authority are known (ACME_LIMITS), and it has named none".to_owned()]
        } else {
            words::columns(&self.limits.iter().map(|one| self.row(one)).collect::<Vec<_>>())
        });
        lines.extend([String::new(), "who waits for room".to_owned()]);
        lines.extend(if self.waiting.is_empty() { vec!["  nobody".to_owned()] } else { self.waiters() });
        lines.extend([String::new(), "own budgets".to_owned(), self.budget()]);
        lines.join("\n")
    }

    fn row(&self, one: &LimitUse) -> [String; 4] {
        let count = match (one.left, one.most) {
            (Some(left), Some(most)) => format!("{left:.0} of {most}"),
            _ => "unknown".to_owned(),
        };
        let when = match (one.held_until, one.full_at) {
            (Some(until), _) => format!("held until {}", words::rfc3339(until)),
            (None, Some(full)) => format!("full {}", words::rfc3339(full)),
            (None, None) => "full".to_owned(),
        };
        let about = match self.sets.get(&one.about) {
            Some(names) => words::comma_separated(names),
            None if one.limit == "set" => format!("some names ({})", &one.about[..8.min(one.about.len())]),
            None => one.about.clone(),
        };
        [format!("  {}", called(one.limit)), count, when, about]
    }

    fn waiters(&self) -> Vec<String> {
        let of = |one: &Operation| {
            let why = one.sentence.as_deref().unwrap_or_default();
            let why = format!("{why} Next look: {}.", words::rfc3339(one.next_at));
            let head = format!("  {} of {}", words::kind(one.kind), one.instance);
            std::iter::once(head).chain(words::wrapped(&why, 4)).collect::<Vec<_>>()
        };
        self.waiting.iter().flat_map(of).collect()
    }

    fn budget(&self) -> String {
        let (ordered, per_week, next) = self.canary;
        let next = match next {
            Some(next) if ordered >= per_week as usize => {
                format!(", the next one from {}", words::rfc3339(next))
            }
            _ => String::new(),
        };
        format!(
            "  certificates for canaries (CANARY_ORDERS_PER_WEEK): {ordered} of {per_week} in a week{next}"
        )
    }
}

/// A limit in words that fit a column.
fn called(limit: &str) -> &str {
    match limit {
        "orders" => "orders",
        "domain" => "per domain",
        "set" => "same names",
        "failures" => "failures",
        "in-a-row" => "failed in a row",
        other => other,
    }
}
