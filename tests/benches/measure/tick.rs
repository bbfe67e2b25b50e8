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

/// How many instances are idle, in two databases of the same kind.
const IDLE: [usize; 2] = [1_000, 100_000];

/// The databases take turns, so that what happens on the machine meanwhile happens to both.
const ROUNDS: usize = 20;

/// How often a tick is measured in one turn.
const TICKS: usize = 100;

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    for (few, many) in Database::each().await?.into_iter().zip(Database::each().await?) {
        let stores = [filled(&house, &few, IDLE[0]).await?, filled(&house, &many, IDLE[1]).await?];
        let mut ticks = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (store, ticks) in stores.iter().zip(&mut ticks) {
                measure_ticks(store, ticks).await?;
            }
        }
        let medians = ticks.map(|ticks| Sorted::new(ticks).median());
        for (idle, median) in IDLE.iter().zip(medians) {
            report.note(format!("tick, {}, {idle} idle", few.name), micros(median), "µs");
        }
        // A hundred times as many instances; a quarter is left for noise.
        let growth = medians[1].as_secs_f64() / medians[0].as_secs_f64();
        report.aim(format!("tick, {}, growth", few.name), growth, "times", Aim::Below(1.25));
    }
    Ok(())
}

async fn filled(house: &House, database: &Database, idle: usize) -> anyhow::Result<Store> {
    let store = database.open(&house.settings()?).await?;
    say(&format!("  writing {idle} instances into {}", database.name));
    seed::write(&store, Life::Idle, 0..idle).await?;
    // SQLite moves what was written into the file when nobody reads, which so many writers at once never let it do.
    drop(store);
    database.open(&house.settings()?).await
}

/// Looks for work that finds none, each followed by the question when there will be some.
async fn measure_ticks(store: &Store, ticks: &mut Vec<Duration>) -> anyhow::Result<()> {
    for number in 0..TICKS {
        let token = LeaseToken::new(format!("bench-{number}"));
        let watch = Stopwatch::start();
        let claim = store.claim(&token, Duration::from_mins(1)).await?;
        let due = store.next_due().await?;
        ticks.push(watch.elapsed());
        anyhow::ensure!(claim.is_none() && due.is_some(), "there is something to do: {claim:?}");
    }
    Ok(())
}
