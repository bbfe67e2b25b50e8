use std::time::Duration;

use broker::{Operator, json};
use contract::{CertificateRecord, CertificateState, Clock, DomainName, InstanceId, Timestamp};

use super::ListArgs;
use crate::OK;
use crate::cli::print;
use crate::clock::SystemClock;
use crate::instances::words;

/// How many certificates are read at once: the first are printed while the others are still in the database.
const PAGE: u32 = 500;
const DAY: Duration = Duration::from_hours(24);

/// Keeps one page in memory.
pub(super) async fn run(operator: &Operator, arguments: &ListArgs) -> anyhow::Result<u8> {
    if !arguments.json {
        print(&row(["INSTANCE", "STATE", "LEFT", "NAMES"]));
    }
    let mut after = None;
    loop {
        let page = operator.certificates(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(OK) };
        after = Some(last.key());
        let now = SystemClock.now();
        let mut lines = Vec::new();
        for one in page.iter().filter(|one| arguments.wants(one, now)) {
            lines.push(arguments.line(operator, one, now).await?);
        }
        if !lines.is_empty() {
            print(&lines.join("\n"));
        }
    }
}

impl ListArgs {
    fn wants(&self, one: &CertificateRecord, now: Timestamp) -> bool {
        let state = match self.state {
            Some(wanted) => wanted == one.state,
            None => one.state != CertificateState::Removed,
        };
        let ends_soon = |days: u32| ends(one).is_some_and(|end| end < now + DAY * days);
        state
            && self.instance.as_ref().is_none_or(|id| InstanceId::new(id) == one.instance)
            && self.days.is_none_or(ends_soon)
    }

    async fn line(
        &self,
        operator: &Operator,
        one: &CertificateRecord,
        now: Timestamp,
    ) -> anyhow::Result<String> {
        if self.json {
            let proofs = operator.proofs_of(one).await?;
            return Ok(json::certificate_of(one, &proofs, now).to_string());
        }
        let left = ends(one).map_or_else(|| "-".to_owned(), |end| left(end, now));
        let names = shortened(&one.names);
        Ok(row([one.instance.as_str(), words::certificate(one.state), &left, &names]))
    }
}

fn ends(one: &CertificateRecord) -> Option<Timestamp> {
    one.facts.as_ref().map(|facts| facts.not_after)
}

/// How long it is still good: `59d`, `7h`, or `over`.
pub(crate) fn left(end: Timestamp, now: Timestamp) -> String {
    if end <= now { "over".to_owned() } else { words::age(now, end) }
}

/// Fixed widths, because nobody has seen the lines to come.
fn row([instance, state, left, names]: [&str; 4]) -> String {
    format!("{instance:36}  {state:8}  {left:4}  {names}")
}

/// The first name, cut to fit a terminal, and how many more there are.
fn shortened(names: &[DomainName]) -> String {
    let more = match names.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    let first = names.first().map_or("", DomainName::as_str);
    let room = ROOM - more.len();
    let cut: String = if first.len() <= room {
        first.to_owned()
    } else {
        first.chars().take(room - 2).chain("..".chars()).collect()
    };
    cut + &more
}

/// What the other columns leave of 80.
const ROOM: usize = 80 - 36 - 8 - 4 - 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_a_terminal() {
        let names = |all: &[&str]| -> Vec<DomainName> {
            all.iter().filter_map(|name| DomainName::parse(name).ok()).collect()
        };
        assert_eq!(shortened(&names(&["www.example.gov"])), "www.example.gov");
        let long = shortened(&names(&["a-very-long-name-indeed.example.gov", "b.example", "c.example"]));
        assert!(long.len() <= ROOM && long.ends_with(".. +2"), "{long}");
    }
}
