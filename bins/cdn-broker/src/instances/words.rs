//! How the commands write what they show; the words themselves are those of the broker.

pub(crate) use broker::words::{certificate, kind, method, outcome, parse_state, proof, rfc3339, state};
use contract::{DomainName, Timestamp};

/// The time of day, to the second.
pub(super) fn clock_time(at: Timestamp) -> String {
    let text = rfc3339(at);
    text.split_once('T').map_or(text.as_str(), |(_, time)| time.trim_end_matches('Z')).to_owned()
}

pub(super) fn comma_separated(names: &[DomainName]) -> String {
    names.iter().map(DomainName::as_str).collect::<Vec<_>>().join(", ")
}

/// Columns of words, two spaces apart; the last one is as wide as it is.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_for_people() {
        assert_eq!(clock_time(Timestamp::from_millis(1_795_456_867_999)), "18:01:07");
    }

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["a", "bbb", "c"], ["aaaa", "b", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), ["a     bbb  c", "aaaa  b"]);
    }
}
