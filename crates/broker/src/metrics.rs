//! `GET /metrics` for Prometheus. What happens in this process is counted as it happens (`counts.rs`); what is in the
//! database is counted when somebody asks, and then stands for a few seconds (`levels.rs`). docs/METRICS.md lists the names.

mod counts;
mod levels;
mod listen;
mod page;

use std::sync::Arc;
use std::time::Duration;

use contract::{
    Allowance, Census, CensusStore, CheckRecord, CheckRun, CheckStore, Clock, PortResult, Room, Timestamp,
};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;
use tokio::sync::Mutex;

pub use self::counts::Counters;
use self::levels::Levels;
pub use self::listen::serve_metrics;
pub use self::page::MetricsPage;

/// For how long what was read stands: two servers that scrape cost the database no more than one.
const FRESH: Duration = Duration::from_secs(5);
/// How long the database may take.
const TIME: Duration = Duration::from_secs(8);

/// Everything that is measured.
pub struct Metrics {
    registry: Registry,
    levels: Levels,
    census: Arc<dyn CensusStore>,
    checks: Arc<dyn CheckStore>,
    allowance: Arc<dyn Allowance>,
    clock: Arc<dyn Clock>,
    /// When the levels were last set.
    set_at: Mutex<Option<Timestamp>>,
}

impl Metrics {
    /// What `counts` counts, what is in the database, and what the authority's limits leave. `version` is that of the
    /// program.
    pub fn new(
        counts: &Counters,
        census: Arc<dyn CensusStore>,
        checks: Arc<dyn CheckStore>,
        allowance: Arc<dyn Allowance>,
        clock: Arc<dyn Clock>,
        version: &'static str,
    ) -> Self {
        let mut registry = Registry::with_prefix("cdn_broker");
        counts.register(&mut registry);
        let levels = Levels::register(&mut registry, version);
        Self { registry, levels, census, checks, allowance, clock, set_at: Mutex::default() }
    }

    /// Everything, in the text format of Prometheus (version 0.0.4).
    async fn read(&self) -> String {
        self.set_levels().await;
        let mut text = String::new();
        if let Err(error) = prometheus_text::encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        text
    }

    /// Reads the levels anew, unless that was just done. Whoever comes meanwhile waits for it.
    async fn set_levels(&self) {
        let mut set_at = self.set_at.lock().await;
        let now = self.clock.now();
        if set_at.is_some_and(|at| now.since(at) < FRESH && at <= now) {
            return;
        }
        match tokio::time::timeout(TIME, self.look(now)).await {
            Ok(Ok(Seen { census, rooms, checks })) => {
                self.levels.set(&census, &rooms, now);
                self.levels.set_checks(&checks, now);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "could not count for the metrics");
                self.levels.forget();
            }
            Err(_) => {
                tracing::warn!("the database is too slow to count for the metrics");
                self.levels.forget();
            }
        }
        self.levels.set_pool(self.census.pool());
        *set_at = Some(now);
    }

    async fn look(&self, now: Timestamp) -> PortResult<Seen> {
        let census = self.census.census(now, &levels::HORIZONS).await?;
        let rooms = self.allowance.rooms().await?;
        let mut checks = Vec::new();
        for check in self.checks.all().await? {
            let newest = self.checks.history(&check.name, 1).await?.pop();
            checks.push((check, newest));
        }
        Ok(Seen { census, rooms, checks })
    }
}

/// What was read in one go.
struct Seen {
    census: Census,
    rooms: Vec<Room>,
    /// Each with its newest run.
    checks: Vec<(CheckRecord, Option<CheckRun>)>,
}
