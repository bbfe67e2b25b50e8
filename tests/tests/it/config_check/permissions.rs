//! Every single permission is looked at before it is needed, and nothing is changed for it.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use sandbox::BrokerSettings;
use sandbox::aws::{FaultKind, Outage, Role};
use serde_json::{Value, json};

use super::{check, trials};
use crate::house::{House, program};

const USER: &str = "arn:aws:iam::111111111111:user/sandbox";

/// A sandbox, and a broker in which only what must be is set up.
async fn bare() -> anyhow::Result<(House, BrokerSettings)> {
    let house = House::without_broker(|_| {}).await?;
    let settings = house.settings()?;
    Ok((house, settings))
}

fn deny(house: &House, op: &str) {
    let outage = Outage { op: op.to_owned(), kind: FaultKind::AccessDenied };
    house.sandbox.aws().faults().break_down(outage);
}

/// The actions with this verdict, and what they are done to.
fn actions<'a>(report: &'a Value, verdict: &str) -> Vec<(&'a str, &'a str)> {
    let permissions = report["permissions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let with = permissions.iter().filter(|one| one["verdict"] == verdict);
    with.filter_map(|one| Some((one["action"].as_str()?, one["resource"].as_str()?))).collect()
}

fn trial(report: &Value) -> anyhow::Result<&Value> {
    let trials = report["trials"].as_array().context("no trials")?;
    trials.iter().find(|trial| trial["what"] == "permissions").context("no such trial")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_is_named_before_anybody_needs_it() -> anyhow::Result<()> {
    const DISTRIBUTIONS: &str = "arn:aws:cloudfront::111111111111:distribution/*";
    let (house, settings) = bare().await?;
    let aws = house.sandbox.aws();
    let (before, calls) = (aws.state(), aws.calls());
    for (op, missing) in [
        ("CreateInvalidation", vec![("cloudfront:CreateInvalidation", DISTRIBUTIONS)]),
        // What is refused needs two permissions, and nobody says which of them is missing.
        (
            "CreateDistributionWithTags",
            vec![("cloudfront:CreateDistribution", DISTRIBUTIONS), ("cloudfront:TagResource", DISTRIBUTIONS)],
        ),
        ("CreateOriginAccessControl", vec![("cloudfront:CreateOriginAccessControl", "*")]),
        (
            "*ServerCertificate",
            vec![
                (
                    "iam:DeleteServerCertificate",
                    "arn:aws:iam::111111111111:server-certificate/cloudfront/letsencrypt/*",
                ),
                (
                    "iam:UploadServerCertificate",
                    "arn:aws:iam::111111111111:server-certificate/cloudfront/letsencrypt/*",
                ),
                ("iam:GetServerCertificate", "arn:aws:iam::111111111111:server-certificate/*"),
            ],
        ),
    ] {
        deny(&house, op);
        let printed = check(&house, &settings, &[], &["--json"]).await?;
        let report = printed.json()?;
        ensure!(printed.code == 2 && trials(&report, "failed") == ["permissions"], "{op}: {report:#}");
        assert_eq!(actions(&report, "denied"), missing, "{op}: {report:#}");
        assert_eq!(actions(&report, "unknown"), [], "{op}: {report:#}");
        assert_eq!(report["principal"], USER);
        let trial = trial(&report)?;
        let shown = check(&house, &settings, &[], &[]).await?;
        ensure!(
            shown.code == 2 && shown.out.contains("permissions are missing: grant them to "),
            "{shown:?}"
        );
        for (action, resource) in missing {
            ensure!(trial["message"].to_string().contains(action), "{trial:#}");
            let line = format!("\n  {action} on {resource} (no policy allows it)");
            ensure!(shown.out.contains(&line), "{shown:?}");
        }
        aws.faults().heal();
    }
    // Nothing was changed to find out, except by the trial of the bucket, which has cleaned up.
    assert_eq!(aws.state(), before);
    let changing = ["Create", "Update", "Delete", "Upload", "Tag", "Put", "Change"];
    let changes: BTreeSet<String> = aws.journal().into_iter().skip(calls).map(|entry| entry.op).collect();
    let changes: Vec<&String> =
        changes.iter().filter(|op| changing.iter().any(|word| op.starts_with(word))).collect();
    assert_eq!(changes, ["DeleteObject", "PutObject"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_is_set_up_is_looked_at_and_the_policy_has_all_of_it() -> anyhow::Result<()> {
    let (house, settings) = super::house().await?;
    let log = [("LOG_BUCKET", Some("access-logs"))];
    let whole = check(&house, &settings, &log, &["--json"]).await?.json()?;
    let zone = &house.sandbox.aws().state().hosted_zones[0].id;
    let mut arguments = vec!["aws", "policy", "--json", "--account", "111111111111"];
    arguments.extend(["--bucket", sandbox::BUCKET, "--zone", zone, "--log-bucket", "access-logs"]);
    arguments.extend(["--principal", USER]);
    let printed = std::process::Command::new(program("cdn-broker")?).args(arguments).output()?;
    let policy: Value = serde_json::from_slice(&printed.stdout)?;
    let statements = policy["iam_policy"]["Statement"].as_array().context("no statements")?;
    let mut granted: Vec<(&str, &str)> = Vec::new();
    for statement in statements {
        let resource = statement["Resource"].as_str().unwrap_or_default();
        let actions = statement["Action"].as_array().map(Vec::as_slice).unwrap_or_default();
        granted.extend(actions.iter().filter_map(Value::as_str).map(|action| (action, resource)));
    }
    // The check asks with it, not about it.
    ensure!(granted.contains(&("iam:SimulatePrincipalPolicy", USER)), "{granted:?}");
    granted.retain(|(action, _)| *action != "iam:SimulatePrincipalPolicy");
    assert_eq!(actions(&whole, "allowed"), granted, "{whole:#}");

    deny(&house, "PutBucketAcl");
    deny(&house, "ListResourceRecordSets");
    let bare = check(&house, &house.settings()?, &[], &["--json"]).await?;
    ensure!(bare.code == 0, "what is not set up is not needed: {bare:?}");
    let report = bare.json()?;
    let optional = |action: &str| action.starts_with("route53:") || action.ends_with("BucketAcl");
    let always: Vec<_> = granted.into_iter().filter(|(action, _)| !optional(action)).collect();
    assert_eq!(actions(&report, "allowed"), always);
    let whole = check(&house, &settings, &log, &["--json"]).await?.json()?;
    let missing: Vec<_> = actions(&whole, "denied").into_iter().map(|(action, _)| action).collect();
    assert_eq!(missing, ["route53:ListResourceRecordSets", "s3:PutBucketAcl"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_ask_is_told_what_was_not_checked_and_nothing_has_failed() -> anyhow::Result<()> {
    let (house, settings) = bare().await?;
    for (op, why, cure) in [
        ("SimulatePrincipalPolicy", "AccessDenied", "grant iam:SimulatePrincipalPolicy on "),
        ("GetCallerIdentity", "ask STS who we are", "the broker itself does not need it"),
    ] {
        deny(&house, op);
        // What would be missing is not known, and so it is not said to be there either.
        deny(&house, "CreateInvalidation");
        let printed = check(&house, &settings, &[], &["--json"]).await?;
        let report = printed.json()?;
        ensure!(printed.code == 0 && trials(&report, "unchecked") == ["permissions"], "{op}: {report:#}");
        let trial = trial(&report)?;
        ensure!(trial["message"].to_string().contains(why), "{op}: {trial:#}");
        ensure!(trial["cure"].to_string().contains(cure), "{op}: {trial:#}");
        ensure!(
            actions(&report, "unknown").len() > 15 && actions(&report, "allowed").is_empty(),
            "{report:#}"
        );
        let shown = check(&house, &settings, &[], &[]).await?;
        ensure!(shown.code == 0 && shown.out.contains("\nUNCHECKED  permissions "), "{shown:?}");
        let told =
            ["permissions were not all checked: ", cure, "not checked: ", "cloudfront:CreateInvalidation"];
        ensure!(told.iter().all(|text| shown.out.contains(text)), "{op}: {shown:?}");
        house.sandbox.aws().faults().heal();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_looked_at_as_its_role() -> anyhow::Result<()> {
    let (house, settings) = bare().await?;
    let role = |path: &str| Role { path: path.to_owned(), name: "broker".to_owned() };
    house.sandbox.aws().call_as(role("/cdn/"));
    let report = check(&house, &settings, &[], &["--json"]).await?.json()?;
    assert_eq!(report["principal"], "arn:aws:iam::111111111111:role/cdn/broker");
    assert_eq!(trials(&report, "unchecked"), [""; 0], "{report:#}");

    // Nobody tells the path.
    deny(&house, "GetRole");
    let printed = check(&house, &settings, &[], &["--json"]).await?;
    let report = printed.json()?;
    ensure!(printed.code == 0 && trials(&report, "unchecked") == ["permissions"], "{report:#}");
    ensure!(trial(&report)?["cure"].to_string().contains("iam:GetRole"), "{report:#}");

    // It has none.
    house.sandbox.aws().call_as(role("/"));
    deny(&house, "CreateInvalidation");
    let report = check(&house, &settings, &[], &["--json"]).await?.json()?;
    assert_eq!(report["principal"], "arn:aws:iam::111111111111:role/broker");
    let missing: Vec<_> = actions(&report, "denied").into_iter().map(|(action, _)| action).collect();
    assert_eq!(missing, ["cloudfront:CreateInvalidation"]);
    assert_eq!(report["mistakes"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_policy_is_for_one_user_or_role() -> anyhow::Result<()> {
    let mut arguments = vec!["aws", "policy", "--account", "111111111111", "--bucket", "b", "--principal"];
    arguments.push("arn:aws:iam::111111111111:role/*");
    let refused = std::process::Command::new(program("cdn-broker")?).args(arguments).output()?;
    ensure!(refused.status.code() == Some(64) && refused.stdout.is_empty(), "{refused:?}");
    ensure!(String::from_utf8(refused.stderr)?.contains("is not a user or role of the account"));
    Ok(())
}
