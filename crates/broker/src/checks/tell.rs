//! What the operator hears: once when a check keeps failing, once when it is over.

use contract::{Alert, CheckFailure, CheckOutcome, CheckRecord, CheckRun, InstanceId, Side};

use super::Checks;
use crate::describe;

/// How many affected instances are named.
const NAMED: usize = 10;

impl Checks {
    pub(super) async fn tell(&self, before: &CheckRecord, after: &CheckRecord, run: &CheckRun) {
        let subject = subject(&run.check);
        match &run.outcome {
            CheckOutcome::Failing(failure) if after.told && !before.told => {
                let alert = Alert::new(subject, message(after, failure)).on(failure.side);
                self.0.ports.alerts.raise(alert.affecting(failure.affected.clone())).await;
            }
            CheckOutcome::Ok if before.told => {
                self.0.ports.alerts.resolve(Alert::new(subject, over(before, run))).await;
            }
            _ => {}
        }
    }
}

/// The subject of a check's incident. There is one at a time.
fn subject(check: &str) -> String {
    format!("check {check}")
}

fn message(check: &CheckRecord, failure: &CheckFailure) -> String {
    let since = check.failing_since.map_or_else(String::new, |since| format!(" since {since}"));
    format!(
        "{} ({}). It has failed {} time(s) in a row{since}. {}. What relies on it: {}.{} `cdn-broker checks history {}` \
         shows its runs.",
        failure.sentence.trim_end_matches('.'),
        failure.class,
        check.failures,
        likely(failure.side),
        failure.relies.trim_end_matches('.'),
        affected(&failure.affected),
        check.name
    )
}

/// On whose side the cause lies, in words.
pub(crate) fn likely(side: Side) -> &'static str {
    match side {
        Side::Us => "The cause lies with this broker or its configuration",
        Side::Authority => "The cause lies with the certificate authority",
        Side::Aws => "The cause lies with AWS",
        Side::Dns => "The cause lies with name servers",
        Side::Tenant => "The cause lies with one tenant",
    }
}

/// The instances, the first few by name.
pub(crate) fn affected(instances: &[InstanceId]) -> String {
    if instances.is_empty() {
        return String::new();
    }
    let named: Vec<&str> = instances.iter().take(NAMED).map(InstanceId::as_str).collect();
    let more = match instances.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(" Affected: {}{more}.", named.join(", "))
}

fn over(before: &CheckRecord, run: &CheckRun) -> String {
    let began = before.failing_since.unwrap_or(run.began);
    let lasted = describe::span((run.began + run.took).since(began));
    format!("it succeeds again, after {} failure(s) in a row. It lasted {lasted}.", before.failures)
}
