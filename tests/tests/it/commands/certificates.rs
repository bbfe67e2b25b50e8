//! `cdn-broker certificates` and `instances show`: one certificate from being served to being left behind.

use std::time::Duration;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use serde_json::json;

use super::{fits, in_a_line};
use crate::house::{House, Printed};

const ID: &str = "6f1c9a52-0000-4000-8000-000000000031";
const DOMAIN: &str = "www.example.gov";

async fn certificates(
    house: &House,
    settings: &BrokerSettings,
    arguments: &[&str],
) -> anyhow::Result<Printed> {
    let arguments: Vec<&str> = std::iter::once("certificates").chain(arguments.iter().copied()).collect();
    house.command(settings, &arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_what_certificates_there_are() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let settings = house.hasty_settings("45s")?;
    house.add_broker(&settings).await?;
    house.provisioned(ID, &[DOMAIN]).await?;
    let domain = house.sandbox.aws().state().distributions[0].domain.clone();
    house.sandbox.dns().set_cname(DOMAIN, &domain)?;
    ensure!(house.provision(OTHER, json!({"domain": "a.example.gov"})).await?.status == 202);
    house.records(OTHER, 1).await?;
    lists(&house, &settings).await?;
    shows(&house, &settings).await?;
    tells_the_story(&house, &settings, &domain).await?;
    is_left_behind(&house, &settings).await
}

const OTHER: &str = "6f1c9a52-0000-4000-8000-000000000032";

async fn lists(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    let all = certificates(house, settings, &["list"]).await?;
    fits(&all)?;
    let rows: Vec<&str> = all.out.lines().collect();
    ensure!(rows.len() == 3 && rows[0].starts_with("INSTANCE "), "{}", all.out);
    ensure!(rows[1].starts_with(ID) && rows[1].contains("live") && rows[1].ends_with(DOMAIN), "{}", all.out);
    ensure!(rows[2].starts_with(OTHER) && rows[2].contains("pending"), "{}", all.out);
    let live = certificates(house, settings, &["list", "--state", "live", "--json"]).await?.json()?;
    ensure!(live["instance"] == ID && live["days_left"].as_i64().is_some_and(|days| days > 0), "{live:#}");
    ensure!(live["proofs"] == json!([{"name": DOMAIN, "proven_by": "direct"}]), "{live:#}");
    let soon = certificates(house, settings, &["list", "--days", "1", "--json"]).await?;
    ensure!(soon.code == 0 && soon.out.is_empty(), "{soon:?}");
    let late =
        certificates(house, settings, &["list", "--days", "100000", "--instance", ID, "--json"]).await?;
    ensure!(late.json()?["instance"] == ID, "{late:?}");
    let wrong = certificates(house, settings, &["list", "--state", "lost"]).await?;
    ensure!(wrong.code == 64 && wrong.err.contains("pending, stored, live, retired, removed"), "{wrong:?}");
    Ok(())
}

async fn shows(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    let by_instance = certificates(house, settings, &["show", ID, "--json"]).await?.json()?;
    let kept = house.sandbox.aws().state().certificates[0].clone();
    ensure!(by_instance["iam_name"] == *kept.name && by_instance["iam_id"] == *kept.id, "{by_instance:#}");
    ensure!(by_instance["attached"] == true && by_instance["in_iam"] == true, "{by_instance:#}");
    let arn = by_instance["arn"].as_str().context("no ARN")?;
    ensure!(arn.starts_with("arn:aws:iam::") && arn.ends_with(&kept.name), "{arn}");
    ensure!(by_instance["next_proofs"][0]["by_itself"] == "through-cdn", "{by_instance:#}");
    ensure!(by_instance["renewal"].is_object() && by_instance["unseen"] == json!([]), "{by_instance:#}");
    for id in [&kept.name, &kept.id] {
        let shown = certificates(house, settings, &["show", id]).await?;
        for part in [arn, "live", "yes, to ", "next time: by itself, through-cdn", "left)", "proven: direct"]
        {
            ensure!(shown.out.contains(part), "{part} is not in:\n{}", shown.out);
        }
    }
    let unknown = certificates(house, settings, &["show", "nobody"]).await?;
    ensure!(unknown.code == 1 && unknown.err.contains("there is no certificate nobody"), "{unknown:?}");
    let none = certificates(house, settings, &["orphans"]).await?;
    ensure!(none.code == 0 && none.out.contains("None. Looked at: certificates 1, instances 2"), "{none:?}");
    Ok(())
}

/// The whole story on one screen.
async fn tells_the_story(house: &House, settings: &BrokerSettings, domain: &str) -> anyhow::Result<()> {
    let shown = house.command(settings, &["instances", "show", ID]).await?;
    for part in [
        "parameters",
        "asked",
        "organization",
        "where it stands",
        "The certificate is good until",
        "renew",
        "its own since",
        "proven: direct",
        "issued by ",
        " left)",
        domain,
        "await-deployment",
        "operations",
        "log",
    ] {
        ensure!(in_a_line(&shown).contains(part), "{part} is not in:\n{}", shown.out);
    }
    let waits = house.command(settings, &["instances", "show", OTHER]).await?;
    ensure!(
        in_a_line(&waits).contains("It waits for its user to prove control of a.example.gov."),
        "{}",
        waits.out
    );
    let story = house.command(settings, &["instances", "show", ID, "--json"]).await?.json()?;
    ensure!(story["errors"].is_array() && story.get("leased_until").is_some(), "{story:#}");
    Ok(())
}

/// The platform has forgotten the instance, and so does the broker; what it had in AWS stays and is found.
async fn is_left_behind(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    let forgotten =
        house.command(settings, &["instances", "purge", ID, "--keep-cloud", "--yes", "--json"]).await?;
    ensure!(forgotten.code == 0, "{forgotten:?}");
    let state = house.sandbox.aws().state();
    let told = forgotten.json()?;
    ensure!(told["left_behind"]["distribution"] == *state.distributions[0].id, "{told:#}");
    ensure!(told["left_behind"]["certificates"] == json!([state.certificates[0].name]), "{told:#}");
    ensure!(state.distributions[0].enabled && state.distributions[0].names == [DOMAIN], "{state:#?}");
    house.sandbox.aws().make_older(Duration::from_hours(48));
    let found = certificates(house, settings, &["orphans"]).await?;
    fits(&found)?;
    ensure!(found.code == 2 && found.out.contains(&state.certificates[0].name), "{found:?}");
    let found = certificates(house, settings, &["orphans", "--json"]).await?;
    let finding = &found.json()?["findings"][0];
    ensure!(finding["kind"] == "orphan" && finding["instance"] == ID, "{found:?}");
    ensure!(house.sandbox.aws().state().certificates.len() == 1, "nothing was removed");
    let all = house.command(settings, &["reconcile", "--json"]).await?.json()?;
    let kinds: Vec<&str> =
        all["findings"].as_array().into_iter().flatten().filter_map(|one| one["what"].as_str()).collect();
    ensure!(kinds.contains(&"distribution") && kinds.contains(&"certificate"), "{all:#}");
    // Its name is free again for whoever proves it.
    let again = house.command(settings, &["instances", "purge", ID, "--yes"]).await?;
    ensure!(again.code == 1 && again.err.contains("has been deleted"), "{again:?}");
    Ok(())
}
