//! `cdn-broker reconcile`: what differs between the store and AWS, for people and for programs.

use std::fmt::Write as _;

use broker::{Entry, Finding, Report};
use serde_json::{Value, json};

use crate::cli::{ReconcileArgs, complain, print};
use crate::command;
use crate::instances::words::rfc3339;
use crate::output::{Progress, agreed, tinted};
use crate::wire::reconciler;
use crate::{FAILED, FOUND, OK};

pub(crate) fn run(arguments: &ReconcileArgs) -> u8 {
    command::run(async |config| {
        if arguments.fix
            && let Err(code) = agreed(QUESTION, arguments.yes)
        {
            return Ok(code);
        }
        // A large account takes minutes, and whoever waits wants to see something move.
        let progress = Progress::of("comparing");
        let report = reconciler(config).await?.run(arguments.fix, &|read| progress.say(read)).await?;
        drop(progress);
        Ok(show(&report, arguments))
    })
}

const QUESTION: &str = "Bring back what was changed by hand, and remove what this store has made and no instance needs any more?";

fn show(report: &Report, arguments: &ReconcileArgs) -> u8 {
    print(&if arguments.json { format!("{:#}", to_json(report)) } else { to_text(report, arguments.fix) });
    for unread in &report.unread {
        complain(&format!("the list of {} was not read to its end: {}", unread.list, unread.why));
    }
    match () {
        () if !report.unread.is_empty() => FAILED,
        () if !report.entries.is_empty() => FOUND,
        () => OK,
    }
}

fn to_json(report: &Report) -> Value {
    let looked_at = report.looked_at;
    json!({
        "findings": report.entries.iter().map(entry).collect::<Vec<_>>(),
        "unknown": report.unknown.iter().map(finding).collect::<Vec<_>>(),
        "unread": report.unread.iter().map(|one| json!({"list": one.list, "why": one.why})).collect::<Vec<_>>(),
        "looked_at": {
            "instances": looked_at.instances,
            "distributions": looked_at.distributions,
            "certificates": looked_at.certificates,
            "folders": looked_at.folders,
            "records": looked_at.records,
        },
    })
}

pub(crate) fn entry(entry: &Entry) -> Value {
    let mut value = finding(&entry.finding);
    value["since"] = json!(rfc3339(entry.since));
    value["done"] = json!(entry.done);
    value
}

pub(crate) fn finding(finding: &Finding) -> Value {
    json!({
        "kind": finding.kind(),
        "what": finding.thing().kind(),
        "id": finding.thing().id(),
        "instance": finding.instance().map(contract::InstanceId::as_str),
        "sentence": finding.sentence(),
    })
}

/// One line for each finding, its sentence below it, and what was done below that.
fn to_text(report: &Report, fix: bool) -> String {
    let mut text = String::new();
    for one in &report.entries {
        let (thing, instance) = (one.finding.thing(), one.finding.instance());
        let instance = instance.map_or("", contract::InstanceId::as_str);
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{}{thing} of instance {instance}, known since {}", kind(&one.finding), one.since);
        let _ = writeln!(text, "        {}", one.finding.sentence());
        if let Some(done) = &one.done {
            let _ = writeln!(text, "        -> {done}");
        }
    }
    for one in &report.unknown {
        let _ = writeln!(text, "{}{}", kind(one), one.thing());
        let _ = writeln!(text, "        {}", one.sentence());
    }
    text + &summary(report, fix)
}

/// As wide as the sentences below it are indented.
fn kind(finding: &Finding) -> String {
    let word = finding.kind();
    format!("{}{}", tinted(word), " ".repeat(8_usize.saturating_sub(word.len())))
}

fn summary(report: &Report, fix: bool) -> String {
    let looked_at = report.looked_at;
    let found = match (report.entries.len(), report.unread.is_empty()) {
        (0, true) => "Nothing differs".to_owned(),
        (found, true) => format!("{found} found"),
        (found, false) if fix => format!("{found} found in what could be read; nothing was changed"),
        (found, false) => format!("{found} found in what could be read"),
    };
    format!(
        "{found}. Looked at: instances {}, distributions {}, certificates {}, folders {}, records {}.",
        looked_at.instances,
        looked_at.distributions,
        looked_at.certificates,
        looked_at.folders,
        looked_at.records
    )
}
