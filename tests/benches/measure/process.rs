//! The process itself: how soon it is there, and how large it is.

use std::time::Duration;

use crate::broker::{Broker, binary};
use crate::clock::pause;
use crate::databases::Database;
use crate::house::House;
use crate::http;
use crate::load::{self, Clients};
use crate::report::{Aim, Report};
use crate::stats::{Sorted, millis};

/// How often the start is measured.
const STARTS: usize = 7;

/// Until what is done once after the start is done.
const SETTLE: Duration = Duration::from_secs(2);

/// How long the load lasts, and whence it comes.
const LOAD: Duration = Duration::from_secs(5);
const CLIENTS: Clients = Clients::Sleeping(32);

const MEBIBYTE: f64 = 1024.0 * 1024.0;

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    let database = Database::postgres().await?;
    let on = database.name;
    let settings = database.broker_settings(house.sandbox.state())?;
    let first = Broker::start(&house, &settings).await?;
    report.note(format!("start on a new {on} database"), millis(first.started_in), "ms");
    first.stop().await?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let broker = Broker::start(&house, &settings).await?;
        starts.push(broker.started_in);
        broker.stop().await?;
    }
    report.aim(format!("start on {on}"), millis(Sorted::new(starts).median()), "ms", Aim::Below(50.0));

    let broker = http::broker_with_instances(&house, &database).await?;
    pause(SETTLE).await;
    report.aim(format!("RSS idle, {on}"), broker.resident()?, "MiB", Aim::Below(14.7));
    load::run(broker.address, &http::polls(), CLIENTS, LOAD).await?;
    report.aim(format!("RSS after load, {on}"), broker.resident()?, "MiB", Aim::Below(21.7));
    broker.stop().await?;

    let size = std::fs::metadata(binary()?)?.len();
    #[expect(clippy::cast_precision_loss, reason = "a file of this size fits")]
    report.note("binary size", size as f64 / MEBIBYTE, "MiB");
    Ok(())
}
