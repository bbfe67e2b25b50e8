//! The environments of the earlier brokers start this one: a key for the database is all that is added, and what they lack is
//! said by name.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use http::Method;
use sandbox::platform::BROKER_CLIENT;
use sandbox::{BUCKET, BrokerProcess, DEFAULT_ORIGIN, MANAGED_ZONE};
use serde_json::json;

use super::guide;
use super::old_world::{CF_CDN, Old, OldWorld};
use super::others::{EXTERNAL_DOMAIN, PAAS_CDN};
use crate::house::{BOUND, Printed, SERVICE_ID, program};

const ID: &str = "2f1c0a52-0000-4000-8000-000000000001";

/// Where the world is, as only a laboratory has to say it.
const LABORATORY: [&str; 8] = [
    "BIND_ADDRESS",
    "AWS_ENDPOINT_URL",
    "ACME_ROOT_CA",
    "DNS_RESOLVERS",
    "PROOF_DNS_PORT",
    "PROOF_HTTP_PORT",
    "PROOF_HTTPS_PORT",
    "PROOF_ALLOW_PRIVATE_ADDRESSES",
];

type Environment = BTreeMap<String, String>;

/// The laboratory's variables, and these.
fn environment(world: &OldWorld, more: &[(&str, &str)]) -> Environment {
    let all = world.house.sandbox.broker_environment(&world.settings);
    let laboratory = all.into_iter().filter(|(name, _)| LABORATORY.contains(&name.as_str()));
    laboratory.chain(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
}

async fn run(environment: &Environment, arguments: &[&str]) -> anyhow::Result<Printed> {
    let mut command = tokio::process::Command::new(program("cdn-broker")?);
    command.args(arguments).env_clear().envs(environment).kill_on_drop(true);
    let ended = tokio::time::timeout(BOUND, command.output()).await.context("it does not end")??;
    Ok(Printed {
        code: ended.status.code().context("it was killed")?,
        out: String::from_utf8(ended.stdout)?,
        err: String::from_utf8(ended.stderr)?,
    })
}

/// `cdn-broker serve` refuses to start, and names these variables and no others.
async fn refused(environment: &Environment, names: &[&str]) -> anyhow::Result<String> {
    let said = run(environment, &["serve"]).await?;
    ensure!(said.code == 64, "{said:?}");
    // Each line begins with the program's name.
    let lines = said.err.lines().skip(1);
    let found: Vec<&str> = lines.filter_map(|line| line.split_whitespace().nth(1)).collect();
    ensure!(found == names, "{said:?}");
    Ok(said.err)
}

/// It starts, and says once of each of these variables that it is not read.
async fn starts(
    world: &OldWorld,
    environment: Environment,
    unread: &[&str],
    service: &str,
) -> anyhow::Result<()> {
    let log = world.house.folder().join("drop-in.log");
    let binary = program("cdn-broker")?;
    let mut broker = BrokerProcess::start(&binary, environment.into_iter().collect(), log.clone()).await?;
    let catalog = world.house.call_at(&broker.url(), Method::GET, "/v2/catalog", None).await?;
    ensure!(catalog.status == 200 && catalog.body["services"][0]["id"] == service, "{catalog:?}");
    broker.stop().await?;
    let said = std::fs::read_to_string(log)?;
    for name in unread {
        let not_needed = said.matches(&format!("{name} is not needed any more: ")).count();
        let not_read = said.matches(&format!("{name} is not read: ")).count();
        ensure!(not_needed + not_read == 1, "{name} in:\n{said}");
    }
    let all = said.matches(" is not needed any more: ").count() + said.matches(" is not read: ").count();
    ensure!(all == unread.len(), "{said}");
    Ok(())
}

/// What all three have in common.
fn common<'a>(world: &'a OldWorld, port: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("PORT", port),
        ("BROKER_USERNAME", "sandbox"),
        ("BROKER_PASSWORD", "sandbox"),
        ("DATABASE_URL", world.source.as_str()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn that_of_cf_cdn_service_broker() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    world.route(&Old::new(ID, &["www.example.gov"])).await?;
    let (port, directory) =
        (world.settings.port.to_string(), world.house.sandbox.authority().directory_url());
    let (platform, (client, secret)) = (world.house.sandbox.platform().api_url(), BROKER_CLIENT);
    let mut old = common(&world, &port);
    old.extend([
        ("EMAIL", "ops@example.gov"),
        ("ACME_URL", "https://acme-v01.api.letsencrypt.org/directory"),
        ("BUCKET", BUCKET),
        ("IAM_PATH_PREFIX", "letsencrypt"),
        ("CLOUDFRONT_PREFIX", "cdn"),
        ("AWS_ACCESS_KEY_ID", "AKIDSANDBOX"),
        ("AWS_SECRET_ACCESS_KEY", "sandbox"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("SERVER_SIDE_ENCRYPTION", "AES256"),
        ("API_ADDRESS", platform.as_str()),
        ("CLIENT_ID", client),
        ("CLIENT_SECRET", secret),
        ("DEFAULT_ORIGIN", DEFAULT_ORIGIN),
        ("CDN_SCHEDULE", "0 0 * * * *"),
        ("USER_ID_POOL", "1,2,3"),
        ("GOVERSION", "go1.12"),
    ]);
    refused(&environment(&world, &old), &["DATABASE_ENCRYPTION_KEYS", "ACME_URL"]).await?;
    old.push(("DATABASE_ENCRYPTION_KEYS", world.settings.encryption_keys.as_str()));
    let said = refused(&environment(&world, &old), &["ACME_URL"]).await?;
    ensure!(said.contains("is of ACME v1, which was switched off"), "{said}");
    old.push(("ACME_URL", directory.as_str()));
    // The old database is the new one, too, and is found without being named.
    let import = ["import", "--from", "cf-cdn-service-broker", "--apply", "--yes", "--json"];
    let adopted = run(&environment(&world, &old), &import).await?;
    ensure!(adopted.code == 0 && adopted.json()?["counts"] == json!({"adopted": 1}), "{adopted:?}");
    let unread = ["SCHEDULE", "CLOUDFRONT_PREFIX", "USER_ID_POOL"];
    starts(&world, environment(&world, &old), &unread, SERVICE_ID).await
}

#[tokio::test(flavor = "multi_thread")]
async fn that_of_paas_cdn_broker() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(PAAS_CDN).await?;
    let (port, directory) =
        (world.settings.port.to_string(), world.house.sandbox.authority().directory_url());
    let (platform, (client, secret)) = (world.house.sandbox.platform().api_url(), BROKER_CLIENT);
    let mut old = common(&world, &port);
    old.extend([
        ("AWS_ACCESS_KEY_ID", "AKIDSANDBOX"),
        ("AWS_SECRET_ACCESS_KEY", "sandbox"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("CLOUDFRONT_PREFIX", "cdn"),
        ("SERVER_SIDE_ENCRYPTION", "AES256"),
        ("API_ADDRESS", platform.as_str()),
        ("CLIENT_ID", client),
        ("CLIENT_SECRET", secret),
        ("DEFAULT_ORIGIN", DEFAULT_ORIGIN),
        ("DEFAULT_DEFAULT_TTL", "0"),
        ("SCHEDULE", "0 0 * * * *"),
        ("DATABASE_ENCRYPTION_KEYS", world.settings.encryption_keys.as_str()),
    ]);
    // Its certificates were of ACM: it had nothing to say to an authority.
    refused(&environment(&world, &old), &["EMAIL", "ACME_URL", "BUCKET"]).await?;
    old.extend([("EMAIL", "ops@example.gov"), ("ACME_URL", directory.as_str()), ("BUCKET", BUCKET)]);
    let unread = ["SCHEDULE", "CLOUDFRONT_PREFIX", "DEFAULT_DEFAULT_TTL"];
    starts(&world, environment(&world, &old), &unread, SERVICE_ID).await
}

/// The variables of `external-domain-broker` that say what this one has to know, or nothing to anybody.
const EXTERNAL: [(&str, &str); 29] = [
    ("FLASK_ENV", "production"),
    ("SECRET_KEY", "sekrit"),
    ("DATABASE_ENCRYPTION_KEY", "hunter2"),
    ("DNS_ROOT_DOMAIN", MANAGED_ZONE),
    ("DEFAULT_CLOUDFRONT_ORIGIN", DEFAULT_ORIGIN),
    ("AWS_COMMERCIAL_REGION", "us-east-1"),
    ("AWS_COMMERCIAL_GLOBAL_REGION", "us-east-1"),
    ("AWS_COMMERCIAL_ACCESS_KEY_ID", "AKIDSANDBOX"),
    ("AWS_COMMERCIAL_SECRET_ACCESS_KEY", "sandbox"),
    ("AWS_GOVCLOUD_REGION", "us-gov-west-1"),
    ("AWS_GOVCLOUD_ACCESS_KEY_ID", "AKIDOTHER"),
    ("AWS_GOVCLOUD_SECRET_ACCESS_KEY", "other"),
    ("ALB_LISTENER_ARNS", "arn:aws:elasticloadbalancing:us-gov-west-1:111111111111:listener/app/lb/1/2"),
    ("DEDICATED_ALB_LISTENER_ARN_MAP", "{}"),
    ("CDN_LOG_BUCKET", "logs.s3.amazonaws.com"),
    ("CDN_WAF_CLOUDWATCH_LOG_GROUP_ARN", "arn:aws:logs:us-east-1:111111111111:log-group:waf"),
    ("WAF_RATE_LIMIT_RULE_GROUP_ARN", "arn:aws:wafv2:us-east-1:111111111111:global/rulegroup/rate/1"),
    ("SMTP_HOST", "smtp.example.gov"),
    ("SMTP_PORT", "587"),
    ("SMTP_USER", "cdn"),
    ("SMTP_PASS", "hunter2"),
    ("SMTP_FROM", "no-reply@example.gov"),
    ("SMTP_TO", "ops@example.gov"),
    ("SMTP_CERT", "-----BEGIN CERTIFICATE-----"),
    ("CF_API_URL", "https://api.example.gov"),
    ("UAA_BASE_URL", "https://uaa.example.gov"),
    ("UAA_CLIENT_ID", "external-domain-broker"),
    ("UAA_CLIENT_SECRET", "hunter2"),
    ("DNS_VERIFICATION_SERVER", "8.8.8.8:53"),
];

/// Those of them that this one reads, under whatever name.
const READ: [&str; 7] = [
    "FLASK_ENV",
    "DNS_ROOT_DOMAIN",
    "DEFAULT_CLOUDFRONT_ORIGIN",
    "AWS_COMMERCIAL_REGION",
    "AWS_COMMERCIAL_ACCESS_KEY_ID",
    "AWS_COMMERCIAL_SECRET_ACCESS_KEY",
    "CDN_LOG_BUCKET",
];

#[tokio::test(flavor = "multi_thread")]
async fn that_of_external_domain_broker() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    let (port, directory) =
        (world.settings.port.to_string(), world.house.sandbox.authority().directory_url());
    let (zone, catalog) = (world.house.sandbox.managed_zone(), world.house.folder().join("catalog.json"));
    let mut old = common(&world, &port);
    old.extend(EXTERNAL);
    old.extend([
        ("ROUTE53_ZONE_ID", zone),
        ("DATABASE_ENCRYPTION_KEYS", world.settings.encryption_keys.as_str()),
    ]);
    // It had no bucket, and the contact of its accounts was written into it.
    refused(&environment(&world, &old), &["EMAIL", "BUCKET"]).await?;
    std::fs::write(&catalog, guide::catalog()?)?;
    let catalog = catalog.display().to_string();
    // Only the laboratory has another authority.
    old.extend([
        ("EMAIL", "ops@example.gov"),
        ("BUCKET", BUCKET),
        ("ACME_URL", directory.as_str()),
        ("CATALOG_FILE", catalog.as_str()),
    ]);
    let unread = EXTERNAL.iter().map(|(name, _)| *name).filter(|name| !READ.contains(name));
    let unread: Vec<&str> = unread.map(|name| name.trim_start_matches("CDN_")).collect();
    starts(&world, environment(&world, &old), &unread, "8c16de31-104a-47b0-ba79-25e747be91d6").await
}
