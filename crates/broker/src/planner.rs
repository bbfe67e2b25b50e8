//! When certificates are renewed, and who hears about it when they are not.

use std::time::Duration;

use contract::{
    Alert, CertificateFacts, CertificateRecord, CertificateState, ChosenMoment, OperationKind,
    OperationState, PortResult, RenewalAdvice, RenewalPlan, Standing, Timestamp, Track,
};

use crate::alerts::subject;
use crate::describe;
use crate::ports::Ports;

/// Decides when certificates are renewed. Several planners, in one process or in many, share one database; a certificate
/// whose time has not come is never read.
#[derive(Clone)]
pub(crate) struct Planner {
    pub(crate) ports: Ports,
}

/// How long a plan that was taken is left to the one who took it.
const PUT_OFF: Duration = Duration::from_mins(5);

/// How many plans are taken at once: few, so that several brokers share a crowd of them.
const MOST: u32 = 8;

/// How long a renewal is left alone of a certificate that nobody can read.
const UNKNOWN: Duration = Duration::from_hours(6);

/// The stages of warning: which share of a certificate's life is left. The last one is its end.
const STAGES: [u32; 3] = [3, 10, 20];

impl Planner {
    /// Looks at every plan that is due, and says how many renewals were begun.
    ///
    /// Errors: the store's, when it could not even be asked what is due.
    pub(crate) async fn run_due(&self) -> PortResult<usize> {
        let mut begun = 0;
        loop {
            let due = self.ports.renewals.take_due(self.ports.clock.now(), PUT_OFF, MOST).await?;
            if due.is_empty() {
                return Ok(begun);
            }
            for plan in due {
                let instance = plan.instance.clone();
                match self.check(plan).await {
                    Ok(begins) => begun += usize::from(begins),
                    Err(error) => tracing::warn!(%error, instance.id = %instance, "could not plan a renewal"),
                }
            }
        }
    }

    /// Looks at one plan: asks when to renew, renews when the moment has come, warns when it is late. `true` when a
    /// renewal was begun.
    async fn check(&self, mut plan: RenewalPlan) -> PortResult<bool> {
        let standing = self.ports.operations.standing(&plan.instance).await?;
        let served = standing.as_ref().and_then(|standing| served(standing, &plan));
        let Some((served, advice)) = self.advised(&plan, served).await? else {
            self.ports.renewals.forget(&plan).await?;
            return Ok(false);
        };
        let at = self.choose(&mut plan, &advice);
        let now = self.ports.clock.now();
        let begun = at <= now && self.begin(&plan, now).await?;
        plan.begun += i32::from(begun);
        let Some(facts) = &served.facts else {
            // Nobody can say what is left of its life.
            plan.check_at = if at > now { at } else { now + UNKNOWN };
            self.ports.renewals.keep(&plan).await?;
            return Ok(begun);
        };
        self.warn(&mut plan, facts, at, now).await?;
        plan.check_at = next_check(&plan, facts, &advice, at, now);
        self.ports.renewals.keep(&plan).await?;
        Ok(begun)
    }

    /// When to renew the certificate that is served; `None` when there is nothing to be renewed. One that was adopted without
    /// its key is replaced in the time that was set for it then, or earlier if the authority says so.
    async fn advised<'a>(
        &self,
        plan: &RenewalPlan,
        served: Option<&'a CertificateRecord>,
    ) -> PortResult<Option<(&'a CertificateRecord, RenewalAdvice)>> {
        let Some(served) = served else { return Ok(None) };
        let advice = match &served.facts {
            Some(facts) => Some(self.ports.issuer.renewal(facts).await?),
            None => None,
        };
        let early = plan.chosen.filter(|_| served.keyless);
        let advice = match (early, advice) {
            (Some(early), Some(advice)) => Some(RenewalAdvice {
                from: early.from.min(advice.from),
                until: early.until.min(advice.until),
                ..advice
            }),
            (Some(early), None) => Some(RenewalAdvice {
                from: early.from,
                until: early.until,
                ask_again: early.until,
                explanation: None,
            }),
            (None, advice) => advice,
        };
        Ok(advice.map(|advice| (served, advice)))
    }

    /// Keeps the moment that was chosen, unless the window has moved off it. Moments are spread evenly over the window,
    /// so that certificates that were made together are not renewed together.
    fn choose(&self, plan: &mut RenewalPlan, advice: &RenewalAdvice) -> Timestamp {
        let RenewalAdvice { from, until, .. } = *advice;
        let kept = plan.chosen.map(|chosen| chosen.at).filter(|at| (from..=until).contains(at));
        let at = kept.unwrap_or_else(|| {
            let [a, b, c, d, ..] = self.ports.randomness.bytes();
            let share = f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX);
            from + until.since(from).mul_f64(share)
        });
        plan.chosen = Some(ChosenMoment { from, until, at });
        at
    }

    /// Begins a renewal, unless one runs already or the user's own operation is in the way.
    async fn begin(&self, plan: &RenewalPlan, now: Timestamp) -> PortResult<bool> {
        let operation = self.ports.draft(&plan.instance, OperationKind::Renew, None, now);
        let begun = self.ports.operations.begin_renewal(&operation).await?;
        if begun {
            tracing::info!(instance.id = %plan.instance, operation.id = %operation.id, "began a renewal");
        }
        Ok(begun)
    }

    async fn warn(
        &self,
        plan: &mut RenewalPlan,
        facts: &CertificateFacts,
        at: Timestamp,
        now: Timestamp,
    ) -> PortResult<()> {
        let stage = stages(facts, at).iter().filter(|moment| **moment <= now).count();
        let stage = i32::try_from(stage).unwrap_or(i32::MAX);
        if stage <= plan.warned {
            return Ok(());
        }
        let newest = self.ports.operations.newest(&plan.instance, Track::Renewal).await?;
        // A renewal that has only just begun, late as it may be, is given the time until the next check.
        if newest.as_ref().is_some_and(|renewal| is_young(renewal, facts, now)) {
            return Ok(());
        }
        let error = newest.and_then(|renewal| renewal.error);
        let message = describe::late(facts, plan, stage, error.as_deref());
        let alert = Alert::new(subject::certificate(&plan.instance), message);
        self.ports.alerts.raise(alert.affecting([plan.instance.clone()]).worse(true)).await;
        plan.warned = stage;
        Ok(())
    }
}

/// The certificate that a plan is for, if it is still the one that is served.
fn served<'a>(standing: &'a Standing, plan: &RenewalPlan) -> Option<&'a CertificateRecord> {
    let same_life = standing.instance.incarnation == plan.incarnation;
    let mut certificates = standing.certificates.iter().filter(|_| same_life);
    certificates.find(|one| one.generation == plan.generation && one.state == CertificateState::Live)
}

/// When warnings are due. A certificate that is renewed in the last third of its life gets some time to be.
fn stages(facts: &CertificateFacts, at: Timestamp) -> Vec<Timestamp> {
    let life = facts.not_after.since(facts.not_before);
    let mut moments: Vec<Timestamp> = STAGES.iter().map(|share| facts.not_after - life / *share).collect();
    if let Some(first) = moments.first_mut() {
        *first = (*first).max(at + life / 50);
    }
    moments.push(facts.not_after);
    moments
}

fn is_young(renewal: &contract::Operation, facts: &CertificateFacts, now: Timestamp) -> bool {
    renewal.state == OperationState::Running && now.since(renewal.started_at) < patience(1, facts)
}

fn next_check(
    plan: &RenewalPlan,
    facts: &CertificateFacts,
    advice: &RenewalAdvice,
    at: Timestamp,
    now: Timestamp,
) -> Timestamp {
    let try_again = if at > now { at } else { now + patience(plan.begun, facts) };
    stages(facts, at)
        .into_iter()
        .chain([advice.ask_again, try_again])
        .filter(|moment| *moment > now)
        .min()
        .unwrap_or(try_again)
}

/// How long to leave a renewal alone before it is begun again, should it have been given up: ten minutes, then a hundred,
/// then a day, and never more than a fiftieth of the certificate's life.
fn patience(begun: i32, facts: &CertificateFacts) -> Duration {
    let minutes = match begun {
        ..=1 => 10,
        2 => 100,
        _ => 24 * 60,
    };
    let share = facts.not_after.since(facts.not_before) / 50;
    Duration::from_mins(minutes).min(share.max(Duration::from_secs(1)))
}
