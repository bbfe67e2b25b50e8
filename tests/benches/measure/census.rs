//! What it costs to count everything for `/metrics` and `/admin`, with many instances that are served.

use std::time::Duration;

use contract::{CensusStore, Clock};

use crate::clock::{Stopwatch, SystemClock};
use crate::databases::Database;
use crate::house::House;
use crate::report::{Aim, Report, say};
use crate::seed::{self, Life};
use crate::stats::{Sorted, millis};

const SERVED: usize = 100_000;
const COUNTS: usize = 50;
/// What is read stands for so long, however many ask: it is never counted more often.
const FRESH: Duration = Duration::from_secs(5);
const DAY: Duration = Duration::from_hours(24);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    // As many horizons as the metrics have.
    let horizons = [0, 1, 3, 7, 14, 21, 30, 60].map(|days| DAY * days);
    for database in Database::each().await? {
        say(&format!("  writing {SERVED} instances into {}", database.name));
        let store = database.open(&house.settings()?).await?;
        seed::write(&store, Life::Served, 0..SERVED).await?;
        drop(store);
        let store = database.open(&house.settings()?).await?;
        let mut counts = Vec::with_capacity(COUNTS);
        for _ in 0..COUNTS {
            let watch = Stopwatch::start();
            let census = store.census(SystemClock.now(), &horizons).await?;
            counts.push(watch.elapsed());
            anyhow::ensure!(census.certificates > 0, "nothing was counted: {census:?}");
        }
        let counts = Sorted::new(counts);
        let of = |what: &str| format!("census of {SERVED}, {}, {what}", database.name);
        report.note(of("median"), millis(counts.median()), "ms");
        report.note(of("most"), millis(counts.percentile(100)), "ms");
        let share = counts.median().as_secs_f64() / FRESH.as_secs_f64() * 100.0;
        report.aim(of("asked all the time"), share, "% of a core", Aim::Below(2.0));
    }
    Ok(())
}
