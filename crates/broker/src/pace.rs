//! How long things may take and how soon they are tried again: one table, with reasons. `docs/RETRIES.md` shows it.

pub(crate) mod patience;

use std::time::Duration;

use contract::{Operation, OperationKind, OperationState, Timestamp};

use self::patience::{Limit, patience};
use crate::workflow::Step;

/// The times that an operator may set.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How long a step may run before it is cut off; upstream calls that hang must not hold an instance.
    pub step_timeout: Duration,
    /// How often to ask whether a distribution is deployed, at first.
    pub deployment_poll: Duration,
    /// How long a user may take to prove their domains (`PROVISION_PROOF_WAIT`). The platform itself gives up after
    /// seven days (osb.md C3), so this must be less, or the user never reads why.
    pub provision_proof_wait: Duration,
    /// How long an operation tries to remove a certificate that the vault still holds on to. Afterwards that is left to
    /// the background: neither a user nor a renewal waits for it.
    pub vault_patience: Duration,
    /// How long a user may take to prove the domains that an update adds (`UPDATE_PROOF_WAIT`). While an update runs the
    /// platform lets nobody change or delete the instance, so this is short; the same update goes on where it stopped.
    pub update_proof_wait: Duration,
    /// How long somebody who asks how an instance stands waits while the world is looked at. Less than the server gives an
    /// answer ([`ServerLimits::request_time`](crate::ServerLimits::request_time)), and far less than the platform's minute.
    pub look_time: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            step_timeout: Duration::from_secs(45),
            deployment_poll: Duration::from_secs(15),
            provision_proof_wait: Duration::from_hours(144),
            vault_patience: Duration::from_mins(2),
            update_proof_wait: Duration::from_hours(1),
            look_time: Duration::from_secs(8),
        }
    }
}

impl Pace {
    /// How long a lease lasts: twice the longest step and some, so that a living worker never loses it.
    pub fn lease(&self) -> Duration {
        self.step_timeout * 2 + Duration::from_secs(5)
    }

    /// How long to wait before asking about a deployment again: what is configured at first, four times that after a
    /// few minutes. CloudFront says "about five minutes" and throttles accounts, not callers (aws.md 1.5, 1.8).
    pub(crate) fn deployment_wait(&self, waited: Duration) -> Duration {
        (waited / 10).clamp(self.deployment_poll, self.deployment_poll * 4)
    }

    /// Whether an operation that has failed was given up for taking too long: then it may go well another time, and what it
    /// was refused will be refused again (R73). Its end is in `next_at`.
    pub(crate) fn has_timed_out(&self, operation: &Operation) -> bool {
        let tried = operation.next_at.since(operation.step_since);
        Step::of(operation).is_some_and(|step| tried > self.deadline(operation.kind, step))
    }

    /// When the step of an operation is given up; `None` when it does not run, or is never given up.
    pub(crate) fn gives_up_at(&self, operation: &Operation) -> Option<Timestamp> {
        let runs = operation.state == OperationState::Running;
        let patience = Step::of(operation).filter(|_| runs).map(|step| self.deadline(operation.kind, step));
        let patience = patience.filter(|patience| *patience < Duration::MAX);
        patience.map(|patience| operation.step_since + patience)
    }

    /// How long a step may keep failing before its operation is given up. Waiting for the user counts; waiting for the
    /// operator does not.
    pub(crate) fn deadline(&self, kind: OperationKind, step: Step) -> Duration {
        match patience(kind, step).limit {
            Limit::Never => Duration::MAX,
            Limit::ProvisionProofWait => self.provision_proof_wait,
            Limit::UpdateProofWait => self.update_proof_wait,
            Limit::After(limit) => limit,
        }
    }
}

/// The wait before attempt `attempt + 1` after an error: exponential from one second to one minute, at least what the
/// other side asked for, and up to a quarter more, so that a crowd that failed together does not come back together.
/// `chance` is a number from 0 to 255.
pub(crate) fn back_off(attempt: i32, asked: Option<Duration>, chance: u8) -> Duration {
    let exponent = u32::try_from(attempt).unwrap_or(0).min(6);
    let base = Duration::from_secs(1 << exponent).min(Duration::from_mins(1));
    let base = asked.map_or(base, |asked| asked.clamp(base, Duration::from_hours(24)));
    base + base * u32::from(chance) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_up_to_a_minute() {
        let waits: Vec<u64> = (0..8).map(|n| back_off(n, None, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_the_other_side_asks_for_is_obeyed_and_jitter_is_bounded() {
        let asked = Some(Duration::from_mins(2));
        assert_eq!(back_off(0, asked, 0), Duration::from_mins(2));
        assert!(back_off(0, asked, 255) < Duration::from_secs(150));
        assert_eq!(back_off(0, Some(Duration::MAX), 0), Duration::from_hours(24));
    }

    #[test]
    fn the_lease_outlives_two_steps() {
        let pace = Pace::default();
        assert!(pace.lease() > pace.step_timeout * 2);
    }

    #[test]
    fn a_long_deployment_is_asked_about_less_often() {
        let pace = Pace::default();
        assert_eq!(pace.deployment_wait(Duration::ZERO), Duration::from_secs(15));
        assert_eq!(pace.deployment_wait(Duration::from_mins(5)), Duration::from_secs(30));
        assert_eq!(pace.deployment_wait(Duration::from_hours(1)), Duration::from_mins(1));
    }
}
