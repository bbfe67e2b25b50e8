//! What a worker costs that finds nothing to do, and that this does not grow with what is idle.

use std::time::Duration;

use contract::{LeaseToken, WorkQueue};
use store::Store;

use crate::clock::Stopwatch;
use crate::databases::Database;
use crate::house::House;
use crate::report::{Aim, Report, say};
use crate::seed::{self, Life};
use crate::stats::{Sorted, micros};

/// How many instances are idle.
const IDLE: [usize; 2] = [1_000, 100_000];

/// How often a tick is measured.
const TICKS: usize = 1_000;

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    for database in Database::each().await? {
        let store = database.open(&house.settings()?).await?;
        let (mut written, mut medians) = (0, Vec::new());
        for idle in IDLE {
            say(&format!("  writing {} instances into {}", idle - written, database.name));
            seed::write(&store, Life::Idle, written..idle).await?;
            written = idle;
            let median = tick(&store).await?;
            report.note(format!("tick, {}, {idle} idle", database.name), micros(median), "µs");
            medians.push(median);
        }
        if let [few, many] = medians[..] {
            let growth = many.as_secs_f64() / few.as_secs_f64();
            report.aim(format!("tick, {}, growth", database.name), growth, "times", Aim::Below(1.25));
        }
    }
    Ok(())
}

/// The median of many looks for work that find none, each followed by the question when there will be some.
async fn tick(store: &Store) -> anyhow::Result<Duration> {
    let mut ticks = Vec::new();
    for number in 0..TICKS {
        let token = LeaseToken::new(format!("bench-{number}"));
        let watch = Stopwatch::start();
        let claim = store.claim(&token, Duration::from_mins(1)).await?;
        let due = store.next_due().await?;
        ticks.push(watch.elapsed());
        anyhow::ensure!(claim.is_none() && due.is_some(), "there is something to do: {claim:?}");
    }
    Ok(Sorted::new(ticks).median())
}
