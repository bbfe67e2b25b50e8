//! How far something has come that takes longer than two seconds: one line of a terminal, on standard error, which goes away at
//! the end. Where nobody looks nothing is said.

use std::fmt::Write as _;
use std::future::Future;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::{Clock, Timestamp};

use super::Screen;
use crate::clock::SystemClock;

/// What is over by then needs no progress.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the line is written anew at most.
const EVERY: Duration = Duration::from_millis(200);

/// How often it is said how long something takes that does not tell how far it is.
const TICK: Duration = Duration::from_millis(500);

/// Something that has begun.
pub(crate) struct Progress {
    what: String,
    screen: Screen,
    begun: Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How much was done when it was told for the first time: that was there before.
    first: Option<u64>,
    written: Option<Timestamp>,
}

impl Progress {
    /// It begins now. `what` says what is done, as in "values sealed".
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self::on(what.into(), Screen::err(), SystemClock.now())
    }

    fn on(what: String, screen: Screen, begun: Timestamp) -> Self {
        Self { what, screen, begun, state: Mutex::default() }
    }

    /// So much is done, of so much in all where that is known.
    pub(crate) fn at(&self, done: u64, of: Option<u64>) {
        self.tell(|state, elapsed| {
            let first = *state.first.get_or_insert(done);
            counted(&self.what, done, of, done.saturating_sub(first), elapsed)
        });
    }

    /// It is at this, or still at it.
    pub(crate) fn say(&self, at: &str) {
        self.tell(|_, elapsed| {
            let at = if at.is_empty() { String::new() } else { format!(": {at}") };
            format!("{}{at}, since {}", self.what, short(elapsed))
        });
    }

    fn tell(&self, line: impl FnOnce(&mut State, Duration) -> String) {
        if let Some(line) = self.due(SystemClock.now(), line) {
            // It is only for whoever looks.
            let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        }
    }

    /// The line, if it is time for one.
    fn due(&self, now: Timestamp, line: impl FnOnce(&mut State, Duration) -> String) -> Option<String> {
        let width = self.screen.width?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = since(now, self.begun);
        let line = line(&mut state, elapsed);
        let is_early = state.written.is_some_and(|written| since(now, written) < EVERY);
        if elapsed < PATIENCE || is_early {
            return None;
        }
        state.written = Some(now);
        // The last column stays free, or terminals begin another line.
        Some(line.chars().take(width.saturating_sub(1)).collect())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// Waits for something that does not tell how far it is, and shows for how long it has been.
pub(crate) async fn while_waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let progress = Progress::of(what);
    let mut work = std::pin::pin!(work);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = tick.tick() => progress.say(""),
        }
    }
}

fn since(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.as_millis() - then.as_millis()).unwrap_or_default())
}

/// `lately` is what was done in `elapsed`.
fn counted(what: &str, done: u64, of: Option<u64>, lately: u64, elapsed: Duration) -> String {
    let mut line = format!("{what}: {done}");
    let per_second =
        lately.saturating_mul(1000) / u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    // Writing to a string cannot fail.
    if let Some(of) = of {
        let percent = done.saturating_mul(100).checked_div(of).unwrap_or(100).min(100);
        let _ = write!(line, " of {of} ({percent} %)");
    }
    let _ = write!(line, ", {per_second} a second");
    if let Some(left) = of.map(|of| of.saturating_sub(done)).and_then(|left| left.checked_div(per_second)) {
        let _ = write!(line, ", {} left", short(Duration::from_secs(left)));
    }
    line
}

/// `12 s`, `3 min 5 s`, `2 h 10 min`.
fn short(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Screen = Screen { width: Some(80), height: Some(24), colours: false };

    #[test]
    fn rate_and_remaining_time_are_told() {
        let ten = Duration::from_secs(10);
        let told = counted("values", 500, Some(2_000), 400, ten);
        assert_eq!(told, "values: 500 of 2000 (25 %), 40 a second, 37 s left");
        assert_eq!(counted("values", 500, None, 500, ten), "values: 500, 50 a second");
        assert_eq!(counted("values", 1, Some(9), 0, ten), "values: 1 of 9 (11 %), 0 a second");
        assert_eq!(counted("values", 0, Some(0), 0, Duration::ZERO), "values: 0 of 0 (100 %), 0 a second");
        assert_eq!(short(Duration::from_secs(185)), "3 min 5 s");
        assert_eq!(short(Duration::from_secs(7_810)), "2 h 10 min");
    }

    #[test]
    fn nothing_is_told_of_what_is_soon_over_and_where_nobody_looks() {
        let begun = Timestamp::from_millis(1_795_456_867_999);
        let line = |progress: &Progress, after| progress.due(begun + after, |_, _| "a line".to_owned());
        let shown = Progress::on("values sealed".to_owned(), WIDE, begun);
        assert_eq!(line(&shown, Duration::ZERO), None);
        assert_eq!(line(&shown, PATIENCE).as_deref(), Some("a line"));
        assert_eq!(line(&shown, PATIENCE), None, "a moment ago");
        assert!(line(&shown, PATIENCE + EVERY).is_some());
        let narrow = Progress::on("values".to_owned(), Screen { width: Some(4), ..WIDE }, begun);
        assert_eq!(line(&narrow, PATIENCE).as_deref(), Some("a l"));
        let hidden = Progress::on("values".to_owned(), Screen::PLAIN, begun);
        assert_eq!(line(&hidden, PATIENCE), None);
    }
}
