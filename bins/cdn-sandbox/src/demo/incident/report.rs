//! What came of each change.

/// The headings of the table.
const HEADINGS: [&str; 6] = [
    "the rule that changed",
    "told after",
    "by the check",
    "closed after",
    "live sites",
    "the provision in flight",
];

/// One change.
pub(super) struct Row {
    pub(super) change: &'static str,
    /// Virtual minutes from the change until the incident opened.
    pub(super) opened: u64,
    pub(super) check: &'static str,
    /// What the operator reads.
    pub(super) alert: String,
    pub(super) served: String,
    pub(super) in_flight: String,
    /// Virtual minutes from the end of the change until the incident closed.
    pub(super) closed: u64,
}

/// One line for each change, below the headings.
pub(super) fn table(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        [
            row.change.to_owned(),
            format!("{} min", row.opened),
            row.check.to_owned(),
            format!("{} min", row.closed),
            row.served.clone(),
            row.in_flight.clone(),
        ]
    });
    let lines: Vec<[String; 6]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(cells).collect();
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let written = lines.iter().map(|line| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    });
    written.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_below_its_headings() {
        let row = Row {
            change: "April 2019",
            opened: 70,
            check: "cloudfront-contract",
            alert: "it is so".to_owned(),
            served: "2 of 2".to_owned(),
            in_flight: "failed: it could not be created".to_owned(),
            closed: 66,
        };
        assert_eq!(
            table(&[row]),
            "  the rule that changed  told after  by the check         closed after  live sites  the provision in flight\n  \
               April 2019             70 min      cloudfront-contract  66 min        2 of 2      failed: it could not be created"
        );
    }
}
