//! How a report reads in a mail or in a chat.

use contract::{Report, Turn};

/// How many instances are named before the rest is counted.
const NAMED: usize = 20;

/// One line: the subject of a mail, the first line in a chat.
pub(super) fn headline(report: &Report) -> String {
    let what = match report.turn {
        Turn::Opened => "ALERT",
        Turn::Worsened => "ALERT, worse",
        Turn::Resolved => "RESOLVED",
        Turn::Test => "TEST",
    };
    one_line(&format!("{what}: {}", report.subject))
}

/// The whole, in plain text.
pub(super) fn body(report: &Report) -> String {
    let mut lines = vec![report.message.clone(), String::new()];
    if let Some(side) = report.side {
        lines.push(format!("Probable side: {side}"));
    }
    if !report.affected.is_empty() {
        lines.push(format!("Instances: {}", affected(report)));
    }
    lines.push(format!("Since: {}", report.opened_at));
    if report.turn == Turn::Resolved {
        lines.push(format!("Until: {}, after {}", report.at, span(report.lasted().as_secs())));
    }
    lines.join("\n")
}

/// Without line ends and other control characters: what goes into a header must not begin another.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn affected(report: &Report) -> String {
    let named: Vec<&str> = report.affected.iter().take(NAMED).map(contract::InstanceId::as_str).collect();
    match report.affected.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use contract::{InstanceId, Side, Timestamp};

    use super::*;

    fn report(turn: Turn) -> Report {
        Report {
            turn,
            subject: "breaker vault/store".into(),
            message: "No room for one certificate more.".into(),
            side: Some(Side::Aws),
            affected: (1..=22).map(|number| InstanceId::new(format!("i-{number}"))).collect(),
            opened_at: Timestamp::from_secs(1_767_225_600),
            at: Timestamp::from_secs(1_767_225_600 + 600),
        }
    }

    #[test]
    fn a_report_says_what_is_known() {
        let report = report(Turn::Resolved);
        assert_eq!(headline(&report), "RESOLVED: breaker vault/store");
        let text = body(&report);
        for part in ["No room for", "Probable side: aws", "i-20 and 2 more", "after 10 minutes"] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }

    #[test]
    fn a_headline_is_one_line() {
        let report = Report { subject: "a\r\nBcc: b@example.org".into(), ..report(Turn::Opened) };
        assert_eq!(headline(&report), "ALERT: a  Bcc: b@example.org");
    }
}
