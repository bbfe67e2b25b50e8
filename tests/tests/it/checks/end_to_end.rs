//! `end-to-end` and the contracts, as a broker that serves runs them.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use http::Method;
use sandbox::aws::{Adjustment, Rule};
use sandbox::pki::Ca;
use sandbox::{BrokerProcess, BrokerSettings, MANAGED_ZONE, Proofs, wait_for};
use serde_json::{Value, json};

use super::authority::expire_lease;
use super::{run, standing};
use crate::house::{BOUND, House, issued, program, provision_body};

/// Runs a check by hand, part by part, until it says something else than that it waits.
async fn walk(house: &House, settings: &BrokerSettings, check: &str) -> anyhow::Result<Value> {
    wait_for(&format!("{check} to come to its end"), BOUND * 2, || async {
        let (_, said) = run(house, settings, check).await?;
        Ok((said["verdict"] != "underway").then_some(said))
    })
    .await
}

async fn start() -> anyhow::Result<(House, BrokerSettings)> {
    start_with(&[]).await
}

async fn start_with(more: &[(&str, &str)]) -> anyhow::Result<(House, BrokerSettings)> {
    start_on(more, false).await
}

async fn start_on(more: &[(&str, &str)], platform: bool) -> anyhow::Result<(House, BrokerSettings)> {
    let mut house = House::without_broker(|settings| {
        settings.aws.deploy = Duration::from_millis(300);
        // The emulated CloudFront sees only those records that somebody has asked a name server about since they are due.
        settings.aws.route53_sync = Duration::ZERO;
    })
    .await?;
    let mut settings = BrokerSettings { proofs: Proofs::ALL, platform, ..house.hasty_settings("10s")? };
    settings.more.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
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

/// The platform knows no domain at all: the canary's is the service's own, and nobody else gets one like it.
#[tokio::test]
async fn the_canary_gets_on_where_the_platform_checks_domains() -> anyhow::Result<()> {
    let (house, settings) = start_on(&MANY_ORDERS, true).await?;
    for life in ["kept", "whole"] {
        let said = walk(&house, &settings, "end-to-end").await?;
        ensure!(said["verdict"] == "ok", "{life}: {said:#}\n{}", house.last_words());
    }
    assert_eq!(issued(&house)?, 2);
    let own = canaries(&house).into_iter().find(|name| name.starts_with("canary-")).unwrap_or_default();
    for organization in ["org-1", "cdn-broker-canary"] {
        for domain in [&format!("canary-0123456789.{MANAGED_ZONE}"), &format!("a.{own}"), MANAGED_ZONE] {
            let mut body = provision_body(&json!({ "domain": domain }));
            body["organization_guid"] = json!(organization);
            let path = "/v2/service_instances/tenants?accepts_incomplete=true";
            let refused = house.call(Method::PUT, path, Some(&body)).await?;
            let text = refused.text("description");
            ensure!(
                refused.status == 400 && text.contains("to this service itself"),
                "{domain}: {refused:?}"
            );
        }
        let mut body = provision_body(&json!({ "domain": "www.example.gov" }));
        body["organization_guid"] = json!(organization);
        let path = "/v2/service_instances/tenants?accepts_incomplete=true";
        let refused = house.call(Method::PUT, path, Some(&body)).await?;
        ensure!(
            refused.status == 400 && refused.text("description").contains("cf create-domain"),
            "{refused:?}"
        );
    }
    Ok(())
}

/// As many orders as there can be: every run after the first is a whole life on a fresh name.
const MANY_ORDERS: [(&str, &str); 1] = [("CANARY_ORDERS_PER_WEEK", "4294967295")];

/// The names below the managed zone of canaries that live only once, in DNS at this moment.
fn fresh_names(house: &House) -> Vec<String> {
    let records = house.sandbox.dns().records();
    records.into_iter().map(|record| format!("{record:?}")).filter(|record| record.contains("e2e-")).collect()
}

/// Only what is kept is left: one distribution, one certificate, and the records of its name.
async fn only_the_kept_canary_is_left(house: &House) -> anyhow::Result<()> {
    wait_for("the records of the fresh name to be gone", BOUND, || async {
        Ok(fresh_names(house).is_empty().then_some(()))
    })
    .await?;
    let state = house.sandbox.aws().state();
    assert_eq!((state.distributions.len(), state.certificates.len()), (1, 1), "{state:#?}");
    ensure!(canaries(house).iter().all(|name| name.contains("canary-")), "{:?}", canaries(house));
    Ok(())
}

fn steps(said: &Value) -> Vec<&str> {
    said["steps"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect()
}

const WHOLE_LIFE: [&str; 7] = ["provision", "provisioned", "point", "visit", "delete", "deleted", "clear"];

/// From the request over a proof in the managed zone and HTTPS at the edge to its deletion, through a real broker.
#[tokio::test]
async fn a_fresh_name_lives_a_whole_life_and_leaves_nothing() -> anyhow::Result<()> {
    let (house, settings) = start_with(&MANY_ORDERS).await?;
    ensure!(walk(&house, &settings, "end-to-end").await?["verdict"] == "ok", "{}", house.last_words());
    for life in 1..=2 {
        let said = walk(&house, &settings, "end-to-end").await?;
        ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
        assert_eq!(steps(&said), WHOLE_LIFE);
        assert_eq!(issued(&house)?, 1 + life);
        only_the_kept_canary_is_left(&house).await?;
    }
    let journal = house.sandbox.aws().journal();
    let served: BTreeSet<&String> =
        journal.iter().flat_map(|entry| &entry.aliases).filter(|name| name.starts_with("e2e-")).collect();
    assert_eq!(served.len(), 2, "each life has a name of its own: {served:?}");
    let history = house.command(&settings, &["checks", "history", "end-to-end", "--json"]).await?.json()?;
    let whole = history.as_array().into_iter().flatten().filter(|run| steps(run) == WHOLE_LIFE);
    let times = whole.map(|run| run["steps"].as_array().into_iter().flatten().all(|one| one["ms"].is_u64()));
    assert_eq!(times.collect::<Vec<_>>(), [true, true], "the times of the stages are kept: {history:#}");
    Ok(())
}

/// The check and its broker die in the middle of a life; the next run brings it to its end.
#[tokio::test]
async fn a_canary_that_a_killed_run_has_left_is_cleaned_up_by_the_next() -> anyhow::Result<()> {
    let (mut house, settings) = start_with(&MANY_ORDERS).await?;
    ensure!(walk(&house, &settings, "end-to-end").await?["verdict"] == "ok", "{}", house.last_words());
    let mut killed = tokio::process::Command::new(program("cdn-broker")?)
        .args(["checks", "run", "end-to-end"])
        .env_clear()
        .envs(house.sandbox.broker_environment(&settings))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    wait_for("the proof of a fresh name", BOUND, || async {
        Ok((!fresh_names(&house).is_empty()).then_some(()))
    })
    .await?;
    killed.kill().await?;
    house.brokers[0].kill().await?;
    house.brokers[0].restart().await?;
    ensure!(!fresh_names(&house).is_empty(), "it has left something");
    expire_lease(&settings.database_url).await?;
    let said = walk(&house, &settings, "end-to-end").await?;
    ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    assert_eq!(steps(&said), WHOLE_LIFE);
    only_the_kept_canary_is_left(&house).await
}

/// With TLS in the process, the API of one's own is reached over it, without anybody else's trust.
#[tokio::test]
async fn the_canary_speaks_tls_where_its_broker_does() -> anyhow::Result<()> {
    let mut house = House::without_broker(|settings| {
        settings.aws.deploy = Duration::from_millis(300);
        settings.aws.route53_sync = Duration::ZERO;
    })
    .await?;
    // A certificate for another name than the one that is asked, from an authority that nobody knows.
    let certificate = Ca::new("nobody's authority")?.server_certificate(&["broker.example.gov"])?;
    let files = [("TLS_CERT", certificate.chain_pem), ("TLS_KEY", certificate.key_pem)];
    let mut settings = BrokerSettings { proofs: Proofs::ALL, ..house.hasty_settings("10s")? };
    for (name, pem) in files {
        let file = house.folder().join(name);
        std::fs::write(&file, pem)?;
        settings.more.push((name.to_owned(), file.display().to_string()));
    }
    let environment = house.sandbox.broker_environment(&settings);
    let log = house.sandbox.state().join("broker.log");
    house.brokers.push(BrokerProcess::start(&program("cdn-broker")?, environment, log).await?);
    let said = walk(&house, &settings, "end-to-end").await?;
    ensure!(said["verdict"] == "ok", "{said:#}\n{}", house.last_words());
    assert_eq!(canaries(&house).len(), 2);

    // Whoever answers there with another certificate is not trusted.
    let other = Ca::new("somebody else")?.server_certificate(&["127.0.0.1"])?;
    for (name, pem) in [("TLS_CERT", other.chain_pem), ("TLS_KEY", other.key_pem)] {
        let file = house.folder().join(format!("OTHER_{name}"));
        std::fs::write(&file, pem)?;
        settings.more.retain(|(known, _)| known != name);
        settings.more.push((name.to_owned(), file.display().to_string()));
    }
    let (_, said) = run(&house, &settings, "end-to-end").await?;
    ensure!(said["verdict"] == "failing" && said.to_string().contains("is not answered"), "{said:#}");
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
