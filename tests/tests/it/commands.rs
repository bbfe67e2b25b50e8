//! The operator's commands, as an operator uses them: the real program beside a running broker.

mod operations;

use anyhow::ensure;

use crate::house::Printed;

/// A table fits a terminal of 80 columns.
fn fits(printed: &Printed) -> anyhow::Result<()> {
    for line in printed.out.lines() {
        ensure!(line.chars().count() <= 80, "{} columns: {line:?}", line.chars().count());
    }
    Ok(())
}
