//! What follows from a run: when the next one is due, and whether it is an incident.

use std::time::Duration;

use contract::{CheckOutcome, CheckRecord, CheckRun, CheckSchedule, Timestamp};

/// By how much a lease outlives the time limit of its run: for what is done before and after it.
pub(super) const MARGIN: Duration = Duration::from_secs(30);

/// Until when somebody runs it, if somebody does. A lease that lasts longer than any can is of a clock that has jumped.
pub(super) fn lease(record: &CheckRecord, schedule: CheckSchedule, now: Timestamp) -> Option<Timestamp> {
    let longest = now + schedule.limit + MARGIN * 2;
    record.leased_until.filter(|until| *until > now && *until <= longest)
}

/// Whether it is time. A moment that lies further ahead than any is chosen, too, is of a clock that has jumped, or of a
/// time when it was to be run less often.
pub(super) fn is_due(record: &CheckRecord, schedule: CheckSchedule, now: Timestamp) -> bool {
    let far = now + schedule.every * 2;
    let is_time = record.next_at <= now || record.next_at > far;
    is_time && lease(record, schedule, now).is_none()
}

/// A run that has ended, and all that what follows depends on.
pub(super) struct Course<'a> {
    pub(super) schedule: CheckSchedule,
    /// How many failures in a row make an incident, if any do.
    pub(super) incident_after: Option<u32>,
    pub(super) taken: &'a CheckRecord,
    pub(super) run: &'a CheckRun,
    pub(super) now: Timestamp,
    /// A number from 0 to 255, for jitter.
    pub(super) chance: u8,
}

impl Course<'_> {
    /// How the check stands afterwards.
    pub(super) fn next(&self) -> CheckRecord {
        let ended = CheckRecord { leased_until: None, runs: self.run.number, ..self.taken.clone() };
        let every = self.schedule.every;
        match &self.run.outcome {
            // No run has ended.
            CheckOutcome::Underway { again, .. } => {
                CheckRecord { next_at: self.now + *again, leased_until: None, ..self.taken.clone() }
            }
            CheckOutcome::Skipped { .. } => CheckRecord { next_at: self.after(every), ..ended },
            CheckOutcome::Ok => CheckRecord {
                next_at: self.after(every),
                failures: 0,
                failing_since: None,
                told: false,
                ..ended
            },
            CheckOutcome::Failing(_) => self.failed(ended),
        }
    }

    fn failed(&self, ended: CheckRecord) -> CheckRecord {
        let failures = ended.failures.saturating_add(1);
        let is_incident = self.incident_after.is_some_and(|after| failures.unsigned_abs() >= after);
        CheckRecord {
            next_at: self.after(self.pause(failures)),
            failures,
            failing_since: ended.failing_since.or(Some(self.run.began)),
            told: ended.told || is_incident,
            ..ended
        }
    }

    /// How long after so many failures it is tried again.
    fn pause(&self, failures: i32) -> Duration {
        let doublings = failures.saturating_sub(1).clamp(0, 16).unsigned_abs();
        (self.schedule.retry * 2_u32.pow(doublings)).min(self.schedule.every)
    }

    /// A tenth of it is left to chance, so that what has begun together does not go on together.
    fn after(&self, pause: Duration) -> Timestamp {
        self.now + pause * 19 / 20 + pause / 10 * u32::from(self.chance) / 256
    }
}
