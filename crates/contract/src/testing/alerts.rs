use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{CrashPlan, locked};
use crate::{Alert, Alerts};

/// Remembers every alert that was raised. Clones share the memory.
#[derive(Clone, Debug, Default)]
pub struct RecordingAlerts {
    plan: CrashPlan,
    raised: Arc<Mutex<Vec<Alert>>>,
    resolved: Arc<Mutex<Vec<Alert>>>,
}

impl RecordingAlerts {
    /// Nothing raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same memory, with every call passing `plan`. An alert that is to fail is lost.
    #[must_use]
    pub fn with_plan(mut self, plan: &CrashPlan) -> Self {
        self.plan = plan.clone();
        self
    }

    /// Every alert that was raised, repetitions included, oldest first.
    pub fn raised(&self) -> Vec<Alert> {
        locked(&self.raised).clone()
    }

    /// Every incident that was said to be over, oldest first.
    pub fn resolved(&self) -> Vec<Alert> {
        locked(&self.resolved).clone()
    }
}

#[async_trait]
impl Alerts for RecordingAlerts {
    async fn raise(&self, alert: Alert) {
        let record = || {
            locked(&self.raised).push(alert);
            Ok(())
        };
        // The port cannot fail: an alert that the plan lets fail is one that nobody has heard.
        let _lost = self.plan.pass("alerts.raise", record).await;
    }
    async fn resolve(&self, alert: Alert) {
        let record = || {
            let subjects = |alerts: &Mutex<Vec<Alert>>| {
                locked(alerts).iter().filter(|one| one.subject == alert.subject).count()
            };
            // What was not raised since cannot be over.
            if subjects(&self.raised) > subjects(&self.resolved) {
                locked(&self.resolved).push(alert);
            }
            Ok(())
        };
        let _lost = self.plan.pass("alerts.resolve", record).await;
    }
}
