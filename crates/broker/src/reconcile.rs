//! Compares what the store says with what there is at the CDN, in the vault, on the challenge site and in the managed zone.
//!
//! Everything is looked at twice before it is called a finding, because lists are read one after the other while others
//! work: the second look reads store and world anew. What cannot be proven to be this very store's is never touched, and
//! nothing is done at all when one of the lists could not be read to its end
//! (`docs/decisions/0030-what-is-provably-ours.md`).

mod case;
mod finding;
mod lists;
mod mend;
mod rounds;
mod since;
mod strangers;
mod survey;

use std::time::Duration;

use contract::{Chore, PortResult};

pub use self::finding::{Drift, Entry, Finding, Thing};
pub use self::lists::{Counts, Unread};
use self::mend::Mender;
pub use self::rounds::RoundSettings;
pub(crate) use self::rounds::Rounds;
use self::since::Known;
use self::survey::Survey;
use crate::ports::Ports;

/// The name of the chore that is done by itself from time to time.
const CHORE: &str = "reconcile";

/// Who is told how far it has come.
pub(crate) type Told<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// Compares store and world, and mends what can be mended.
#[derive(Clone)]
pub struct Reconciler {
    ports: Ports,
    every: Duration,
}

/// What a comparison has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What is not as it should be.
    pub entries: Vec<Entry>,
    /// What looks like this broker's and is not this store's.
    pub unknown: Vec<Finding>,
    /// The lists that could not be read to their ends. About what they list, nothing is said; and nothing was mended.
    pub unread: Vec<Unread>,
    /// How much was looked at.
    pub looked_at: Counts,
}

impl Reconciler {
    /// A reconciler on these ports. `every` is how often the broker compares by itself.
    pub fn new(ports: Ports, every: Duration) -> Self {
        Self { ports, every }
    }

    /// Compares, and with `fix` mends: what has changed is brought back by an ordinary operation on its instance, which a
    /// worker does; what is left behind, and has been for a day, is removed. Without `fix` nothing is touched, and since when
    /// a finding is known is kept all the same. `told` hears how far it has come.
    ///
    /// Errors: the store's. What goes wrong elsewhere is in the report.
    pub async fn run(&self, fix: bool, told: Told<'_>) -> PortResult<Report> {
        let chore = self.chore().await?;
        self.run_from(&chore, fix, told).await
    }

    /// Compares the store with the certificates in the vault alone. Nothing is mended, and nothing is kept of it.
    ///
    /// Errors: the store's. What goes wrong elsewhere is in the report.
    pub async fn certificates(&self, told: Told<'_>) -> PortResult<Report> {
        let known = Known::read(&self.chore().await?.found);
        let survey = Survey::run_on_certificates(&self.ports, told).await?;
        Ok(survey.into_report(&known, self.ports.clock.now()))
    }

    async fn run_from(&self, chore: &Chore, fix: bool, told: Told<'_>) -> PortResult<Report> {
        let known = Known::read(&chore.found);
        let survey = Survey::run(&self.ports, told).await?;
        let mut report = survey.into_report(&known, self.ports.clock.now());
        if fix && report.unread.is_empty() {
            Mender { ports: &self.ports }.mend(&mut report.entries).await;
        }
        self.ports.chores.note(CHORE, &known.after(&report).write()).await?;
        Ok(report)
    }

    /// The chore as the store has it. The first time is at a random moment within the time between two, so that brokers that
    /// were started together do not ask AWS together, and every later one follows from it.
    async fn chore(&self) -> PortResult<Chore> {
        let next_at = self.ports.clock.now() + self.share_of(self.every);
        let first = Chore { name: CHORE.to_owned(), next_at, found: String::new() };
        self.ports.chores.ensure(&first).await
    }

    fn share_of(&self, time: Duration) -> Duration {
        let [a, b, c, d, ..] = self.ports.randomness.bytes();
        time.mul_f64(f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX))
    }
}
