use std::time::Duration;

use tokio::time::Instant;

/// The slowest: one call in four seconds is enough to find out that the account is not throttled any more.
const SLOWEST: f64 = 0.25;

/// What each answer that is no throttling adds to the rate, in calls per second. At full speed it doubles within a
/// quarter of a minute.
const GAIN: f64 = 0.05;

/// Answers that come so close together are to calls that were made at the same rate: they halve it once.
const SAME: Duration = Duration::from_secs(1);

/// A token bucket whose rate goes down by halves and up by steps. It holds one second's worth of calls.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The most calls per second.
    most: f64,
    /// The calls per second at present.
    rate: f64,
    /// The calls that may be made at once; below zero when there are some that wait.
    tokens: f64,
    /// When the tokens were counted.
    at: Instant,
    slowed: Option<Instant>,
    /// How often it was slowed down.
    round: u64,
}

/// When a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// How long until then.
    pub(super) after: Duration,
    round: u64,
}

impl Bucket {
    pub(super) fn full(per_second: u32, now: Instant) -> Self {
        let most = f64::from(per_second).max(SLOWEST);
        Self { most, rate: most, tokens: most.max(1.0), at: now, slowed: None, round: 0 }
    }

    /// Gives a call its turn. If it would have to wait longer than `longest`, it gets none, but how long it would have been.
    pub(super) fn take(&mut self, now: Instant, longest: Duration) -> Result<Turn, Duration> {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.rate.max(1.0));
        self.at = now;
        let wait = Duration::from_secs_f64(((1.0 - self.tokens) / self.rate).max(0.0));
        if wait > longest {
            return Err(wait);
        }
        self.tokens -= 1.0;
        Ok(Turn { after: wait, round: self.round })
    }

    /// Whether a turn still counts.
    pub(super) fn is_good(&self, turn: Turn) -> bool {
        turn.round == self.round
    }

    /// Takes back a turn that nobody waits for any more. Who has come later keeps what they were told.
    pub(super) fn give_back(&mut self, turn: Turn) {
        if self.is_good(turn) {
            self.tokens += 1.0;
        }
    }

    /// Halves the rate, and begins anew: with no token to spare, and with nobody waiting. `false` when that was done just
    /// now.
    pub(super) fn slow_down(&mut self, now: Instant) -> bool {
        if self.slowed.is_some_and(|slowed| now < slowed + SAME) {
            return false;
        }
        self.slowed = Some(now);
        self.rate = (self.rate / 2.0).max(SLOWEST);
        self.tokens = 0.0;
        self.at = now;
        self.round += 1;
        true
    }

    pub(super) fn speed_up(&mut self) {
        self.rate = (self.rate + GAIN).min(self.most);
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(5);
    const SECOND: Duration = Duration::from_secs(1);

    /// How many calls are made within so many seconds by callers who come as often as they can.
    fn calls_in(bucket: &mut Bucket, start: Instant, seconds: u32) -> u32 {
        let mut made = 0;
        for tenth in 0..seconds * 10 {
            while bucket.take(start + SECOND * tenth / 10, Duration::ZERO).is_ok() {
                made += 1;
            }
        }
        made
    }

    #[test]
    fn a_second_is_worth_as_many_calls_as_the_rate_says() {
        let start = Instant::now();
        let mut bucket = Bucket::full(5, start);
        let waits: Vec<u128> = (0..8).map(|_| bucket.take(start, LONG).unwrap().after.as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 200, 400, 600]);
        let mut bucket = Bucket::full(5, start);
        assert!((54..=55).contains(&calls_in(&mut bucket, start, 10)));
    }

    #[test]
    fn who_would_wait_too_long_takes_nothing() {
        let start = Instant::now();
        let mut bucket = Bucket::full(1, start);
        for _ in 0..6 {
            bucket.take(start, LONG).unwrap();
        }
        for _ in 0..3 {
            assert_eq!(bucket.take(start, LONG), Err(SECOND * 6), "the others' turns do not move");
        }
        assert_eq!(bucket.take(start + SECOND, LONG).unwrap().after, LONG);
    }

    #[test]
    fn throttling_halves_the_rate_once_per_second_down_to_a_crawl() {
        let start = Instant::now();
        let mut bucket = Bucket::full(16, start);
        assert!(bucket.slow_down(start));
        assert!(!bucket.slow_down(start + SECOND / 2), "that was to a call at the old rate");
        let rates: Vec<String> = (1..8)
            .map(|second| {
                assert!(bucket.slow_down(start + SECOND * second));
                bucket.rate().to_string()
            })
            .collect();
        assert_eq!(rates, ["4", "2", "1", "0.5", "0.25", "0.25", "0.25"]);
        assert!((4..=6).contains(&calls_in(&mut bucket, start + SECOND * 8, 20)));
    }

    #[test]
    fn what_was_saved_up_at_a_fast_rate_is_not_spent_at_a_slow_one() {
        let start = Instant::now();
        let mut bucket = Bucket::full(16, start);
        bucket.slow_down(start);
        assert!(bucket.take(start, Duration::ZERO).is_err());
        assert_eq!(bucket.take(start, SECOND).unwrap().after, SECOND / 8);
    }

    #[test]
    fn who_waits_gets_another_turn_when_the_account_is_throttled() {
        let start = Instant::now();
        let mut bucket = Bucket::full(1, start);
        let made = bucket.take(start, LONG).unwrap();
        let waiting = bucket.take(start, LONG).unwrap();
        assert!(bucket.is_good(made) && bucket.is_good(waiting));
        bucket.slow_down(start);
        assert!(!bucket.is_good(waiting));
        assert_eq!(bucket.take(start, LONG).unwrap().after, SECOND * 2, "the first of those who wait now");
    }

    #[test]
    fn a_turn_that_is_given_back_is_the_next_one_s() {
        let start = Instant::now();
        let mut bucket = Bucket::full(1, start);
        bucket.slow_down(start);
        let given_up = bucket.take(start, LONG).unwrap();
        bucket.give_back(given_up);
        assert_eq!(bucket.take(start + SECOND, LONG).unwrap().after, SECOND, "as if nobody had waited");
        bucket.slow_down(start + SECOND);
        bucket.give_back(given_up);
        assert_eq!(bucket.take(start + SECOND, LONG).unwrap().after, SECOND * 4, "it was of another round");
    }

    #[test]
    fn success_brings_it_back_slowly_and_never_beyond_the_most() {
        let start = Instant::now();
        let mut bucket = Bucket::full(2, start);
        bucket.slow_down(start);
        for _ in 0..10 {
            bucket.speed_up();
        }
        assert!((1.4..1.6).contains(&bucket.rate()));
        for _ in 0..1000 {
            bucket.speed_up();
        }
        assert!((bucket.rate() - 2.0).abs() < f64::EPSILON);
    }
}
