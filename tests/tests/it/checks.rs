//! `cdn-broker checks`, and the checks of a broker that serves: what is healthy is green, what breaks is known.

mod authority;
mod brokers;
mod end_to_end;
mod sites;
mod tenants;

use anyhow::{Context, ensure};
use sandbox::{BrokerSettings, Proofs};
use serde_json::Value;

use crate::house::{House, Printed};

/// A house whose broker offers everything, and whose checks run by hand alone unless `checks` says otherwise.
async fn start(checks: &str, every: &str) -> anyhow::Result<(House, BrokerSettings)> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings =
        BrokerSettings { proofs: Proofs::ALL, checks: checks.to_owned(), ..house.hasty_settings("5s")? };
    // The same Pebble by another name: another directory, and so another account.
    let staging = house.sandbox.authority().directory_url().replace("localhost", "127.0.0.1");
    settings.more = [("CHECK_ACME_URL", staging), ("CHECKS_EVERY", every.to_owned())]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
    house.add_broker(&settings).await?;
    Ok((house, settings))
}

/// Runs a check by hand, and gives what it said.
async fn run(house: &House, settings: &BrokerSettings, check: &str) -> anyhow::Result<(i32, Value)> {
    let printed = house.command(settings, &["checks", "run", check, "--json"]).await?;
    let said = printed.json().with_context(|| house.last_words())?;
    Ok((printed.code, said))
}

/// Runs a check by hand, which must go like that.
async fn runs(
    house: &House,
    settings: &BrokerSettings,
    check: &str,
    code: i32,
    verdict: &str,
) -> anyhow::Result<Value> {
    let (found, said) = run(house, settings, check).await?;
    ensure!(
        found == code && said["verdict"] == verdict,
        "{check}: code {found}, {said:#}\n{}",
        house.last_words()
    );
    Ok(said)
}

/// How a check stands, as the list shows it.
async fn standing(house: &House, settings: &BrokerSettings, check: &str) -> anyhow::Result<Value> {
    let list = list(house, settings).await?.json()?;
    let found = list.as_array().into_iter().flatten().find(|one| one["name"] == check).cloned();
    found.with_context(|| format!("{check} is not in {list:#}"))
}

async fn list(house: &House, settings: &BrokerSettings) -> anyhow::Result<Printed> {
    let printed = house.command(settings, &["checks", "list", "--json"]).await?;
    ensure!(printed.code == 0, "{printed:?}");
    Ok(printed)
}

/// docs/CHECKS.md names every check that there is.
#[tokio::test(flavor = "multi_thread")]
async fn every_check_is_documented() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    let page = include_str!("../../../docs/CHECKS.md");
    let list = list(&house, &settings).await?.json()?;
    let names: Vec<&str> =
        list.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    ensure!(names.len() >= 9, "{names:?}");
    for name in names {
        ensure!(page.contains(&format!("| `{name}` |")), "`{name}` is not in docs/CHECKS.md");
    }
    Ok(())
}
