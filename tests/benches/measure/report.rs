//! What was measured, for people and for programs.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

/// A value that is hoped for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    Below(f64),
    Above(f64),
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::Below(limit) => value < limit,
            Self::Above(limit) => value > limit,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Below(limit) => format!("< {}", short(limit)),
            Self::Above(limit) => format!("> {}", short(limit)),
        }
    }
}

/// The column of the table that holds numbers.
const VALUE: usize = 2;

struct Row {
    section: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
    aim: Option<Aim>,
}

/// The rows of the table, in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Report {
    section: &'static str,
    rows: Vec<Row>,
}

impl Report {
    /// What follows belongs to `section`.
    pub(crate) fn begin(&mut self, section: &'static str) {
        self.section = section;
    }

    pub(crate) fn note(&mut self, name: impl Into<String>, value: f64, unit: &'static str) {
        self.row(name, value, unit, None);
    }

    pub(crate) fn aim(&mut self, name: impl Into<String>, value: f64, unit: &'static str, aim: Aim) {
        self.row(name, value, unit, Some(aim));
    }

    pub(crate) fn row(&mut self, name: impl Into<String>, value: f64, unit: &'static str, aim: Option<Aim>) {
        let name = name.into();
        say(&format!("  {name}: {} {unit}", short(value)));
        self.rows.push(Row { section: self.section, name, value, unit, aim });
    }

    /// Writes the JSON file and prints the table.
    pub(crate) fn publish(&self) -> anyhow::Result<()> {
        let file = json_file()?;
        std::fs::write(&file, format!("{:#}\n", self.json()))
            .with_context(|| format!("cannot write {}", file.display()))?;
        write!(std::io::stdout(), "{}", self.table())?;
        say(&format!("written to {}", file.display()));
        Ok(())
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            json!({
                "section": row.section,
                "name": row.name,
                "value": row.value,
                "unit": row.unit,
                "aim": row.aim.map(Aim::text),
                "met": row.aim.map(|aim| aim.is_met(row.value)),
            })
        });
        json!({"machine": machine(), "rows": rows.collect::<Vec<_>>()})
    }

    fn table(&self) -> String {
        let mut lines = vec![["section", "what", "value", "unit", "aim", "met"].map(str::to_owned)];
        lines.extend(self.rows.iter().map(|row| {
            let met = row.aim.map_or("", |aim| if aim.is_met(row.value) { "yes" } else { "no" });
            let aim = row.aim.map(Aim::text).unwrap_or_default();
            [row.section.into(), row.name.clone(), short(row.value), row.unit.into(), aim, met.into()]
        }));
        aligned(&lines)
    }
}

/// Columns as wide as their widest cell; the values, which are numbers, to the right.
fn aligned(lines: &[[String; 6]]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column == VALUE { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        let padded: Vec<String> = cells.collect();
        text.push_str(padded.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Three digits are more than such measurements are worth.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// What has to be known to compare two runs: numbers of different machines, or of a busy one, say little.
fn machine() -> Value {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let model = read("/proc/cpuinfo");
    let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    json!({
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "model": model.trim_start_matches([' ', '\t', ':']),
        "load_average": read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>(),
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
    })
}

/// This program lies in `target/PROFILE/deps`.
fn json_file() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(3).map(Path::to_owned);
    Ok(target.context("the bench lies in no target folder")?.join("bench.json"))
}

/// Progress, for whoever waits.
pub(crate) fn say(line: &str) {
    // Nobody is told when nobody listens.
    let _ = writeln!(std::io::stderr(), "{line}");
}
