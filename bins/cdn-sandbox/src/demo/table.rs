//! What came of each way to prove a domain.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::ensure;

const HEADINGS: [&str; 6] =
    ["method", "what the owner did", "DNS changes", "seconds to HTTPS", "CA requests", "failed challenges"];

/// The columns up to here hold words, the others numbers.
const WORDS: usize = 2;

/// One method that was played.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) did: &'static str,
    pub(super) outcome: anyhow::Result<Played>,
}

/// What it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Played {
    /// The records that the owner set, to prove the domains and to lead them to the CDN.
    pub(super) dns_changes: usize,
    /// From the owner's first act until every domain is served over HTTPS.
    pub(super) to_https: Duration,
    /// What the authority was asked until then.
    pub(super) requests: usize,
    pub(super) failed_challenges: usize,
}

impl Row {
    fn cells(&self) -> [String; 6] {
        let numbers = match &self.outcome {
            Ok(played) => [
                played.dns_changes.to_string(),
                format!("{:.1}", played.to_https.as_secs_f64()),
                played.requests.to_string(),
                played.failed_challenges.to_string(),
            ],
            Err(_) => ["-", "failed", "-", "-"].map(str::to_owned),
        };
        let [changes, seconds, requests, failed] = numbers;
        [self.method.to_owned(), self.did.to_owned(), changes, seconds, requests, failed]
    }

    fn deviates(&self) -> bool {
        self.outcome.as_ref().map_or(true, |played| played.failed_challenges > 0)
    }
}

/// One line for each row, below the headings; then why rows failed, in a line for each.
pub(super) fn table(rows: &[Row]) -> String {
    let lines: Vec<[String; 6]> =
        std::iter::once(HEADINGS.map(str::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = [0; 6];
    for cells in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut table = lines.iter().map(|cells| line(cells, &widths)).collect::<Vec<_>>().join("\n");
    for (row, error) in rows.iter().filter_map(|row| Some((row, row.outcome.as_ref().err()?))) {
        let error = format!("{error:#}");
        // Writing to a string cannot fail.
        let _ = write!(table, "\n{} failed: {}", row.method, error.lines().next().unwrap_or_default());
    }
    table
}

fn line(cells: &[String; 6], widths: &[usize; 6]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if column < WORDS { format!("{cell:width$}") } else { format!("{cell:>width$}") }
    });
    format!("  {}", padded.collect::<Vec<_>>().join("  "))
}

/// Whether each method did what it promises, without an attempt that was wasted.
pub(super) fn verdict(rows: &[Row]) -> anyhow::Result<()> {
    let failed = rows.iter().filter(|row| row.deviates()).count();
    ensure!(failed == 0, "{failed} of {} methods deviated", rows.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(method: &'static str, failed_challenges: usize) -> Row {
        let to_https = Duration::from_millis(1_250);
        let played = Played { dns_changes: 1, to_https, requests: 12, failed_challenges };
        Row { method, did: "a record", outcome: Ok(played) }
    }

    fn failed(method: &'static str) -> Row {
        Row { method, did: "a record", outcome: Err(anyhow::anyhow!("it did not\nat all")) }
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = [played("managed", 0), failed("other")];
        assert_eq!(
            table(&rows),
            "  method   what the owner did  DNS changes  seconds to HTTPS  CA requests  failed challenges\n  \
               managed  a record                      1               1.2           12                  0\n  \
               other    a record                      -            failed            -                  -\n\
             other failed: it did not"
        );
    }

    #[test]
    fn a_failed_row_and_a_failed_challenge_are_told() {
        assert!(verdict(&[played("a", 0), played("b", 0)]).is_ok());
        let rows = [played("a", 0), played("b", 1), failed("c")];
        assert_eq!(verdict(&rows).unwrap_err().to_string(), "2 of 3 methods deviated");
    }
}
