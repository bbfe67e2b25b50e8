//! Removes certificates that the vault would not let go of when their time had come.

use std::time::Duration;

use contract::{Alert, PortResult, Side, Sweep};

use crate::alerts::subject;
use crate::ports::Ports;

/// Tries again and again, where no operation waits for it.
#[derive(Clone)]
pub(crate) struct Sweeper {
    pub(crate) ports: Ports,
}

/// How often a removal is tried (aws.md 5: others have ended at a quarter of an hour).
const INTERVAL: Duration = Duration::from_mins(15);

/// When the operator is told that a removal takes long.
const LONG: Duration = Duration::from_hours(24);

/// When it is tried once a day only. Nothing is ever forgotten: a certificate left behind takes room from all others.
const VERY_LONG: Duration = Duration::from_hours(7 * 24);

/// How many removals are taken at once.
const MOST: u32 = 8;

impl Sweeper {
    /// Tries every removal that is due.
    ///
    /// Errors: the store's, when it could not even be asked what is due.
    pub(crate) async fn run_due(&self) -> PortResult<()> {
        loop {
            let due = self.ports.sweeps.take_due(self.ports.clock.now(), INTERVAL, MOST).await?;
            if due.is_empty() {
                return Ok(());
            }
            for sweep in due {
                let name = sweep.vault_name.clone();
                if let Err(error) = self.sweep(sweep).await {
                    tracing::warn!(%error, certificate.name = %name, "could not keep how a removal stands");
                }
            }
        }
    }

    async fn sweep(&self, sweep: Sweep) -> PortResult<()> {
        match self.ports.vault.remove(&sweep.vault_name).await {
            Ok(()) => {
                tracing::info!(
                    instance.id = %sweep.instance, certificate.name = %sweep.vault_name,
                    "removed a certificate in the background"
                );
                self.ports.sweeps.done(&sweep.vault_name).await
            }
            Err(error) => self.put_off(sweep, &error.to_string()).await,
        }
    }

    async fn put_off(&self, mut sweep: Sweep, error: &str) -> PortResult<()> {
        let waited = self.ports.clock.now().since(sweep.since);
        if waited >= LONG && !sweep.told {
            let message = format!(
                "nobody needs it since {}, and it cannot be removed: {error}. It was made for instance {}.",
                sweep.since, sweep.instance
            );
            let alert = Alert::new(subject::removal(&sweep.vault_name), message);
            self.ports.alerts.raise(alert.on(Side::Aws).affecting([sweep.instance.clone()])).await;
            sweep.told = true;
        }
        if waited >= VERY_LONG {
            sweep.next_at = self.ports.clock.now() + LONG;
        }
        self.ports.sweeps.keep(&sweep).await
    }
}
