//! How often the world is looked at for people, and how often their pages ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{InstanceId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An instance is looked at so often for people at most.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(10);

/// So many instances are looked at for people at once; each look may ask hundreds of name servers.
const LOOKS_AT_ONCE: usize = 8;

/// Where names lead is looked at again when a page is open and this has passed.
const SURVEY_EVERY: Duration = Duration::from_mins(5);

/// Pages are answered so often within [`WINDOW`] before they are told to ask more seldom.
const QUIET: u32 = 500;
const WINDOW: Duration = Duration::from_secs(10);

/// Never more seldom than this.
const MOST_SELDOM: u32 = 10;

/// What one process remembers of the people who look.
pub(crate) struct Limits {
    looks: Mutex<BTreeMap<InstanceId, Timestamp>>,
    at_once: Arc<Semaphore>,
    pulse: Mutex<Pulse>,
}

#[derive(Default)]
struct Pulse {
    since: Timestamp,
    asked: u32,
    factor: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            looks: Mutex::default(),
            at_once: Arc::new(Semaphore::new(LOOKS_AT_ONCE)),
            pulse: Mutex::default(),
        }
    }
}

impl Limits {
    /// A turn to look at an instance; `None` when that was done a moment ago, or when too many look at once.
    pub(super) fn look(&self, instance: &InstanceId, now: Timestamp) -> Option<OwnedSemaphorePermit> {
        self.turn(instance, now, LOOK_EVERY)
    }

    /// A turn to look where the names of an instance lead, if what is known, seen `last`, is old.
    pub(crate) fn survey(
        &self,
        instance: &InstanceId,
        last: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<OwnedSemaphorePermit> {
        let is_old = last.is_none_or(|last| now.since(last) >= SURVEY_EVERY);
        if is_old { self.turn(instance, now, LOOK_EVERY) } else { None }
    }

    fn turn(&self, instance: &InstanceId, now: Timestamp, every: Duration) -> Option<OwnedSemaphorePermit> {
        let mut looks = locked(&self.looks);
        looks.retain(|_, last| now.since(*last) < every && *last <= now);
        if looks.contains_key(instance) {
            return None;
        }
        let turn = Arc::clone(&self.at_once).try_acquire_owned().ok()?;
        looks.insert(instance.clone(), now);
        Some(turn)
    }

    /// Counts a page that asks for news, and says how many times more seldom than usual it is to ask again.
    pub(super) fn pulse(&self, now: Timestamp) -> u32 {
        let mut pulse = locked(&self.pulse);
        if now.since(pulse.since) >= WINDOW || now < pulse.since {
            // What they would ask at their usual pace decides, not what they ask now.
            let usual = pulse.asked.saturating_mul(pulse.factor.max(1));
            *pulse = Pulse { since: now, asked: 0, factor: usual.div_ceil(QUIET).clamp(1, MOST_SELDOM) };
        }
        pulse.asked += 1;
        pulse.factor.max(1)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_795_456_800);

    #[test]
    fn an_instance_is_looked_at_once_in_a_while() {
        let limits = Limits::default();
        let (one, other) = (InstanceId::new("one"), InstanceId::new("other"));
        assert!(limits.look(&one, START).is_some());
        assert!(limits.look(&one, START + LOOK_EVERY / 2).is_none());
        assert!(limits.look(&other, START + LOOK_EVERY / 2).is_some());
        assert!(limits.look(&one, START + LOOK_EVERY).is_some());
        assert!(
            limits.look(&one, START - LOOK_EVERY).is_some(),
            "a clock that was set back locks nobody out"
        );
    }

    #[test]
    fn only_so_many_are_looked_at_at_once() {
        let limits = Limits::default();
        let turns: Vec<_> =
            (0..20).filter_map(|n| limits.look(&InstanceId::new(format!("{n}")), START)).collect();
        assert_eq!(turns.len(), LOOKS_AT_ONCE);
        drop(turns);
        assert!(limits.look(&InstanceId::new("late"), START).is_some());
    }

    #[test]
    fn what_was_seen_lately_is_not_looked_at_again() {
        let limits = Limits::default();
        let id = InstanceId::new("one");
        assert!(limits.survey(&id, Some(START), START + SURVEY_EVERY / 2).is_none());
        assert!(limits.survey(&id, Some(START), START + SURVEY_EVERY).is_some());
        assert!(limits.survey(&id, None, START + SURVEY_EVERY).is_none(), "somebody is at it");
    }

    #[test]
    fn many_pages_ask_more_seldom_and_few_ask_as_usual_again() {
        let limits = Limits::default();
        let second = Duration::from_secs(1);
        let mut factor = 1;
        for tick in 0..30 {
            for _ in 0..300 {
                factor = limits.pulse(START + second * tick);
            }
        }
        assert!((3..=MOST_SELDOM).contains(&factor), "{factor}");
        for tick in 31..200 {
            factor = limits.pulse(START + second * tick);
        }
        assert_eq!(factor, 1);
    }
}
