use std::fmt::Write as _;

use broker::{Finding, Report, Thing};
use contract::Timestamp;
use serde_json::{Value, json};

use super::OrphansArgs;
use crate::cli::{complain, print};
use crate::instances::words;
use crate::reconcile;
use crate::{FAILED, FOUND, OK};

pub(super) fn show(report: &Report, arguments: &OrphansArgs) -> u8 {
    print(&if arguments.json { format!("{:#}", to_json(report)) } else { to_text(report) });
    for unread in &report.unread {
        complain(&format!("the list of {} was not read to its end: {}", unread.list, unread.why));
    }
    match () {
        () if !report.unread.is_empty() => FAILED,
        () if found(report).next().is_some() => FOUND,
        () => OK,
    }
}

/// What is left behind, and what is missing.
fn found(report: &Report) -> impl Iterator<Item = &broker::Entry> {
    report.entries.iter().filter(|entry| matches!(entry.finding.thing(), Thing::Certificate(_)))
}

fn to_json(report: &Report) -> Value {
    json!({
        "findings": found(report).map(reconcile::entry).collect::<Vec<_>>(),
        "unknown": report.unknown.iter().map(reconcile::finding).collect::<Vec<_>>(),
        "unread": report.unread.iter().map(|one| json!({"list": one.list, "why": one.why})).collect::<Vec<_>>(),
        "looked_at": {
            "instances": report.looked_at.instances,
            "certificates": report.looked_at.certificates,
        },
    })
}

fn to_text(report: &Report) -> String {
    let mut text = String::new();
    for entry in found(report) {
        about(&mut text, &entry.finding, Some(entry.since));
    }
    for finding in &report.unknown {
        about(&mut text, finding, None);
    }
    let count = found(report).count();
    let found = if count == 0 { "None".to_owned() } else { format!("{count} found") };
    let (instances, certificates) = (report.looked_at.instances, report.looked_at.certificates);
    text + &format!("{found}. Looked at: certificates {certificates}, instances {instances}.")
}

/// What it is, then whose, then what can be done. Writing to a string cannot fail.
fn about(text: &mut String, finding: &Finding, since: Option<Timestamp>) {
    let _ = writeln!(text, "{:8}{}", finding.kind(), finding.thing());
    if let Some(instance) = finding.instance() {
        let _ = writeln!(text, "        of instance {instance}");
    }
    if let Some(since) = since {
        let _ = writeln!(text, "        known since {}", words::rfc3339(since));
    }
    for line in words::wrapped(&finding.sentence(), 8) {
        let _ = writeln!(text, "{line}");
    }
}
