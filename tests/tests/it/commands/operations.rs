//! `cdn-broker operations`: one that waits for its user, one that waits for the operator, and one that is over.

use anyhow::{Context, ensure};
use sandbox::aws::{FaultKind, Outage};
use sandbox::{BrokerSettings, wait_for};
use serde_json::{Value, json};

use super::fits;
use crate::house::{BOUND, House, Printed};

const WAITS: &str = "6f1c9a52-0000-4000-8000-000000000021";
const PARKED: &str = "6f1c9a52-0000-4000-8000-000000000022";

async fn operations(house: &House, settings: &BrokerSettings, arguments: &[&str]) -> anyhow::Result<Printed> {
    let arguments: Vec<&str> = std::iter::once("operations").chain(arguments.iter().copied()).collect();
    house.command(settings, &arguments).await
}

/// The rows of a table, or the objects of a list, one each.
fn lines(printed: &Printed) -> Vec<&str> {
    printed.out.lines().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_runs_and_whom_it_waits_for() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let settings = house.hasty_settings("5s")?;
    house.add_broker(&settings).await?;
    let none = operations(&house, &settings, &["list"]).await?;
    ensure!(none.code == 0 && lines(&none).len() == 1 && none.out.starts_with("AGE "), "{none:?}");

    ensure!(house.provision(WAITS, json!({"domain": "a.example.gov"})).await?.status == 202);
    house.records(WAITS, 1).await?;
    // Nobody but the operator can help the second one.
    house.sandbox.aws().faults().break_down(Outage { op: "*".to_owned(), kind: FaultKind::ExpiredToken });
    ensure!(house.provision(PARKED, json!({"domain": "b.example.gov"})).await?.status == 202);
    let parked = wait_for("the operator to be waited for", BOUND, || async {
        let listed = operations(&house, &settings, &["list", "--waits-for", "operator", "--json"]).await?;
        Ok((!listed.out.is_empty()).then_some(listed))
    })
    .await
    .with_context(|| house.last_words())?;
    let parked: Value = serde_json::from_str(lines(&parked)[0])?;
    ensure!(parked["instance"] == PARKED && parked["waits_for"] == "account", "{parked:#}");

    reads_lists(&house, &settings).await?;
    reads_one(&house, &settings, parked["id"].as_str().context("no id")?).await?;
    errors_are_clear(&house, &settings).await
}

async fn reads_lists(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    let all = operations(house, settings, &["list"]).await?;
    fits(&all)?;
    let rows = lines(&all);
    ensure!(rows.len() == 3 && rows[1].contains(PARKED) && rows[1].ends_with("operator"), "{}", all.out);
    ensure!(rows[2].contains(WAITS) && rows[2].ends_with("user"), "{}", all.out);
    let newest = operations(house, settings, &["list", "--most", "1"]).await?;
    ensure!(lines(&newest).len() == 2 && newest.out.contains(PARKED), "{newest:?}");
    let wide = operations(house, settings, &["list", "--wide", "--waits-for", "user"]).await?;
    ensure!(lines(&wide).len() == 2 && wide.out.contains("obtain-certificate"), "{wide:?}");
    let of_one =
        operations(house, settings, &["list", "--instance", WAITS, "--kind", "provision", "--json"]).await?;
    ensure!(of_one.json()?["waiting"] == "user", "{of_one:?}");
    let failed = operations(house, settings, &["list", "--state", "failed", "--json"]).await?;
    ensure!(failed.code == 0 && failed.out.is_empty(), "{failed:?}");
    Ok(())
}

async fn reads_one(house: &House, settings: &BrokerSettings, id: &str) -> anyhow::Result<()> {
    let shown = operations(house, settings, &["show", id]).await?;
    for part in [
        "create-distribution",
        "operator: all that needs `account` waits",
        "ExpiredToken",
        "last errors",
        "lease",
    ] {
        ensure!(shown.out.contains(part), "{part} is not in:\n{}", shown.out);
    }
    let told = operations(house, settings, &["show", id, "--json"]).await?.json()?;
    let error = &told["errors"][0];
    ensure!(error["outcome"] == "parked" && error["request_id"].is_string(), "{told:#}");
    ensure!(shown.out.contains(error["request_id"].as_str().unwrap_or("?")), "{}", shown.out);
    ensure!(told["waiting"] == "operator" && told["gives_up_at"].is_string(), "{told:#}");
    // The same by its instance.
    let by_instance = operations(house, settings, &["show", PARKED, "--json"]).await?.json()?;
    ensure!(by_instance["id"] == *id, "{by_instance:#}");
    Ok(())
}

async fn errors_are_clear(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    let unknown = operations(house, settings, &["show", "nobody"]).await?;
    ensure!(unknown.code == 1 && unknown.err.contains("there is no operation nobody"), "{unknown:?}");
    for (wrong, says) in [
        (&["list", "--state", "broken"][..], "the states are running"),
        (&["list", "--kind", "delete"], "the kinds are provision"),
        (&["list", "--waits-for", "godot"], "operator, retry, room, user, cdn, broker"),
        (&["list", "--waits-for", "user", "--state", "failed"], "leave --state out"),
        (&["show"], "<ID>"),
    ] {
        let wrong = operations(house, settings, wrong).await?;
        ensure!(wrong.code == 64 && wrong.err.contains(says), "{wrong:?}");
    }
    Ok(())
}
