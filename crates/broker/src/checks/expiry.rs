//! Nothing that is served expires sooner than the plan allows.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use contract::{
    CertificateFacts, CertificateRecord, Check, CheckFailure, CheckOutcome, CheckSchedule, OperationState,
    PortResult, Side, StepTimes, Timestamp, Track,
};

use crate::Ports;

/// No certificate lives longer, so none is late that lives on for so long.
const FAR: Duration = Duration::from_hours(24 * 100);

/// How many of the first to expire are looked at.
const MOST: u32 = 10_000;

/// A plan that fell due so long ago was not looked at by anybody.
const OVERDUE: Duration = Duration::from_hours(1);

/// The check `expiry`: every certificate that is served is renewed in time. Which one is late is told from its share of
/// life left: a renewal begins at a third (a half below ten days), so one with a fifth left (a third) is late.
///
/// One late renewal is its tenant's matter (a record that was not set), which the planner tells of. It is everybody's when
/// nobody works on it although its time has come, or when several tenants' are late.
pub struct Expiry {
    /// The store, and the time.
    pub ports: Ports,
    /// How many tenants are several; at least 2.
    pub several: usize,
}

/// A certificate that should have been renewed.
struct Late {
    record: CertificateRecord,
    tenant: String,
    /// Nobody works on its renewal.
    idle: bool,
}

impl Expiry {
    async fn look(&self) -> PortResult<Result<(), CheckFailure>> {
        let now = self.ports.clock.now();
        let mut late = Vec::new();
        for record in self.ports.certificates.expiring(now + FAR, MOST).await? {
            if record.facts.as_ref().is_some_and(|facts| is_late(facts, now)) {
                late.extend(self.examine(record, now).await?);
            }
        }
        Ok(self.judge(&late, now))
    }

    async fn examine(&self, record: CertificateRecord, now: Timestamp) -> PortResult<Option<Late>> {
        let Some(standing) = self.ports.operations.standing(&record.instance).await? else { return Ok(None) };
        if standing.instance.incarnation != record.incarnation {
            return Ok(None);
        }
        let renewal = self.ports.operations.newest(&record.instance, Track::Renewal).await?;
        let is_running = renewal.is_some_and(|renewal| renewal.state == OperationState::Running);
        let plan = self.ports.renewals.of_instance(&record.instance).await?;
        let is_planned = plan.is_some_and(|plan| now.since(plan.check_at) < OVERDUE);
        let tenant = standing.instance.request.organization;
        Ok(Some(Late { record, tenant, idle: !is_running && !is_planned }))
    }

    fn judge(&self, late: &[Late], now: Timestamp) -> Result<(), CheckFailure> {
        let idle: Vec<&Late> = late.iter().filter(|one| one.idle).collect();
        let tenants: BTreeSet<&str> = late.iter().map(|one| one.tenant.as_str()).collect();
        let (late, class, why) = match (idle.is_empty(), tenants.len() >= self.several) {
            (false, _) => (idle, "not-renewed", "and no renewal of them is running or planned"),
            (true, true) => {
                (late.iter().collect(), "late", "of several tenants, so the cause is not one tenant's")
            }
            (true, false) => return Ok(()),
        };
        let first =
            late.iter().filter_map(|one| one.record.facts.as_ref()).map(|facts| facts.not_after).min();
        let sentence = format!(
            "{} certificate(s) expire sooner than they should, {why}; the first one at {}. `cdn-broker instances show ID` \
             says what its renewal waits for; `cdn-broker instances renew ID` begins one",
            late.len(),
            first.unwrap_or(now)
        );
        let relies = "sites are served with these certificates, and are down when they have expired";
        let affected = late.iter().map(|one| one.record.instance.clone()).collect();
        Err(CheckFailure { affected, ..CheckFailure::new(Side::Us, class, sentence, relies) })
    }
}

/// Less than a fifth of its life is left; less than a third, if it lives for less than ten days.
fn is_late(facts: &CertificateFacts, now: Timestamp) -> bool {
    let life = facts.not_after.since(facts.not_before);
    let share = if life < Duration::from_hours(240) { 3 } else { 5 };
    facts.not_after.since(now) < life / share
}

#[async_trait]
impl Check for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    fn stands_for(&self) -> &'static str {
        "no certificate that is served expires sooner than the plan for its renewal allows"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(Duration::from_hours(1), Duration::from_mins(2))
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        let looked = steps.step("read the certificates that are served", self.look()).await;
        looked.map_or_else(|error| super::unable(&error), Into::into)
    }
}
