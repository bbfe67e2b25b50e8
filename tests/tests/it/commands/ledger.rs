//! `cdn-broker ledger show`: certificates are counted, and whoever finds no room is named.

use anyhow::{Context, ensure};
use contract::{DomainName, durable_label};
use sandbox::{MANAGED_ZONE, Proofs, wait_for};
use serde_json::{Value, json};

use super::{fits, in_a_line};
use crate::house::{BOUND, House};

const ID: &str = "6f1c9a52-0000-4000-8000-000000000051";
const DOMAIN: &str = "www.example.gov";

fn limit<'a>(told: &'a Value, name: &str) -> Option<&'a Value> {
    told["limits"].as_array()?.iter().find(|one| one["limit"] == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_room_is_left_and_who_waits_for_it() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let mut settings = house.hasty_settings("45s")?;
    settings.proofs = Proofs::ALL;
    settings.more.push(("ACME_LIMITS".to_owned(), "letsencrypt".to_owned()));
    house.add_broker(&settings).await?;
    let label = durable_label("org-1", &DomainName::parse(DOMAIN)?);
    house.sandbox.dns().set_cname(DOMAIN, &format!("{label}.{MANAGED_ZONE}"))?;
    let untouched = house.command(&settings, &["ledger", "show"]).await?;
    ensure!(untouched.code == 0 && untouched.out.contains("300 of 300"), "{untouched:?}");

    ensure!(house.provision(ID, json!({"domain": DOMAIN})).await?.status == 202);
    house.until_succeeded(ID).await?;
    let told = house.command(&settings, &["ledger", "show", "--json"]).await?.json()?;
    ensure!(limit(&told, "domain").context("domain")?["about"] == "example.gov", "{told:#}");
    let set = limit(&told, "set").context("set")?;
    ensure!(set["names"] == json!([DOMAIN]) && set["most"] == 5, "{told:#}");
    ensure!(set["left"].as_f64().is_some_and(|left| (3.9..4.1).contains(&left)), "{told:#}");
    ensure!(told["waiting"] == json!([]) && told["canary_orders"]["used"] == 0, "{told:#}");

    // The sixth certificate for the same names within a week has to wait.
    for _ in 0..4 {
        let renewed = house.command(&settings, &["instances", "renew", ID]).await?;
        ensure!(renewed.code == 0, "{renewed:?}");
    }
    ensure!(house.command(&settings, &["instances", "renew", ID, "--no-wait"]).await?.code == 0);
    let told = wait_for("somebody to wait for room", BOUND, || async {
        let told = house.command(&settings, &["ledger", "show", "--json"]).await?.json()?;
        Ok((told["waiting"] != json!([])).then_some(told))
    })
    .await
    .with_context(|| house.last_words())?;
    let waits = &told["waiting"][0];
    ensure!(waits["instance"] == ID && waits["kind"] == "renew" && waits["waiting"] == "room", "{told:#}");
    let shown = house.command(&settings, &["ledger", "show"]).await?;
    fits(&shown)?;
    for part in
        ["same names", "0 of 5", DOMAIN, "renew of", "exactly the same names", "CANARY_ORDERS_PER_WEEK"]
    {
        ensure!(in_a_line(&shown).contains(part), "{part} is not in:\n{}", shown.out);
    }
    let listed = house.command(&settings, &["operations", "list", "--waits-for", "room", "--json"]).await?;
    ensure!(listed.json()?["instance"] == ID, "{listed:?}");
    Ok(())
}
