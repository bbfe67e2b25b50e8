//! The comparison that the broker makes by itself.

use std::time::Duration;

use contract::{Alert, Chore, PortResult};

use super::since::Known;
use super::{CHORE, Reconciler, Report};
use crate::alerts::subject;
use crate::ports::Ports;

/// How long a round that was taken is left to the one who took it.
const PUT_OFF: Duration = Duration::from_hours(1);

/// How many new findings are told in full.
const TOLD: usize = 5;

/// How the operator wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundSettings {
    /// How often store and world are compared.
    pub every: Duration,
    /// Whether what is found is mended as well.
    pub fix: bool,
}

/// Compares from time to time, one broker of all that share the store.
#[derive(Clone)]
pub(crate) struct Rounds {
    ports: Ports,
    reconciler: Reconciler,
    settings: RoundSettings,
}

impl Rounds {
    pub(crate) fn new(ports: Ports, settings: RoundSettings) -> Self {
        let reconciler = Reconciler::new(ports.clone(), settings.every);
        Self { ports, reconciler, settings }
    }

    /// Compares, if it is time.
    ///
    /// Errors: the store's. The round falls due again.
    pub(crate) async fn run_due(&self) -> PortResult<()> {
        let now = self.ports.clock.now();
        let chore = self.reconciler.chore().await?;
        if chore.next_at > now + self.settings.every {
            // It was to be done less often until now.
            let next_at = now + self.reconciler.share_of(self.settings.every);
            return self.ports.chores.put_off(CHORE, next_at).await;
        }
        let put_off = PUT_OFF.min(self.settings.every);
        match self.ports.chores.take_due(CHORE, now, put_off).await? {
            Some(chore) => self.run(&chore).await,
            None => Ok(()),
        }
    }

    async fn run(&self, chore: &Chore) -> PortResult<()> {
        let begun = self.ports.clock.now();
        let report = self.reconciler.run_from(chore, self.settings.fix, &|_| {}).await?;
        self.ports.chores.put_off(CHORE, begun + self.settings.every).await?;
        log(&report);
        if let Some(message) = news(&report, &Known::read(&chore.found)) {
            self.ports.alerts.raise(Alert::new(subject::RECONCILIATION, message).worse(true)).await;
        } else if report.entries.is_empty() && report.unread.is_empty() {
            self.ports
                .alerts
                .resolve(Alert::new(subject::RECONCILIATION, "the store and the world agree again."))
                .await;
        }
        Ok(())
    }
}

fn log(report: &Report) {
    for entry in &report.entries {
        let (finding, done) = (&entry.finding, entry.done.as_deref().unwrap_or("nothing was done"));
        tracing::warn!(
            instance.id = finding.instance().map(contract::InstanceId::as_str),
            finding.kind = finding.kind(),
            "{}: {} ({done})",
            finding.thing(),
            finding.sentence()
        );
    }
    let looked_at = report.looked_at;
    tracing::info!(
        findings = report.entries.len(),
        unknown = report.unknown.len(),
        unread = report.unread.len(),
        instances = looked_at.instances,
        distributions = looked_at.distributions,
        certificates = looked_at.certificates,
        "compared the store with the world"
    );
}

/// What the operator has not heard yet.
fn news(report: &Report, known: &Known) -> Option<String> {
    let unread = report.unread.iter().filter(|unread| !known.has(&format!("unread {}", unread.list)));
    let unread =
        unread.map(|unread| format!("the list of {} was not read to its end: {}", unread.list, unread.why));
    let new = report.entries.iter().filter(|entry| !known.has(&entry.finding.key()));
    let new = new.map(|entry| format!("{}: {}", entry.finding.thing(), entry.finding.sentence()));
    let all: Vec<String> = unread.chain(new).collect();
    if all.is_empty() {
        return None;
    }
    let more = match all.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" And {more} more."),
    };
    let shown: Vec<&str> = all.iter().take(TOLD).map(String::as_str).collect();
    Some(format!(
        "the store and the world differ in {} new way(s). {}{more} `cdn-broker reconcile` shows all.",
        all.len(),
        shown.join(" ")
    ))
}
