//! docs/MIGRATION.md is played, command by command, there, back, there again, and to the end: what does not work any more cannot
//! stand there. The platform's own commands do to the programs here what they would do to the apps there.

use std::collections::BTreeSet;

use anyhow::{Context, bail, ensure};
use http::Method;

use super::old_world::{CF_CDN, DATABASE, Old, OldWorld};
use super::others::{EXTERNAL_DOMAIN, EXTERNAL_SERVICE, PAAS_CDN};
use crate::house::SERVICE_ID;

const GUIDE: &str = include_str!("../../../../docs/MIGRATION.md");
const ID: &str = "7f1c0a52-0000-4000-8000-000000000001";

fn section(broker: &str) -> anyhow::Result<&'static str> {
    let (_, rest) = GUIDE.split_once(&format!("\n## From {broker}\n")).context("there is no such section")?;
    Ok(rest.split("\n## ").next().unwrap_or_default())
}

/// The commands of a part of a section, in its order.
fn commands(broker: &str, part: &str) -> anyhow::Result<Vec<&'static str>> {
    let (_, rest) =
        section(broker)?.split_once(&format!("\n### {part}\n")).context("there is no such part")?;
    let part = rest.split("\n### ").next().unwrap_or_default();
    let blocks = part.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    Ok(blocks.flat_map(str::lines).collect())
}

/// The catalog that the guide gives for `external-domain-broker`.
pub(super) fn catalog() -> anyhow::Result<String> {
    let block =
        section("external-domain-broker")?.split("```json\n").nth(1).context("there is no catalog")?;
    Ok(block.split("```").next().unwrap_or_default().to_owned())
}

/// Who plays it, and what has become of the old broker's apps.
struct Player {
    world: OldWorld,
    broker: &'static str,
    service: &'static str,
    running: BTreeSet<&'static str>,
    /// Where the platform sends what it has to say.
    url: Option<String>,
}

impl Player {
    async fn play(&mut self, part: &str, says: &[&str]) -> anyhow::Result<()> {
        let commands = commands(self.broker, part)?;
        ensure!(commands.len() == says.len(), "{commands:#?}");
        for (command, says) in commands.into_iter().zip(says) {
            self.command(command, says)
                .await
                .with_context(|| format!("{}, {part}: {command}", self.broker))?;
        }
        Ok(())
    }

    async fn command(&mut self, command: &'static str, says: &str) -> anyhow::Result<()> {
        let words: Vec<&'static str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["cdn-broker", arguments @ ..] => self.ours(arguments, says).await,
            ["cf", "start", "cdn-broker-next"] => self.start().await,
            ["cf", "stop", "cdn-broker-next"] => self.stop().await,
            ["cf", "start", app] => {
                ensure!(self.world.house.brokers.is_empty(), "two brokers would run");
                ensure!(self.running.insert(app));
                Ok(())
            }
            ["cf", "stop", app] => {
                ensure!(self.running.remove(app), "it does not run");
                Ok(())
            }
            ["cf", "delete", app, "-f"] => {
                ensure!(!self.running.contains(app), "it runs");
                Ok(())
            }
            ["cf", "update-service-broker", _, _, _, url] => self.register(url).await,
            ["psql", "\"$OLD_DATABASE_URL\"", "-c", ..] => {
                let sql = command.split('"').nth(3).context("there is no statement")?;
                self.world.postgres.ask(DATABASE, sql).await.map(drop)
            }
            _ => bail!("nobody here knows this command"),
        }
    }

    async fn ours(&self, arguments: &[&str], says: &str) -> anyhow::Result<()> {
        let writes = ["--apply", "--undo"].iter().any(|word| arguments.contains(word));
        ensure!(!writes || self.running.is_empty(), "the old broker runs: {:?}", self.running);
        let said = self.world.house.command(&self.world.settings, arguments).await?;
        // Two: something was found, here what has not today's shape yet.
        let code = if arguments == ["reconcile"] { 2 } else { 0 };
        ensure!(said.code == code && said.out.contains(says), "{said:?}");
        Ok(())
    }

    async fn start(&mut self) -> anyhow::Result<()> {
        ensure!(self.running.is_empty(), "the old broker runs: {:?}", self.running);
        let settings = self.world.settings.clone();
        self.world.house.add_broker(&settings).await
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        self.world.house.brokers.pop().context("it does not run")?.stop().await
    }

    /// The platform reads the catalog of the broker that it is told of.
    async fn register(&mut self, url: &str) -> anyhow::Result<()> {
        match url {
            "\"https://$NEW_HOST\"" => {
                let read = self.world.house.call(Method::GET, "/v2/catalog", None).await?;
                ensure!(read.body["services"][0]["id"] == self.service, "{read:?}");
                let path = format!("/v2/service_instances/{ID}");
                ensure!(self.world.house.call(Method::GET, &path, None).await?.status == 200);
            }
            "\"https://$OLD_HOST\"" => ensure!(!self.running.is_empty(), "the old broker does not answer"),
            _ => bail!("nobody is there"),
        }
        self.url = Some(url.to_owned());
        Ok(())
    }
}

/// Leads there, back, there again, and to the end.
async fn lead(mut player: Player, there: &[&str], back: &[&str], end: &[&str]) -> anyhow::Result<()> {
    // As the guide says, one database is enough for both.
    player.world.settings.database_url = player.world.source.clone();
    let before = player.world.at_rest().await?;
    player.play("There", there).await?;
    player.play("Back", back).await?;
    let listed = player.world.house.command(&player.world.settings, &["instances", "list", "--json"]).await?;
    ensure!(listed.out.is_empty(), "{listed:?}");
    ensure!(before == player.world.at_rest().await?, "AWS was changed");
    player.play("There", there).await?;
    player.play("The end", end).await?;
    ensure!(player.url.as_deref() == Some("\"https://$NEW_HOST\""));
    Ok(())
}

const ADOPT: &str = "Instances 1: adopt 1.";
const ADOPTED: &str = "Instances 1: adopted 1.";
const AGAIN: &str = "Instances 1: already-adopted 1.";
const FORGOTTEN: &str = "Forgotten 1, kept 0.";
const DRIFT: &str = "drift";

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_leads_from_cf_cdn_service_broker_and_back() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    world.route(&Old::new(ID, &["www.example.gov"])).await?;
    let (broker, service) = ("cf-cdn-service-broker", SERVICE_ID);
    let running = BTreeSet::from(["cdn-cron", "cdn-broker"]);
    lead(
        Player { world, broker, service, running, url: None },
        &[ADOPT, "", "", ADOPTED, ID, "", "", DRIFT],
        &["", FORGOTTEN, "", "", ""],
        &[AGAIN, "", "", "", ID],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_leads_from_paas_cdn_broker_and_back() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(PAAS_CDN).await?;
    world.paas_route(&Old::new(ID, &["www.example.gov"])).await?;
    let (broker, service) = ("paas-cdn-broker", SERVICE_ID);
    let running = BTreeSet::from(["cdn-broker"]);
    lead(
        Player { world, broker, service, running, url: None },
        &[ADOPT, "", ADOPTED, ID, "", "", DRIFT],
        &["", FORGOTTEN, "", ""],
        &[AGAIN, "", "", ID],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_leads_from_external_domain_broker_and_back() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(ID, &["www.example.gov"])).await?;
    world.offer_external()?;
    let (broker, service) = ("external-domain-broker", EXTERNAL_SERVICE);
    let running = BTreeSet::from(["external-domain-broker-workers", "external-domain-broker"]);
    lead(
        Player { world, broker, service, running, url: None },
        &[ADOPT, "", "", ADOPTED, ID, "", "", DRIFT],
        &["", FORGOTTEN, "", "", ""],
        &[AGAIN, "", "", "", ID],
    )
    .await
}

#[test]
fn every_command_of_the_guide_is_in_a_part_that_is_played() -> anyhow::Result<()> {
    let all = GUIDE.split("```sh\n").count() - 1;
    let mut played = 0;
    for broker in ["cf-cdn-service-broker", "paas-cdn-broker", "external-domain-broker"] {
        for part in ["There", "Back", "The end"] {
            let (_, rest) =
                section(broker)?.split_once(&format!("\n### {part}\n")).context("no such part")?;
            played += rest.split("\n### ").next().unwrap_or_default().matches("```sh\n").count();
        }
    }
    ensure!(played == all, "{played} of {all} blocks are played");
    Ok(())
}
