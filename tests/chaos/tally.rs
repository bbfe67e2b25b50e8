//! What has happened, counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts by group and kind.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<&'static str, BTreeMap<String, usize>>>,
    notes: Mutex<Vec<String>>,
}

impl Tally {
    pub(crate) fn count(&self, group: &'static str, kind: impl Into<String>, times: usize) {
        *locked(&self.counts).entry(group).or_default().entry(kind.into()).or_default() += times;
    }

    pub(crate) fn note(&self, note: String) {
        locked(&self.notes).push(note);
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from("\n");
        for (group, kinds) in locked(&self.counts).iter() {
            for (number, (kind, times)) in kinds.iter().enumerate() {
                let group = if number == 0 { group } else { "" };
                // Writing to a text cannot fail.
                let _ = writeln!(table, "{group:<12}{kind:<44}{times:>8}");
            }
        }
        for note in locked(&self.notes).iter() {
            let _ = writeln!(table, "{note}");
        }
        table
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line for whoever watches. Nobody may be there.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
