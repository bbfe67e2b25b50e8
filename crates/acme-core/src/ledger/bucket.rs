use contract::Timestamp;

use crate::limits::Quota;

/// A bucket that refills evenly, as one moment: when it will be full again (GCRA's theoretical arrival time). A moment
/// that has passed, or none at all, is a full bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    pub(crate) quota: Quota,
    /// How much of it may be used, in percent.
    pub(crate) percent: u8,
}

impl Bucket {
    /// The moment after one more is taken; otherwise when that will be possible.
    pub(crate) fn take(self, full: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Timestamp> {
        let next = full.unwrap_or(now).max(now) + self.quota.step();
        let earliest = next - self.usable();
        if earliest <= now { Ok(next) } else { Err(earliest) }
    }

    /// The moment after one more was taken, whether there was room for it or not. An empty bucket stays empty.
    pub(crate) fn spend(self, full: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let next = full.unwrap_or(now).max(now) + self.quota.step();
        next.min(now + self.quota.period)
    }

    /// The moment after one was given back.
    pub(crate) fn give_back(self, full: Timestamp) -> Timestamp {
        full - self.quota.step()
    }

    /// How many could be taken at once now; not only whole ones.
    pub(crate) fn left(self, full: Option<Timestamp>, now: Timestamp) -> f64 {
        let missing = full.unwrap_or(now).since(now).as_secs_f64() / self.quota.step().as_secs_f64();
        (f64::from(self.quota.count) * f64::from(self.percent) / 100.0 - missing).max(0.0)
    }

    /// At least one, and only whole ones.
    fn usable(self) -> std::time::Duration {
        let count = u64::from(self.quota.count) * u64::from(self.percent) / 100;
        self.quota.step() * u32::try_from(count.max(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Fifty a week, as certificates for a domain at Let's Encrypt.
    const FIFTY: Quota = Quota { count: 50, period: Duration::from_hours(7 * 24) };

    fn taken(
        percent: u8,
        now: Timestamp,
        mut full: Option<Timestamp>,
    ) -> (u32, Option<Timestamp>, Timestamp) {
        let bucket = Bucket { quota: FIFTY, percent };
        for count in 0.. {
            match bucket.take(full, now) {
                Ok(next) => full = Some(next),
                Err(until) => return (count, full, until),
            }
        }
        unreachable!("a bucket has a bottom")
    }

    #[test]
    fn a_full_bucket_gives_all_at_once_and_then_one_by_one() {
        let now = Timestamp::from_secs(1_767_225_600);
        let (count, full, until) = taken(100, now, None);
        assert_eq!((count, until), (50, now + FIFTY.step()));
        let (count, full, _) = taken(100, until, full);
        assert_eq!(count, 1);
        let (count, ..) = taken(100, now + FIFTY.period * 3, full);
        assert_eq!(count, 50, "it is never fuller than full");
    }

    #[test]
    fn who_may_use_a_part_leaves_the_rest_to_others() {
        let now = Timestamp::from_secs(1_767_225_600);
        let (count, full, until) = taken(80, now, None);
        assert_eq!((count, until), (40, now + FIFTY.step()));
        let (count, full, _) = taken(100, now, full);
        assert_eq!(count, 10);
        let (count, _, until) = taken(80, now, full);
        assert_eq!((count, until), (0, now + FIFTY.step() * 11), "what others took comes back first");
    }

    #[test]
    fn a_part_of_a_small_bucket_is_at_least_one() {
        let now = Timestamp::from_secs(0);
        let bucket = Bucket { quota: Quota { count: 1, period: FIFTY.period }, percent: 80 };
        let full = bucket.take(None, now).unwrap();
        assert_eq!(bucket.take(Some(full), now), Err(now + FIFTY.period));
        assert_eq!(bucket.take(Some(bucket.give_back(full)), now), Ok(full));
    }

    #[test]
    fn what_is_spent_without_room_does_no_harm_for_ever() {
        let now = Timestamp::from_secs(0);
        let bucket = Bucket { quota: FIFTY, percent: 100 };
        let full = (0..500).fold(None, |full, _| Some(bucket.spend(full, now)));
        assert_eq!(full, Some(now + FIFTY.period));
        assert_eq!(bucket.take(full, now), Err(now + FIFTY.step()));
    }
}
