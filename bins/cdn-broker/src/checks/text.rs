//! The same for people.

use std::time::Duration;

use broker::CheckStanding;
use contract::{CheckOutcome, CheckRun};

use crate::instances::words::rfc3339;
use crate::output::{columns, head, tinted};

/// How the check stands, in one word.
pub(super) fn state(one: &CheckStanding) -> &'static str {
    match (&one.last, one.record.failures) {
        (None, _) => "never-run",
        (Some(_), 1..) if one.record.told => "incident",
        (Some(_), 1..) => "failing",
        (Some(last), _) => verdict(&last.outcome),
    }
}

pub(super) fn verdict(outcome: &CheckOutcome) -> &'static str {
    match outcome {
        CheckOutcome::Ok => "ok",
        CheckOutcome::Failing(_) => "failing",
        CheckOutcome::Skipped { .. } => "skipped",
        CheckOutcome::Underway { .. } => "underway",
    }
}

/// One line for each check, and below it what is wrong.
pub(super) fn list(list: &[CheckStanding]) -> String {
    let head = head(["check", "state", "every", "last run", "next run"]);
    let rows: Vec<[String; 5]> = list.iter().map(row).collect();
    let lines = columns(&[vec![head], rows].concat());
    let mut text = Vec::new();
    let told = std::iter::once(None).chain(list.iter().map(Some));
    for (line, one) in lines.into_iter().zip(told) {
        text.push(line);
        let failure = one.and_then(|one| one.last.as_ref()).and_then(|last| sentence(&last.outcome));
        text.extend(failure.map(|sentence| format!("    {sentence}")));
    }
    text.join("\n")
}

fn row(one: &CheckStanding) -> [String; 5] {
    let last = one.last.as_ref().map_or_else(|| "-".to_owned(), |last| rfc3339(last.began));
    let every = one.every.map_or_else(|| "by hand".to_owned(), short);
    let next = one.every.map_or_else(|| "-".to_owned(), |_| rfc3339(one.record.next_at));
    [one.record.name.clone(), tinted(state(one)).into_owned(), every, last, next]
}

/// What one run has found, and how long its steps took.
pub(super) fn run(run: &CheckRun) -> String {
    let mut lines =
        vec![format!("{}: {} after {}", run.check, tinted(verdict(&run.outcome)), short(run.took))];
    lines.extend(sentence(&run.outcome).map(|sentence| format!("  {sentence}")));
    if let CheckOutcome::Failing(failure) = &run.outcome {
        lines.push(format!("  side: {}, class: {}", failure.side, failure.class));
        lines.push(format!("  what relies on it: {}", failure.relies));
        let affected: Vec<&str> = failure.affected.iter().map(contract::InstanceId::as_str).collect();
        if !affected.is_empty() {
            lines.push(format!("  affected: {}", affected.join(", ")));
        }
    }
    let steps: Vec<[String; 2]> = run.steps.iter().map(step).collect();
    lines.extend(columns(&steps).into_iter().map(|step| format!("  {step}")));
    lines.join("\n")
}

fn step(step: &contract::StepTime) -> [String; 2] {
    let stuck = if step.ended { "" } else { " (did not end)" };
    [step.name.clone(), format!("{} ms{stuck}", step.millis)]
}

/// One line for each run, and below it what was wrong.
pub(super) fn history(runs: &[CheckRun]) -> String {
    let rows: Vec<[String; 4]> = runs
        .iter()
        .map(|run| {
            let verdict = tinted(verdict(&run.outcome)).into_owned();
            [rfc3339(run.began), run.check.clone(), verdict, short(run.took)]
        })
        .collect();
    let mut text = Vec::new();
    for (line, run) in columns(&rows).into_iter().zip(runs) {
        text.push(line);
        text.extend(sentence(&run.outcome).map(|sentence| format!("    {sentence}")));
    }
    text.join("\n")
}

fn sentence(outcome: &CheckOutcome) -> Option<&str> {
    match outcome {
        CheckOutcome::Ok => None,
        CheckOutcome::Skipped { why } => Some(why),
        CheckOutcome::Underway { waits_for, .. } => Some(waits_for),
        CheckOutcome::Failing(failure) => Some(&failure.sentence),
    }
}

/// `250ms`, `12s`, `10m`, `6h`: in the largest unit of which it has two.
fn short(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..2_000 => format!("{millis}ms"),
        2_000..120_000 => format!("{}s", millis / 1_000),
        120_000..3_600_000 => format!("{}m", millis / 60_000),
        _ => format!("{}h", millis / 3_600_000),
    }
}
