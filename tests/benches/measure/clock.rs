//! The real time: the only place of this program that asks for it, and the only one that waits.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use contract::{Clock, Timestamp};

/// Time from a moment on.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time; only here")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "certificates are valid by the real time")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[expect(clippy::disallowed_methods, reason = "what a worker would wait is waited here")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
