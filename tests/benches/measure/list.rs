//! `cdn-broker instances list` on a hundred thousand instances: how soon the first is read, and that memory does not grow.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::broker::{binary, most_resident};
use crate::clock::Stopwatch;
use crate::databases::Database;
use crate::house::House;
use crate::report::{Aim, Report, say};
use crate::seed::{self, Life};
use crate::stats::{Sorted, millis};

/// How many instances there are, in two databases of the same kind.
const INSTANCES: [usize; 2] = [1_000, 100_000];

/// How often each is measured.
const RUNS: usize = 7;

/// How many lines before the end the memory is looked at: more than a pipe and its reader hold, so that the program is still
/// there.
const BEFORE_THE_END: usize = 900;

/// What a person and what a program asks for.
const COMMANDS: [(&str, &[&str]); 2] =
    [("table", &["instances", "list"]), ("JSON", &["instances", "list", "--json"])];

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    for instances in INSTANCES {
        for database in Database::each().await? {
            let settings = database.broker_settings(house.sandbox.state())?;
            fill(&database, &settings, instances).await?;
            for (kind, arguments) in COMMANDS {
                let what = format!("{kind}, {}, {instances}", database.name);
                listed(report, &what, instances, || read(&house, &settings, arguments, instances)).await?;
            }
        }
    }
    Ok(())
}

async fn fill(database: &Database, settings: &BrokerSettings, instances: usize) -> anyhow::Result<()> {
    let store = database.open(settings).await?;
    say(&format!("  writing {instances} instances into {}", database.name));
    seed::write(&store, Life::Idle, 0..instances).await?;
    // SQLite moves what was written into the file when nobody reads, which so many writers at once never let it do.
    drop(store);
    drop(database.open(settings).await?);
    Ok(())
}

async fn listed(
    report: &mut Report,
    what: &str,
    instances: usize,
    read: impl AsyncFn() -> anyhow::Result<Reading>,
) -> anyhow::Result<()> {
    let mut readings = Vec::new();
    for _ in 0..RUNS {
        readings.push(read().await?);
    }
    let median =
        |pick: fn(&Reading) -> Duration| millis(Sorted::new(readings.iter().map(pick).collect()).median());
    let most = readings.iter().map(|reading| reading.most_resident).fold(0.0, f64::max);
    if instances == INSTANCES[1] {
        report.aim(format!("{what}: first line"), median(|one| one.first), "ms", Aim::Below(200.0));
    } else {
        report.note(format!("{what}: first line"), median(|one| one.first), "ms");
    }
    report.note(format!("{what}: all"), median(|one| one.all), "ms");
    report.note(format!("{what}: peak RSS"), most, "MiB");
    Ok(())
}

/// One run of the program.
struct Reading {
    /// From its start to the first line that names an instance.
    first: Duration,
    /// Until its end.
    all: Duration,
    /// The most memory it has held, in MiB.
    most_resident: f64,
}

async fn read(
    house: &House,
    settings: &BrokerSettings,
    arguments: &[&str],
    instances: usize,
) -> anyhow::Result<Reading> {
    let mut command = Command::new(binary()?);
    command.args(arguments).env_clear().envs(house.sandbox.broker_environment(settings));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let watch = Stopwatch::start();
    let mut child = command.spawn()?;
    let id = child.id().context("it has ended at once")?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let (mut seen, mut first, mut most) = (0, None, None);
    while let Some(line) = lines.next_line().await? {
        if !line.contains("-4000-8000-") {
            continue;
        }
        first.get_or_insert_with(|| watch.elapsed());
        seen += 1;
        if seen + BEFORE_THE_END == instances {
            most = Some(most_resident(id)?);
        }
    }
    ensure!(child.wait().await?.success() && seen == instances, "{seen} of {instances} were listed");
    let (first, most_resident) = (first.context("nothing was listed")?, most.context("too few")?);
    Ok(Reading { first, all: watch.elapsed(), most_resident })
}
