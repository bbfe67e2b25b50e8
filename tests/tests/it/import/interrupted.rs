//! `--apply` is killed while it is at work, again and again: whatever is there is there as a whole, and the next one goes on.

use anyhow::{Context, ensure};
use sandbox::wait_for;
use serde_json::{Value, json};

use super::old_world::{CF_CDN, Old, OldWorld};
use crate::house::BOUND;

const FROM: &str = "cf-cdn-service-broker";
const INSTANCES: usize = 8;

fn id(number: usize) -> String {
    format!("4f1c0a52-0000-4000-8000-{number:012}")
}

async fn listed(world: &OldWorld) -> anyhow::Result<Vec<Value>> {
    let listed = world.house.command(&world.settings, &["instances", "list", "--json"]).await?;
    ensure!(listed.code == 0, "{listed:?}");
    listed.out.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Kills an import as soon as it has adopted more than `known`, and gives how many there are then.
async fn killed_after(world: &OldWorld, known: usize) -> anyhow::Result<usize> {
    // One call a second: there is time to die between two instances.
    let mut import = world.importing(FROM, &["--apply", "--json", "--rate", "1"])?;
    wait_for("an instance to be adopted", BOUND, || async {
        let adopted = listed(world).await?.len();
        Ok((adopted > known).then_some(()))
    })
    .await?;
    let still_runs = import.try_wait()?.is_none();
    ensure!(still_runs, "it has ended before it could be killed");
    import.kill().await.context("it cannot be killed")?;
    Ok(listed(world).await?.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_has_adopted_whole_instances_and_is_gone_on_with() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    for number in 0..INSTANCES {
        world.route(&Old::new(&id(number), &[&format!("site-{number}.example.gov")])).await?;
    }
    let before = world.at_rest().await?;
    let first = killed_after(&world, 0).await?;
    let second = killed_after(&world, first).await?;
    ensure!(second < INSTANCES, "{second} of {INSTANCES} are there: nobody died on the way");
    everything_belongs_to(&world, second).await?;

    let again = world.import(FROM, &["--apply", "--json"]).await?;
    let counts = &again.json()?["counts"];
    ensure!(*counts == json!({"adopted": INSTANCES - second, "already-adopted": second}), "{again:?}");
    everything_belongs_to(&world, INSTANCES).await?;
    ensure!(before == world.at_rest().await?, "AWS was changed");
    let undone = world.import(FROM, &["--undo", "--json"]).await?.json()?;
    ensure!(undone["forgotten"].as_array().map(Vec::len) == Some(INSTANCES), "{undone}");
    ensure!(listed(&world).await?.is_empty());
    Ok(())
}

/// Each of the instances that are there has all that an instance has.
async fn everything_belongs_to(world: &OldWorld, instances: usize) -> anyhow::Result<()> {
    let all = listed(world).await?;
    ensure!(all.len() == instances, "{all:?}");
    for one in &all {
        let id = one["id"].as_str().context("an instance has no id")?;
        let shown =
            world.house.command(&world.settings, &["instances", "show", id, "--json"]).await?.json()?;
        let certificates = shown["certificates"].as_array().context("there are no certificates")?;
        ensure!(shown["state"] == "ready" && certificates.len() == 1, "{shown}");
        ensure!(shown["names"][0]["state"] == "proven" && shown["renewal"].is_object(), "{shown}");
        ensure!(shown["log"].to_string().contains("adopted from cf-cdn-service-broker"), "{shown}");
    }
    Ok(())
}
