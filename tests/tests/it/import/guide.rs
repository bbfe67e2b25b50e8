//! docs/MIGRATION.md is played, command by command: what does not work any more cannot stand there.

use anyhow::{Context, ensure};

use super::old_world::{CF_CDN, Old, OldWorld};
use crate::house::Printed;

const GUIDE: &str = include_str!("../../../../docs/MIGRATION.md");
const ID: &str = "7f1c0a52-0000-4000-8000-000000000001";

/// The commands of a section, in its order.
fn commands(section: &str) -> anyhow::Result<Vec<Vec<&'static str>>> {
    let (_, rest) = GUIDE.split_once(&format!("\n## {section}\n")).context("there is no such section")?;
    let section = rest.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.strip_prefix("cdn-broker "));
    Ok(lines.map(|line| line.split_whitespace().collect()).collect())
}

async fn play(world: &OldWorld, arguments: &[&str]) -> anyhow::Result<Printed> {
    let source = ["--source", &world.source];
    let is_import = arguments.first() == Some(&"import");
    let all = if is_import { [arguments, &source].concat() } else { arguments.to_vec() };
    world.house.command(&world.settings, &all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_leads_there_and_back() -> anyhow::Result<()> {
    let commands = commands("From cf-cdn-service-broker")?;
    ensure!(commands.len() == 5, "{commands:?}");
    let world = OldWorld::with_tables(CF_CDN).await?;
    world.route(&Old::new(ID, &["www.example.gov"])).await?;
    let before = world.at_rest().await?;
    for (arguments, (code, says)) in commands.iter().zip([
        (0, "Instances 1: adopt 1."),
        (0, "Instances 1: adopted 1."),
        (0, ID),
        (2, "drift"),
        (0, "Forgotten 1, kept 0."),
    ]) {
        let said = play(&world, arguments).await?;
        ensure!(said.code == code && said.out.contains(says), "{arguments:?}: {said:?}");
    }
    ensure!(before == world.at_rest().await?, "AWS was changed");
    Ok(())
}
