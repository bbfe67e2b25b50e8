use std::sync::Arc;
use std::time::Duration;

use contract::PortResult;
use tokio::sync::{Notify, watch};

use crate::Ports;
use crate::alerts::Notifier;
use crate::planner::Planner;
use crate::reconcile::{RoundSettings, Rounds};
use crate::sweeper::Sweeper;

/// What the broker does by itself, beside the work that was asked for: it plans renewals, removes what was left
/// behind, compares the store with the world, and tells the operator what stands in the way. Everything is kept in the
/// store, so it may be stopped at any moment, and run in several processes at once.
#[derive(Clone)]
pub struct Chores {
    ports: Ports,
    planner: Planner,
    sweeper: Sweeper,
    rounds: Option<Arc<Rounds>>,
    notifier: Option<Notifier>,
    bell: Arc<Notify>,
}

/// The longest time without a look: another process may have planned something meanwhile.
const LONGEST_NAP: Duration = Duration::from_secs(10);

/// The shortest, when something is overdue because it has just failed.
const SHORTEST_NAP: Duration = Duration::from_secs(1);

impl Chores {
    /// Chores on these ports that ring `bell` when they have made work for the worker.
    pub fn new(ports: Ports, bell: Arc<Notify>) -> Self {
        let (planner, sweeper) = (Planner { ports: ports.clone() }, Sweeper { ports: ports.clone() });
        Self { ports, planner, sweeper, rounds: None, notifier: None, bell }
    }

    /// The same, and from time to time the store is compared with the world.
    #[must_use]
    pub fn with_rounds(mut self, settings: RoundSettings) -> Self {
        self.rounds = Some(Arc::new(Rounds::new(self.ports.clone(), settings)));
        self
    }

    /// The same, and what the operator is to be told is delivered.
    #[must_use]
    pub fn with_notifier(mut self, notifier: Notifier) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Does what is due, whenever it is, until `stop` turns true. What it is in the middle of is dropped then: it falls
    /// due again.
    pub async fn serve(&self, mut stop: watch::Receiver<bool>) {
        let work = async {
            loop {
                if let Err(error) = self.run_due().await {
                    tracing::error!(%error, "could not look for what is due");
                }
                nap_for(self.nap().await).await;
            }
        };
        tokio::select! {
            // A sender that is gone has stopped as well.
            _ = stop.wait_for(|stopped| *stopped) => {}
            // In a large account a round takes long; nothing else is to wait for it.
            _ = async { tokio::join!(work, self.go_on_rounds(), self.deliver()) } => {}
        }
    }

    async fn go_on_rounds(&self) {
        loop {
            if let Err(error) = self.run_round_if_due().await {
                tracing::error!(%error, "could not compare the store with the world");
            }
            nap_for(LONGEST_NAP).await;
        }
    }

    async fn deliver(&self) {
        if let Some(notifier) = &self.notifier {
            notifier.serve().await;
        }
    }

    /// Compares the store with the world, if it is time.
    ///
    /// Errors: the store's.
    pub async fn run_round_if_due(&self) -> PortResult<()> {
        match &self.rounds {
            Some(rounds) => rounds.run_due().await,
            None => Ok(()),
        }
    }

    /// Does everything that is due now.
    ///
    /// Errors: the store's, when it could not even be asked what is due.
    pub async fn run_due(&self) -> PortResult<()> {
        self.ports.breakers.run_due().await?;
        if self.planner.run_due().await? > 0 {
            self.bell.notify_one();
        }
        self.sweeper.run_due().await?;
        match &self.notifier {
            Some(notifier) => notifier.tidy_if_due(&self.ports).await,
            None => Ok(()),
        }
    }

    async fn nap(&self) -> Duration {
        let next = [self.ports.renewals.next_check().await, self.ports.sweeps.next_try().await];
        let next = next.into_iter().filter_map(|next| next.ok().flatten()).min();
        let now = self.ports.clock.now();
        next.map_or(LONGEST_NAP, |due| due.since(now).clamp(SHORTEST_NAP, LONGEST_NAP))
    }
}

/// Sleeping is how a tick of the timer is waited for.
#[expect(clippy::disallowed_methods, reason = "the timer of what the broker does by itself")]
async fn nap_for(duration: Duration) {
    tokio::time::sleep(duration).await;
}
