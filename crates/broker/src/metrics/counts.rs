use std::sync::Arc;

use contract::{Meter, OperationKind, OperationState, Upstream};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::levels::{Labels, kind};

/// Seconds that a step may take: most are one call upstream; `STEP_TIMEOUT` ends them all.
const BUCKETS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0, 90.0];

/// What has happened in this process since it began. A clone counts the same.
#[derive(Clone, Debug)]
pub struct Counters(Arc<Inner>);

type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

#[derive(Debug)]
struct Inner {
    requests: Family<Labels, Counter>,
    failed_proofs: Counter,
    steps: Histograms,
    ended: Family<Labels, Counter>,
}

impl Counters {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        let steps = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let (requests, ended) = (Family::default(), Family::default());
        Self(Arc::new(Inner { requests, failed_proofs: Counter::default(), steps, ended }))
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let Inner { requests, failed_proofs, steps, ended } = &*self.0;
        registry.register(
            "upstream_requests",
            "Requests to AWS and to the authority, by answer",
            requests.clone(),
        );
        registry.register(
            "failed_challenges",
            "Proofs of control that the authority has found wrong",
            failed_proofs.clone(),
        );
        registry.register("step_duration_seconds", "How long steps of operations took", steps.clone());
        registry.register("operations_ended", "Operations that have ended", ended.clone());
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

impl Meter for Counters {
    fn request(&self, upstream: Upstream, call: &str, code: &str) {
        let labels = [("upstream", upstream.word()), ("call", call), ("code", code)]
            .map(|(key, value)| (key, value.to_owned()));
        self.0.requests.get_or_create(&labels.to_vec()).inc();
    }

    fn failed_proofs(&self, count: u64) {
        self.0.failed_proofs.inc_by(count);
    }

    fn step(&self, operation: OperationKind, step: &str, seconds: f64) {
        let labels = vec![("kind", kind(operation).to_owned()), ("step", step.to_owned())];
        self.0.steps.get_or_create(&labels).observe(seconds);
    }

    fn ended(&self, operation: OperationKind, state: OperationState) {
        let state = match state {
            OperationState::Running => return,
            OperationState::Succeeded => "succeeded",
            OperationState::Failed => "failed",
            OperationState::Cancelled => "cancelled",
        };
        let labels = vec![("kind", kind(operation).to_owned()), ("state", state.to_owned())];
        self.0.ended.get_or_create(&labels).inc();
    }
}
