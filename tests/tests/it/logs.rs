//! What the broker writes about a whole life, at the most talkative level: no secret, and no error where there was none.

use anyhow::{Context, ensure};
use sandbox::BrokerProcess;
use serde_json::Value;

use crate::house::{House, program};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000071";

/// What the operator has told the broker and nobody else.
const AWS_SECRET: &str = "aws-secret-5f2d81c0";
const PASSWORD: &str = "password-77aa01be";

/// A broker that logs everything it can, and the secrets that it was given.
async fn talkative(house: &mut House) -> anyhow::Result<Vec<String>> {
    let settings = house.settings()?;
    let mut environment = house.sandbox.broker_environment(&settings);
    environment.retain(|(name, _)| name != "AWS_SECRET_ACCESS_KEY");
    for (name, value) in [
        ("LOG", "trace"),
        ("LOG_FORMAT", "json"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET),
        ("BROKER_CREDENTIALS", &format!("other:{PASSWORD}")),
    ] {
        environment.push((name.to_owned(), value.to_owned()));
    }
    house.sandbox.route_broker(settings.port);
    let log = house.sandbox.state().join("broker.log");
    house.brokers.push(BrokerProcess::start(&program("cdn-broker")?, environment, log).await?);
    let (_, sealing_key) = settings.encryption_keys.split_once(':').context("a key has a name")?;
    // How the platform's own password comes in with each request.
    let authorization = "c2FuZGJveDpzYW5kYm94";
    Ok([AWS_SECRET, PASSWORD, sealing_key, authorization].map(str::to_owned).to_vec())
}

/// D31, D32.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_is_logged_without_secrets_and_without_errors() -> anyhow::Result<()> {
    let mut house = House::without_broker(|_| {}).await?;
    let secrets = talkative(&mut house).await?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    house.deprovision(ID).await?;
    house.until_succeeded(ID).await?;
    house.brokers[0].stop().await?;
    let log = std::fs::read_to_string(house.sandbox.state().join("broker.log"))?;
    ensure!(log.contains("\"level\":\"TRACE\""), "it has not logged everything");
    for secret in &secrets {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    for key in ["BEGIN PRIVATE", "BEGIN+PRIVATE", "BEGIN%20PRIVATE", "BEGIN RSA", "BEGIN+RSA", "BEGIN EC"] {
        assert!(!log.contains(key), "a private key is in the log");
    }
    assert_eq!(bodies(&log)?, Vec::<String>::new(), "whole requests may be in these");
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("\"level\":\"ERROR\"")).collect();
    assert_eq!(errors, Vec::<&str>::new(), "nothing was wrong");
    named(&log)?;
    for done in ["accepted a provision", "accepted a deprovision"] {
        assert_eq!(log.matches(done).count(), 1, "{done}");
    }
    Ok(())
}

/// R14: every line about an issuance names instance, operation and request, whoever writes it.
fn named(log: &str) -> anyhow::Result<()> {
    let mut count = 0;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let target = event["target"].as_str().unwrap_or_default();
        if !target.starts_with("acme_core::steps") && !target.starts_with("broker::worker") {
            continue;
        }
        let spans = event["spans"].as_array().with_context(|| format!("nothing is named: {line}"))?;
        for field in ["operation.id", "instance.id", "request.identity"] {
            ensure!(spans.iter().any(|span| span[field].is_string()), "{field} is not in {line}");
        }
        ensure!(spans.iter().any(|span| span["instance.id"] == ID), "{line}");
        count += 1;
    }
    ensure!(count > 10, "only {count} lines are about the work");
    Ok(())
}

/// The lines of those who log what they send and receive, at a level at which they do.
fn bodies(log: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let of = event["target"].as_str().and_then(|target| target.split("::").next()).unwrap_or_default();
        let is_talkative = event["level"] == "TRACE" || event["level"] == "DEBUG";
        if is_talkative && cloudfront_core::BODY_LOGGING_TARGETS.contains(&of) {
            found.push(line.to_owned());
        }
    }
    Ok(found)
}
