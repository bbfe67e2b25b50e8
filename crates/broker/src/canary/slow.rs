//! What takes longer than it used to.

use std::time::Duration;

use super::memory::{Memory, Run};

/// With fewer runs before, nobody can tell.
const ENOUGH: usize = 5;
/// What is late by less than this is not late.
const SLACK: Duration = Duration::from_mins(1);

/// What was slower than usual in a run, in a sentence; `None` when nothing was. Usual is the median of the runs before.
pub(super) fn slower_than_usual(memory: &Memory, run: &Run) -> Option<String> {
    let slow = run.times.iter().filter_map(|(stage, took)| {
        let usual = median(memory.times.get(stage)?)?;
        let took = Duration::from_millis(*took);
        let is_slow = took > usual * 2 && took > usual + SLACK;
        is_slow
            .then(|| format!("`{}` took {} s, usually {} s", stage.name(), took.as_secs(), usual.as_secs()))
    });
    let slow: Vec<String> = slow.collect();
    (!slow.is_empty()).then(|| slow.join("; "))
}

fn median(times: &[u64]) -> Option<Duration> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied();
    middle.filter(|_| times.len() >= ENOUGH).map(Duration::from_millis)
}
