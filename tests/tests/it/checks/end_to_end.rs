//! `end-to-end` and the contracts, as a broker that serves runs them.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use sandbox::aws::{Adjustment, Rule};
use sandbox::{BrokerSettings, MANAGED_ZONE, Proofs, wait_for};
use serde_json::Value;

use super::{run, standing};
use crate::house::{BOUND, House, issued};

/// Runs a check by hand, part by part, until it says something else than that it waits.
async fn walk(house: &House, settings: &BrokerSettings, check: &str) -> anyhow::Result<Value> {
    wait_for(&format!("{check} to come to its end"), BOUND * 2, || async {
        let (_, said) = run(house, settings, check).await?;
        Ok((said["verdict"] != "underway").then_some(said))
    })
    .await
}

async fn start() -> anyhow::Result<(House, BrokerSettings)> {
    let mut house = House::without_broker(|settings| {
        settings.aws.deploy = Duration::from_millis(300);
        // The emulated CloudFront sees only those records that somebody has asked a name server about since they are due.
        settings.aws.route53_sync = Duration::ZERO;
    })
    .await?;
    let settings = BrokerSettings { proofs: Proofs::ALL, ..house.hasty_settings("10s")? };
    house.add_broker(&settings).await?;
    Ok((house, settings))
}

/// The names of the canaries that the cloud serves.
fn canaries(house: &House) -> Vec<String> {
    let state = house.sandbox.aws().state();
    state
        .distributions
        .iter()
        .flat_map(|one| one.names.clone())
        .filter(|name| name.ends_with(MANAGED_ZONE))
        .collect()
}

#[tokio::test]
async fn a_canary_is_made_once_and_serves_every_check() -> anyhow::Result<()> {
    let (house, settings) = start().await?;
    let said = walk(&house, &settings, "end-to-end").await?;
    ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    let steps: Vec<&str> =
        said["steps"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(steps, ["provision", "provisioned", "point", "visit"]);
    let names = canaries(&house);
    ensure!(names.len() == 2 && names.iter().any(|name| name.starts_with("*.canary-")), "{names:?}");

    // The next run changes and visits what is kept, and orders nothing.
    let orders = issued(&house)?;
    let said = walk(&house, &settings, "end-to-end").await?;
    ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    assert_eq!((issued(&house)?, canaries(&house)), (orders, names));

    // Its certificate is what CloudFront takes from the other checks; they leave nothing.
    for check in ["cloudfront-contract", "iam-contract", "s3-contract"] {
        let said = walk(&house, &settings, check).await?;
        ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    }
    let state = house.sandbox.aws().state();
    assert_eq!((state.distributions.len(), state.certificates.len()), (1, 1), "{state:#?}");
    assert_eq!(issued(&house)?, orders);
    let report = house.command(&settings, &["reconcile", "--json"]).await?;
    assert_eq!((report.code, &report.json()?["unknown"]), (0, &serde_json::json!([])), "{report:?}");
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_killed_in_the_middle_leaves_its_canary_to_the_next() -> anyhow::Result<()> {
    let (mut house, settings) = start().await?;
    for _ in 0..3 {
        drop(run(&house, &settings, "end-to-end").await?);
        house.brokers[0].kill().await?;
        house.brokers[0].restart().await?;
    }
    let said = walk(&house, &settings, "end-to-end").await?;
    ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    assert_eq!(house.successes("CreateDistributionWithTags"), 1);
    assert_eq!(issued(&house)?, 1);
    Ok(())
}

/// The rule of April 2019, as it would meet this broker: what cannot be served is red at once, and closes by itself.
#[tokio::test]
async fn a_changed_rule_is_told_by_name_and_by_what_relies_on_it() -> anyhow::Result<()> {
    let (house, settings) = start().await?;
    ensure!(walk(&house, &settings, "end-to-end").await?["verdict"] == "ok");
    let rules = |rules: &[Rule]| Adjustment {
        rules: Some(rules.iter().copied().collect::<BTreeSet<_>>()),
        ..Adjustment::default()
    };
    house.sandbox.aws().adjust(&rules(&[Rule::NamesAfterCertificate]));
    for _ in 0..2 {
        let said = walk(&house, &settings, "cloudfront-contract").await?;
        assert_eq!(
            (&said["verdict"], &said["class"]),
            (&"failing".into(), &"name-with-certificate".into()),
            "{said:#}"
        );
    }
    assert_eq!(standing(&house, &settings, "cloudfront-contract").await?["incident"], true);
    house.sandbox.aws().adjust(&rules(&[]));
    let said = walk(&house, &settings, "cloudfront-contract").await?;
    ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    assert_eq!(standing(&house, &settings, "cloudfront-contract").await?["incident"], false);
    Ok(())
}

#[tokio::test]
async fn without_a_managed_zone_it_says_why_it_cannot() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let settings = house.hasty_settings("10s")?;
    house.add_broker(&settings).await?;
    let (code, said) = run(&house, &settings, "end-to-end").await?;
    assert_eq!((code, &said["verdict"]), (0, &"skipped".into()), "{said:#}");
    ensure!(said["sentence"].as_str().is_some_and(|why| why.contains("MANAGED_ZONE")), "{said:#}");
    Ok(())
}
