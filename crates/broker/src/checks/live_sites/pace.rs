//! How far the walk has come, and how many sites are next.

use std::time::Duration;

use contract::{InstanceId, Timestamp};
use serde::{Deserialize, Serialize};

/// How often a few sites are looked at.
pub(super) const EVERY: Duration = Duration::from_mins(1);

/// All sites are seen within this time.
const DAY: Duration = Duration::from_hours(24);

/// No site is looked at more often than this, however few there are.
const SHORTEST_ROUND: Duration = Duration::from_hours(1);

/// How many sites there are, as long as nobody has counted them.
const GUESS: u64 = 10_000;

/// At least so many are looked at in one run, so that a few sites are seen within minutes.
const FEWEST: u64 = 5;

/// One walk through all instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Round {
    /// The last instance that was looked at; `None` at the beginning.
    pub(super) after: Option<String>,
    /// The last one that was looked at again.
    pub(super) troubled_after: Option<String>,
    /// When it began.
    began: Timestamp,
    /// How many instances it has passed.
    walked: u64,
    /// How many the one before has passed.
    before: Option<u64>,
    /// Whether it is at its end.
    is_over: bool,
    /// When the last run was.
    last: Timestamp,
}

impl Round {
    /// What an earlier run has written; one that begins now if that is not understood.
    pub(super) fn read(text: Option<&str>, now: Timestamp) -> Self {
        let begins = Self {
            after: None,
            troubled_after: None,
            began: now,
            walked: 0,
            before: None,
            is_over: false,
            last: now,
        };
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(begins)
    }

    pub(super) fn write(&self) -> String {
        // Texts and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How many instances are next. A round that is over is followed by the next one, in time.
    pub(super) fn batch(&mut self, now: Timestamp) -> u32 {
        if self.is_over {
            // A clock that has jumped back must not make it wait for long.
            let is_time = now.since(self.began) >= SHORTEST_ROUND || self.began > now;
            if !is_time {
                return 0;
            }
            *self = Self { before: Some(self.walked), ..Self::read(None, now) };
        }
        let elapsed = now.since(self.last).clamp(EVERY, Duration::from_hours(1));
        self.last = now;
        let expected = self.before.unwrap_or(GUESS).max(self.walked);
        // A quarter more than needed: runs are late, and there are more sites every day.
        let share = u128::from(expected) * elapsed.as_millis() * 5 / (4 * DAY.as_millis());
        u32::try_from(u64::try_from(share).unwrap_or(u64::MAX).max(FEWEST)).unwrap_or(u32::MAX)
    }

    pub(super) fn pass(&mut self, id: &InstanceId) {
        self.after = Some(id.as_str().to_owned());
        self.walked += 1;
    }

    pub(super) fn end(&mut self) {
        self.is_over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many runs, one a minute, it takes until all are passed, in a round after one that has counted them.
    fn runs(sites: u64) -> u64 {
        let start = Timestamp::from_secs(1_767_225_600);
        let mut round = Round { before: Some(sites), ..Round::read(None, start) };
        let (mut runs, mut left) = (0, sites);
        while left > 0 {
            runs += 1;
            let batch = u64::from(round.batch(start + EVERY * u32::try_from(runs).unwrap()));
            left = left.saturating_sub(batch);
            round.walked += batch;
            round = Round::read(Some(&round.write()), start);
        }
        runs
    }

    #[test]
    fn all_sites_are_seen_within_a_day_and_a_few_within_minutes() {
        for sites in [10_000, 100_000, 1_000_000] {
            let needed = runs(sites);
            assert!((1000..1440).contains(&needed), "{sites} sites take {needed} minutes");
        }
        assert_eq!(runs(10), 2);
    }

    #[test]
    fn a_round_is_followed_by_the_next_after_an_hour() {
        let start = Timestamp::from_secs(1_767_225_600);
        let mut round = Round::read(None, start);
        assert!(round.batch(start) > 0);
        round.pass(&InstanceId::new("one"));
        round.end();
        assert_eq!(round.batch(start + Duration::from_mins(59)), 0);
        assert!(round.batch(start + Duration::from_hours(1)) > 0);
        assert_eq!((round.after.clone(), round.before), (None, Some(1)));
        round.end();
        assert!(round.batch(start - Duration::from_hours(9)) > 0, "the clock has jumped back");
    }
}
