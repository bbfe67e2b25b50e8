//! The tables in `docs` that say which test shows what: nothing is missing, and every test that they name is there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The rows of the protocol, and the defects of earlier brokers.
const ROWS: usize = 118;
const DEFECTS: usize = 36;
/// The threats of docs/SECURITY.md.
const THREATS: usize = 10;

/// One line of a table.
#[derive(Debug)]
struct Row {
    id: String,
    text: String,
    tests: Vec<Citation>,
}

/// A test by its name and its file, as a link has them: `[name](../file)`.
#[derive(Clone, Debug)]
struct Citation {
    name: String,
    file: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lines below the head of the table.
fn rows(document: &str) -> Vec<Row> {
    let lines = document.lines().filter(|line| line.starts_with('|'));
    let below_the_head = lines.skip_while(|line| !line.starts_with("| ---")).skip(1);
    below_the_head.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let cell = |number: usize| cells.get(number).copied().unwrap_or_default();
    Row { id: cell(0).to_owned(), text: cell(1).to_owned(), tests: citations(cell(2)) }
}

fn citations(cell: &str) -> Vec<Citation> {
    let link = |part: &str| {
        let (name, rest) = part.split_once("](../")?;
        Some(Citation { name: name.to_owned(), file: rest.split_once(')')?.0.to_owned() })
    };
    cell.split('[').skip(1).filter_map(link).collect()
}

/// What is wrong with a table that is to have these rows; `cites` when a test has to name the row that it shows.
fn problems(document: &str, ids: &[String], cites: bool) -> Vec<String> {
    let rows = rows(document);
    let found: Vec<&String> = rows.iter().map(|row| &row.id).collect();
    let mut problems = Vec::new();
    if found != ids.iter().collect::<Vec<_>>() {
        problems.push(format!("the rows are {found:?}"));
    }
    for row in &rows {
        problems.extend(problems_of(row, cites).into_iter().map(|problem| format!("{}: {problem}", row.id)));
    }
    problems
}

fn problems_of(row: &Row, cites: bool) -> Vec<String> {
    let is_open = row.text.contains("**Open");
    if row.tests.is_empty() {
        return if is_open { Vec::new() } else { vec!["no test, and not said to be open".to_owned()] };
    }
    let (mut problems, mut is_cited) = (Vec::new(), false);
    for test in &row.tests {
        match source_of(test) {
            Ok(source) => is_cited |= names_row(&test.name, &source, &row.id),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    if cites && !is_cited {
        problems.push("none of its tests names it".to_owned());
    }
    problems
}

/// The attributes, the documentation and the code of a test.
fn source_of(test: &Citation) -> anyhow::Result<String> {
    let Citation { name, file } = test;
    let code = fs::read_to_string(root().join(file)).with_context(|| file.clone())?;
    let lines: Vec<&str> = code.lines().collect();
    let begins = |line: &&str| {
        let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("async ");
        declared
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name.as_str()))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let declared = lines.iter().position(begins).with_context(|| format!("no {name} in {file}"))?;
    let above = |line: &&&str| ["#[", "///", "//"].iter().any(|start| line.trim_start().starts_with(start));
    let head = lines[..declared].iter().rev().take_while(above).count();
    let indent = lines[declared].len() - lines[declared].trim_start().len();
    let end = format!("{}}}", " ".repeat(indent));
    let length = lines[declared..].iter().position(|line| *line == end).unwrap_or_default();
    let is_test = lines[declared - head..declared].iter().any(|line| {
        let attribute = line.trim_start();
        attribute == "#[test]" || attribute.starts_with("#[tokio::test")
    });
    anyhow::ensure!(is_test || is_promise(test)?, "{name} in {file} is no test");
    Ok(lines[declared - head..=declared + length].join("\n"))
}

/// Whether it is a promise of a port, which the suites run against the fake and against every adapter.
fn is_promise(test: &Citation) -> anyhow::Result<bool> {
    const SUITES: &str = "crates/contract/src/testing/conformance/";
    let Some(module) = test.file.strip_prefix(SUITES) else { return Ok(false) };
    let (suite, module) = match module.split_once('/') {
        Some((suite, module)) => (format!("{SUITES}{suite}.rs"), Some(module)),
        None => (test.file.clone(), None),
    };
    let list = fs::read_to_string(root().join(suite))?;
    let qualified = match module {
        Some(module) => format!("{}::{},", module.trim_end_matches(".rs"), test.name),
        None => format!("{},", test.name),
    };
    Ok(list.lines().any(|line| line.trim() == qualified))
}

/// Whether a test names a row, in its name (`r54_…`) or in what is written about it and in it (`R54`).
fn names_row(name: &str, source: &str, id: &str) -> bool {
    let in_name = name.split('_').any(|word| word == id.to_lowercase());
    let written = source.match_indices(id).any(|(at, _)| {
        let next = source[at + id.len()..].chars().next();
        !next.is_some_and(|next| next.is_ascii_digit())
    });
    in_name || written
}

fn document(name: &str) -> anyhow::Result<String> {
    fs::read_to_string(root().join("docs").join(name)).context(name.to_owned())
}

fn numbered(letter: char, last: usize) -> Vec<String> {
    (1..=last).map(|number| format!("{letter}{number}")).collect()
}

#[test]
fn every_row_of_the_protocol_is_shown_by_a_test_that_names_it() -> anyhow::Result<()> {
    let problems = problems(&document("OSB.md")?, &numbered('R', ROWS), true);
    assert!(problems.is_empty(), "docs/OSB.md:\n{}", problems.join("\n"));
    Ok(())
}

#[test]
fn every_defect_of_earlier_brokers_is_shown_not_to_be_here() -> anyhow::Result<()> {
    let letters = ('a'..='m').map(String::from);
    let ids: Vec<String> = numbered('D', DEFECTS).into_iter().chain(letters).collect();
    let problems = problems(&document("DEFECTS.md")?, &ids, false);
    assert!(problems.is_empty(), "docs/DEFECTS.md:\n{}", problems.join("\n"));
    Ok(())
}

#[test]
fn every_threat_of_the_model_is_met_by_something_that_a_test_shows() -> anyhow::Result<()> {
    let problems = problems(&document("SECURITY.md")?, &numbered('S', THREATS), false);
    assert!(problems.is_empty(), "docs/SECURITY.md:\n{}", problems.join("\n"));
    Ok(())
}

/// The check itself: what is wrong with a table is found out.
#[test]
fn a_table_with_a_mistake_is_found_out() {
    const FILE: &str = "../crates/osb-core/tests/it/answers.rs";
    let table = |rows: &str| format!("| row | what | shown by |\n| --- | --- | --- |\n{rows}");
    let wrong = |rows: &str| problems(&table(rows), &numbered('R', 1), true);
    let right = format!("| R1 | x | [r109_operation_ids]({FILE}) |");
    assert_eq!(wrong(&right), ["R1: none of its tests names it"], "R109 is not R1");
    let cited = problems(&table(&right.replace("R1 ", "R109 ")), &["R109".to_owned()], true);
    assert_eq!(cited, Vec::<String>::new());
    assert_eq!(wrong("| R1 | x **Open**: y. | |"), Vec::<String>::new());
    for (rows, mistake) in [
        (String::new(), "the rows are []"),
        (format!("{right}\n{right}"), "the rows are"),
        ("| R1 | x | |".to_owned(), "no test"),
        (format!("| R1 | x | [r999_nothing]({FILE}) |"), "no r999_nothing"),
        (format!("| R1 | x | [operation]({FILE}) |"), "is no test"),
        ("| R1 | x | [r1_a](../crates/none.rs) |".to_owned(), "crates/none.rs"),
    ] {
        let found = wrong(&rows).join("; ");
        assert!(found.contains(mistake), "{rows}: {found}");
    }
}
