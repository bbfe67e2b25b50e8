//! `cdn-broker config check`: all is well against the sandbox, and each thing that is broken is named, with what to do.

mod database;
mod permissions;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use sandbox::aws::{FaultKind, Outage};
use sandbox::platform::BROKER_CLIENT;
use sandbox::{BrokerSettings, Proofs};
use serde_json::{Value, json};

use crate::house::{BOUND, House, Printed, program};

const TRIALS: [&str; 11] = [
    "database",
    "encryption keys",
    "plans",
    "authority",
    "CloudFront",
    "IAM",
    "bucket",
    "zone",
    "permissions",
    "CHALLENGE_URL",
    "CHALLENGE_HOST",
];

/// A sandbox with everything that an operator can set up, and the settings of its broker.
async fn house() -> anyhow::Result<(House, BrokerSettings)> {
    let house = House::without_broker(|_| {}).await?;
    let mut settings = house.settings()?;
    (settings.proofs, settings.platform) = (Proofs::ALL, true);
    house.sandbox.platform().set_organization("org-1", "my org");
    Ok((house, settings))
}

/// Runs the command in the environment of the broker, with changes: `None` takes a variable away.
async fn check(
    house: &House,
    settings: &BrokerSettings,
    changes: &[(&str, Option<&str>)],
    arguments: &[&str],
) -> anyhow::Result<Printed> {
    let mut environment: BTreeMap<String, String> =
        house.sandbox.broker_environment(settings).into_iter().collect();
    for (name, value) in changes {
        match value {
            Some(value) => drop(environment.insert((*name).to_owned(), (*value).to_owned())),
            None => drop(environment.remove(*name)),
        }
    }
    let mut command = tokio::process::Command::new(program("cdn-broker")?);
    let ended = command.args(["config", "check"]).args(arguments).env_clear().envs(environment).output();
    let ended = tokio::time::timeout(BOUND, ended).await.context("the command does not end")??;
    Ok(Printed {
        code: ended.status.code().context("the command was killed")?,
        out: String::from_utf8(ended.stdout)?,
        err: String::from_utf8(ended.stderr)?,
    })
}

/// The trials with this verdict.
fn trials<'a>(report: &'a Value, verdict: &str) -> Vec<&'a str> {
    let trials = report["trials"].as_array().map(Vec::as_slice).unwrap_or_default();
    let with = trials.iter().filter(|trial| trial["verdict"] == verdict);
    with.filter_map(|trial| trial["what"].as_str()).collect()
}

/// No part of a chain of causes is in it a second time.
fn nothing_is_told_twice(report: &Value) -> anyhow::Result<()> {
    for trial in
        report["trials"].as_array().into_iter().flatten().filter(|trial| trial["verdict"] == "failed")
    {
        let message = trial["message"].as_str().unwrap_or_default();
        for cause in message.split(": ").filter(|cause| !cause.is_empty()) {
            ensure!(message.matches(cause).count() == 1, "{cause:?} is told twice: {message}");
        }
    }
    Ok(())
}

fn variable(report: &Value, name: &str) -> (Option<String>, String) {
    let rows = report["variables"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = rows.iter().find(|row| row["name"] == name).unwrap();
    (row["value"].as_str().map(str::to_owned), row["source"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_where_everything_is_set_up() -> anyhow::Result<()> {
    let (mut house, settings) = house().await?;
    house.add_broker(&settings).await?;
    let printed = check(&house, &settings, &[], &["--json"]).await?;
    ensure!(printed.code == 0, "{printed:?}");
    let report = printed.json()?;
    let all: Vec<&str> = TRIALS.into_iter().chain(["platform"]).collect();
    assert_eq!(trials(&report, "ok"), all, "{report:#}");
    assert_eq!(report["mistakes"], json!([]));
    let masked = (Some("***".to_owned()), "variable BROKER_PASSWORD".to_owned());
    assert_eq!(variable(&report, "BROKER_PASSWORD"), masked);
    assert_eq!(variable(&report, "IAM_PATH_PREFIX").1, "variable IAM_PATH_PREFIX");
    assert_eq!(variable(&report, "RECONCILE_EVERY"), (Some("1d".to_owned()), "default".to_owned()));
    assert_eq!(variable(&report, "LOG_BUCKET"), (None, "not set".to_owned()));
    let shown = check(&house, &settings, &[], &[]).await?;
    ensure!(shown.code == 0 && shown.out.contains("OK") && !shown.out.contains("FAILED"), "{shown:?}");
    for text in [&printed.out, &shown.out] {
        ensure!(!text.contains(BROKER_CLIENT.1), "{text}");
        ensure!(!text.contains(settings.encryption_keys.rsplit(':').next().unwrap_or_default()), "{text}");
    }
    // What was written to find out is gone.
    let state = house.sandbox.aws().state();
    ensure!(state.buckets.iter().all(|bucket| bucket.keys.is_empty()), "{:?}", state.buckets);
    let records = state.hosted_zones.iter().flat_map(|zone| &zone.records);
    ensure!(records.into_iter().all(|set| !set.name.contains("config-check")), "{:?}", state.hosted_zones);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_named_and_nothing_else() -> anyhow::Result<()> {
    let (mut house, settings) = house().await?;
    house.add_broker(&settings).await?;
    let closed = "postgres://u:hunter2@127.0.0.1:1/cdn";
    for (changes, failed, cure) in [
        (vec![("DATABASE_URL", Some(closed))], vec!["database"], "check DATABASE_URL"),
        (vec![("ACME_URL", Some("https://127.0.0.1:1/directory"))], vec!["authority"], "check ACME_URL"),
        (vec![("BUCKET", Some("no-such-bucket"))], vec!["bucket"], "check BUCKET"),
        (
            vec![("MANAGED_ZONE", Some("managed.example.net:Z0NOSUCHZONE"))],
            vec!["zone"],
            "check MANAGED_ZONE",
        ),
        (vec![("CHALLENGE_HOST", Some("nobody.example.net"))], vec!["CHALLENGE_HOST"], "listens on port 80"),
        (vec![("CLIENT_SECRET", Some("hunter2"))], vec!["platform"], "check API_ADDRESS"),
    ] {
        let printed = check(&house, &settings, &changes, &["--json"]).await?;
        ensure!(printed.code == 2, "{changes:?}: {printed:?}");
        let report = printed.json()?;
        assert_eq!(trials(&report, "failed"), failed, "{changes:?}: {report:#}");
        ensure!(printed.out.contains(cure), "{changes:?}: {report:#}");
        nothing_is_told_twice(&report)?;
        ensure!(!printed.out.contains("hunter2") && !printed.err.contains("hunter2"), "{printed:?}");
        let shown = check(&house, &settings, &changes, &[]).await?;
        ensure!(
            shown.code == 2 && shown.out.contains(&format!("{} does not work: ", failed[0])),
            "{shown:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_lack_and_a_broker_that_does_not_run_are_named() -> anyhow::Result<()> {
    let (house, settings) = house().await?;
    let faults = house.sandbox.aws().faults();
    for (op, failed) in [
        ("ListDistributions", "CloudFront"),
        ("ListServerCertificates", "IAM"),
        ("PutObject", "bucket"),
        ("ChangeResourceRecordSets", "zone"),
    ] {
        faults.break_down(Outage { op: op.to_owned(), kind: FaultKind::AccessDenied });
        let printed = check(&house, &settings, &[], &["--json"]).await?;
        let report = printed.json()?;
        // No broker was started, and nobody else answers for it.
        assert_eq!(
            trials(&report, "failed"),
            [failed, "permissions", "CHALLENGE_URL", "CHALLENGE_HOST"],
            "{op}: {report:#}"
        );
        ensure!(
            printed.out.contains("cdn-broker aws policy") && printed.out.contains("start a broker"),
            "{report:#}"
        );
        faults.heal();
    }
    // One that sees no organization would refuse everybody.
    let (id, secret) = BROKER_CLIENT;
    house.sandbox.platform().set_client(id, secret, &["cloud_controller.read"]);
    let report = check(&house, &settings, &[], &["--json"]).await?.json()?;
    assert_eq!(trials(&report, "failed"), ["CHALLENGE_URL", "CHALLENGE_HOST", "platform"], "{report:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_with_what_was_understood_and_what_is_not_set_up_is_skipped()
-> anyhow::Result<()> {
    let (house, settings) = house().await?;
    let printed = check(&house, &settings, &[("EMAIL", None), ("PORT", Some("http"))], &["--json"]).await?;
    ensure!(printed.code == 64, "{printed:?}");
    let report = printed.json()?;
    let mistakes = report["mistakes"].to_string();
    ensure!(mistakes.contains("EMAIL is not set") && mistakes.contains("PORT is `http`"), "{report:#}");
    assert_eq!((variable(&report, "PORT").0.as_deref(), &report["trials"]), (Some("http"), &json!([])));
    assert_eq!((&report["principal"], &report["permissions"]), (&json!(null), &json!([])));

    let bare = house.settings()?;
    let report = check(&house, &bare, &[], &["--json"]).await?.json()?;
    assert_eq!(
        trials(&report, "skipped"),
        ["encryption keys", "plans", "zone", "CHALLENGE_URL", "CHALLENGE_HOST", "platform"],
        "{report:#}"
    );
    assert_eq!(trials(&report, "failed"), [""; 0], "{report:#}");
    Ok(())
}

/// What was left behind by a laboratory is found, wherever it was set.
#[tokio::test(flavor = "multi_thread")]
async fn other_endpoints_than_those_of_aws_are_listed_and_named_where_they_fail() -> anyhow::Result<()> {
    let (house, _) = house().await?;
    let settings = house.settings()?;
    let nobody = "http://127.0.0.1:1";
    let report =
        check(&house, &settings, &[("AWS_ENDPOINT_URL", Some(nobody))], &["--json"]).await?.json()?;
    let found = (Some(nobody.to_owned()), "variable AWS_ENDPOINT_URL".to_owned());
    assert_eq!(variable(&report, "AWS_ENDPOINT_URL"), found);
    assert_eq!(trials(&report, "failed"), ["CloudFront", "IAM", "bucket"], "{report:#}");
    let unreachable = report["trials"].as_array().into_iter().flatten().filter(|trial| {
        trial["message"].as_str().is_some_and(|message| message.contains("http://127.0.0.1:1 was called"))
    });
    assert_eq!(unreachable.count(), 4, "{report:#}");
    nothing_is_told_twice(&report)?;

    let aws = house.sandbox.aws().url();
    let prefixed = [("AWS_ENDPOINT_URL", None), ("CDN_AWS_ENDPOINT_URL", Some(aws.as_str()))];
    let report = check(&house, &settings, &prefixed, &["--json"]).await?.json()?;
    assert_eq!(trials(&report, "failed"), [""; 0], "{report:#}");
    assert_eq!(variable(&report, "AWS_ENDPOINT_URL").1, "variable CDN_AWS_ENDPOINT_URL");
    let report =
        check(&house, &settings, &[("AWS_ENDPOINT_URL_IAM", Some(nobody))], &["--json"]).await?.json()?;
    assert_eq!(trials(&report, "failed"), ["IAM"], "{report:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_services_are_read_and_named() -> anyhow::Result<()> {
    let server = sandbox::Postgres::start().await?;
    let url = server.database("bound").await?;
    let (house, settings) = house().await?;
    let services = json!({
        "rds": [{"name": "cdn-db", "tags": ["postgresql"], "credentials": {"uri": url}}],
        "user-provided": [{"name": "secrets", "credentials": {"broker-password": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2"}}],
    })
    .to_string();
    let changes = [
        ("DATABASE_URL", None),
        ("BROKER_PASSWORD", None),
        ("AWS_SECRET_ACCESS_KEY", None),
        ("VCAP_SERVICES", Some(services.as_str())),
    ];
    let printed = check(&house, &settings, &changes, &["--json"]).await?;
    let report = printed.json()?;
    assert_eq!(trials(&report, "failed"), ["CHALLENGE_URL", "CHALLENGE_HOST"], "{report:#}");
    assert_eq!(variable(&report, "DATABASE_URL").1, "service cdn-db");
    let password = (Some("***".to_owned()), "service secrets, broker-password".to_owned());
    assert_eq!(variable(&report, "BROKER_PASSWORD"), password);
    ensure!(!printed.out.contains("hunter2"), "{printed:?}");
    Ok(())
}
