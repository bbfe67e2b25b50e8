//! How far something has come that takes long, how fast it goes, and when it will be done.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often something is said. What is done before is done without a word.
const PACE: Duration = Duration::from_secs(2);

pub(super) struct Progress {
    what: &'static str,
    begun: Instant,
    said: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new(what: &'static str) -> Self {
        let now = Instant::now();
        Self { what, begun: now, said: Mutex::new(now) }
    }

    /// Says on standard error how many of how many are done, at most every two seconds.
    pub(super) fn tell(&self, done: usize, all: usize) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() < PACE {
            return;
        }
        *said = Instant::now();
        let _ = writeln!(std::io::stderr(), "{}", line(self.what, done, all, self.begun.elapsed()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has so many instances")]
fn line(what: &str, done: usize, all: usize, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let left = Duration::from_secs_f64(((all.saturating_sub(done)) as f64 / rate.max(0.001)).min(1e9));
    let (minutes, seconds) = (left.as_secs() / 60, left.as_secs() % 60);
    format!("{what}: {done} of {all}, {rate:.1} a second, about {minutes}m{seconds:02}s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_remaining_time_are_told() {
        let told = line("instances", 200, 2000, Duration::from_secs(20));
        assert_eq!(told, "instances: 200 of 2000, 10.0 a second, about 3m00s left");
        assert!(line("instances", 0, 0, Duration::ZERO).contains("0 of 0"));
    }
}
