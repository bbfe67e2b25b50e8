//! How long it takes to adopt two thousand instances of an earlier broker, when every call to AWS takes 50 ms and each service is
//! called twenty times a second at most.

use std::time::Duration;

use anyhow::ensure;
use sandbox::aws::Adjustment;
use tokio::process::Command;

use crate::clock::Stopwatch;
use crate::house::program;
use crate::old_world::{CF_CDN, DATABASE, Old, OldWorld, route};
use crate::report::{Aim, Report, say};
use crate::stats::float;

const INSTANCES: usize = 2000;
const ANSWER_MS: u64 = 50;
/// How many rows go into the database at once.
const BATCH: usize = 100;
const BOUND: Duration = Duration::from_mins(30);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let world = OldWorld::with_room(CF_CDN, INSTANCES).await?;
    fill(&world).await?;
    world
        .house
        .sandbox
        .aws()
        .adjust(&Adjustment { answer_after_ms: Some(ANSWER_MS), ..Adjustment::default() });
    let calls = world.house.sandbox.aws().calls();
    let watch = Stopwatch::start();
    let arguments =
        ["import", "--from", "cf-cdn-service-broker", "--apply", "--yes", "--source", &world.source];
    let mut command = Command::new(program("cdn-broker")?);
    command.args(arguments).env_clear().envs(world.house.sandbox.broker_environment(&world.settings));
    let output = tokio::time::timeout(BOUND, command.kill_on_drop(true).output()).await??;
    let took = watch.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(said.trim_end().ends_with(&format!("adopted {INSTANCES}.")), "{said}");
    let calls = world.house.sandbox.aws().calls() - calls;
    report.aim(format!("{INSTANCES} imports: wall time"), took, "s", Aim::Below(600.0));
    report.note(format!("{INSTANCES} imports: calls to AWS a second"), float(calls) / took, "1/s");
    Ok(())
}

async fn fill(world: &OldWorld) -> anyhow::Result<()> {
    let mut rows = String::new();
    for number in 0..INSTANCES {
        let (id, name) =
            (format!("9f1c0a52-0000-4000-8000-{number:012}"), format!("site-{number}.example.gov"));
        let names = [name.as_str()];
        let (stored, _) = world.certificate(&id, &names).await?;
        let made = world.distribution(&Old::new(&id, &names), &stored).await?;
        rows += &route(&id, "provisioned", &name, &made.id);
        if (number + 1) % BATCH == 0 {
            world.postgres.ask(DATABASE, &rows).await?;
            rows.clear();
            say(&format!("  {} of {INSTANCES} instances are there", number + 1));
        }
    }
    Ok(())
}
