//! `cdn-broker accounts`: the key of the account is replaced while a broker works, and the command dies on the way.

use anyhow::{Context, ensure};
use sandbox::authority::Moment;
use sandbox::{BrokerSettings, wait_for};
use serde_json::{Value, json};

use super::{begun, fits};
use crate::house::{BOUND, House, issued, records_in};

/// Where Pebble takes key changes.
const KEY_CHANGE: &str = "/rollover-account-key";

fn id(number: usize) -> String {
    format!("6f1c9a52-0000-4000-8000-0000000006{number:02}")
}

async fn shown(house: &House, settings: &BrokerSettings) -> anyhow::Result<Value> {
    house.command(settings, &["accounts", "show", "--json"]).await?.json()
}

async fn ask(house: &House, number: usize) -> anyhow::Result<()> {
    let parameters = json!({"domain": format!("www{number}.example.gov")});
    ensure!(house.provision(&id(number), parameters).await?.status == 202);
    house.records(&id(number), 1).await?;
    Ok(())
}

/// Sets whatever records are shown until the instance serves: with another key they are others.
async fn prove(house: &House, number: usize) -> anyhow::Result<()> {
    wait_for("the operation to succeed", BOUND, || async {
        let answer = house.poll(&id(number)).await?;
        ensure!(answer.text("state") != "failed", "{answer:?}");
        for (name, value) in records_in(answer.text("description")) {
            house.sandbox.dns().set_txt(&name, vec![value])?;
        }
        Ok((answer.text("state") == "succeeded").then_some(()))
    })
    .await
    .with_context(|| house.last_words())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_whatever_dies_on_the_way() -> anyhow::Result<()> {
    let mut house = House::without_broker(|settings| {
        settings.authority.nonce_rejection_percent = 0;
        settings.authority.authorization_reuse_percent = 0;
    })
    .await?;
    let settings = house.hasty_settings("10s")?;
    house.add_broker(&settings).await?;
    let early = house.command(&settings, &["accounts", "rotate"]).await?;
    ensure!(early.code == 1 && early.err.contains("there is no account"), "{early:?}");
    let none = house.command(&settings, &["accounts", "show"]).await?;
    ensure!(none.code == 0 && none.out.contains("no account yet"), "{none:?}");

    ask(&house, 0).await?;
    let first = shown(&house, &settings).await?;
    ensure!(first["standing"] == "valid" && first["current"] == true, "{first:#}");
    // In the middle of an order the account has another key.
    let rotated = house.command(&settings, &["accounts", "rotate"]).await?;
    ensure!(rotated.code == 0 && rotated.out.contains("has another key"), "{rotated:?}");
    let second = shown(&house, &settings).await?;
    ensure!(second["thumbprint"] != first["thumbprint"] && second["url"] == first["url"], "{second:#}");
    prove(&house, 0).await?;

    for (number, moment) in [(1, Moment::Before), (2, Moment::After)] {
        ask(&house, number).await?;
        let before = shown(&house, &settings).await?;
        let held = house.sandbox.authority().gate().hold(KEY_CHANGE, 1, moment);
        let mut command = begun(&house, &settings, &["accounts", "rotate"])?;
        held.reached(BOUND).await?;
        command.kill().await?;
        drop(held);
        let left = shown(&house, &settings).await?;
        ensure!(left["standing"] == "valid", "{left:#}");
        // The broker works with whichever key counts.
        prove(&house, number).await?;
        let again = house.command(&settings, &["accounts", "rotate", "--json"]).await?;
        ensure!(again.code == 0, "{again:?}");
        let after = shown(&house, &settings).await?;
        ensure!(
            after["thumbprint"] != before["thumbprint"] && after["next_thumbprint"].is_null(),
            "{after:#}"
        );
        ensure!(after["standing"] == "valid" && after["url"] == first["url"], "{after:#}");
    }
    // Also one that starts anew.
    house.brokers[0].restart().await?;
    ask(&house, 3).await?;
    prove(&house, 3).await?;
    ensure!(issued(&house)? == 4);
    let text = house.command(&settings, &["accounts", "show"]).await?;
    for part in ["directory", "thumbprint", "valid", "ECDSA P-256", "external account"] {
        ensure!(text.out.contains(part), "{part} is not in:\n{}", text.out);
    }
    fits(&text)?;
    ensure!(!text.out.contains("PRIVATE") && !house.log()?.contains("PRIVATE KEY"));
    Ok(())
}
