//! Several brokers on one database run each check once.

use std::collections::BTreeSet;

use anyhow::ensure;
use sandbox::{BrokerSettings, Postgres, wait_for};

use super::{list, start};
use crate::house::BOUND;

#[tokio::test(flavor = "multi_thread")]
async fn two_brokers_run_each_check_once() -> anyhow::Result<()> {
    let server = Postgres::start().await?;
    let (mut house, settings) = start("off", "").await?;
    house.brokers.clear();
    let database_url = server.database("checks").await?;
    let mut settings =
        BrokerSettings { database_url, checks: "acme-directory,several-tenants".to_owned(), ..settings };
    settings.more = vec![("CHECKS_EVERY".to_owned(), "acme-directory=1s,several-tenants=1s".to_owned())];
    let before = asked(&house);
    house.add_broker(&settings).await?;
    let second = BrokerSettings { port: house.settings()?.port, ..settings.clone() };
    house.add_broker(&second).await?;
    wait_for("some runs", BOUND, || async {
        let list = list(&house, &settings).await?.json()?;
        let runs = list.as_array().into_iter().flatten();
        Ok(runs.filter(|one| one["runs"].as_i64() >= Some(4)).count().checked_sub(2))
    })
    .await?;
    for broker in &mut house.brokers {
        broker.stop().await?;
    }
    let history =
        house.command(&settings, &["checks", "history", "acme-directory", "--runs", "200", "--json"]).await?;
    let runs = history.json()?;
    let runs = runs.as_array().cloned().unwrap_or_default();
    let numbers: BTreeSet<i64> = runs.iter().filter_map(|run| run["number"].as_i64()).collect();
    ensure!(numbers.len() == runs.len(), "{runs:?}");
    // One that was broken off when its broker stopped has asked as well.
    let asked = asked(&house) - before;
    ensure!(
        (runs.len()..=runs.len() + 1).contains(&asked),
        "{asked} looks at the directory for {} runs",
        runs.len()
    );
    Ok(())
}

/// How often the directory was read.
fn asked(house: &crate::house::House) -> usize {
    house.sandbox.authority().gate().requests().iter().filter(|one| one.path == "/dir").count()
}
