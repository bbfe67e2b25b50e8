//! `cdn-broker reconcile` beside a broker that serves: what was changed by hand comes back, what was left behind goes, and what
//! another broker has made in the same account is not touched.

use std::time::Duration;

use anyhow::{Context, ensure};
use cloudfront_core::{AwsSettings, Endpoint, ZoneSettings};
use contract::testing::sample;
use contract::{
    Cdn, CertificateBundle, CertificateVault, ChallengeSite, InstanceId, ManagedZone, Reference, Secret,
    Timestamp, VaultName,
};
use http::Request;
use http_body_util::Full;
use sandbox::aws::{DistributionState, FaultKind, Outage};
use sandbox::pki::Ca;
use sandbox::{BUCKET, BrokerSettings, Client, DEFAULT_ORIGIN, MANAGED_ZONE, OWN_ORIGIN, Proofs, wait_for};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::house::{BOUND, House, program};

const ID: &str = "3d0f7f86-8f4b-4c2f-8a5e-000000000001";
const TWICE: &str = "3d0f7f86-8f4b-4c2f-8a5e-000000000002";
/// An instance of another environment, whose broker has the same account, bucket, path and zone.
const THEIRS: &str = "7b1d0000-0000-4000-8000-000000000009";

/// What the command said, and its exit code.
struct Said {
    code: Option<i32>,
    report: Value,
    complaint: String,
}

impl Said {
    /// The findings, each as its kind, what it is and which one.
    fn findings(&self, list: &str) -> Vec<String> {
        let all = self.report[list].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|one| format!("{} {} {}", text(one, "kind"), text(one, "what"), text(one, "id")))
            .collect()
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

async fn reconcile(house: &House, settings: &BrokerSettings, arguments: &[&str]) -> anyhow::Result<Said> {
    let mut command = Command::new(program("cdn-broker")?);
    command.arg("reconcile").arg("--json").args(arguments).env_clear();
    let output = command.envs(house.sandbox.broker_environment(settings)).kill_on_drop(true).output().await?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).with_context(|| complaint.clone())?;
    Ok(Said { code: output.status.code(), report, complaint })
}

/// The same as a person reads it.
async fn for_people(house: &House, settings: &BrokerSettings) -> anyhow::Result<String> {
    let mut command = Command::new(program("cdn-broker")?);
    command.arg("reconcile").env_clear().envs(house.sandbox.broker_environment(settings));
    let output = command.kill_on_drop(true).output().await?;
    Ok(String::from_utf8(output.stdout)?)
}

/// The account as its owner's hand has it.
pub(crate) async fn by_hand(house: &House) -> cloudfront_core::Aws {
    cloudfront_core::connect(&AwsSettings {
        endpoint: Some(Endpoint {
            url: house.sandbox.aws().url(),
            access_key_id: "AKIDSANDBOX".to_owned(),
            secret_access_key: Secret::new("sandbox"),
        }),
        managed_zone: Some(ZoneSettings {
            name: MANAGED_ZONE.to_owned(),
            id: house.sandbox.managed_zone().to_owned(),
        }),
        ..AwsSettings::new(BUCKET)
    })
    .await
}

/// Replaces a text in the configuration of a distribution, as somebody does at the console.
async fn edit(house: &House, id: &str, from: &str, to: &str) -> anyhow::Result<()> {
    rewrite(house, id, |config| {
        ensure!(config.contains(from), "{from} is not in {config}");
        Ok(config.replacen(from, to, 1))
    })
    .await
}

/// Puts another configuration in the place of a distribution's.
pub(crate) async fn rewrite(
    house: &House,
    id: &str,
    change: impl FnOnce(&str) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDSANDBOX/20260101/us-east-1/cloudfront/aws4_request";
    let url = format!("{}/2020-05-31/distribution/{id}/config", house.sandbox.aws().url());
    let client = Client::trusting("")?;
    let get = Request::get(&url).header("authorization", scope).body(Full::default())?;
    let read = client.send(get).await?;
    let tag = read.headers().get("etag").context("a version was expected")?;
    let config = change(std::str::from_utf8(read.body())?)?;
    let put = Request::put(&url).header("authorization", scope).header("if-match", tag);
    let written = client.send(put.body(Full::from(config))?).await?;
    ensure!(written.status() == 200, "{written:?}");
    Ok(())
}

pub(crate) fn bundle(authority: &Ca, name: &str) -> anyhow::Result<CertificateBundle> {
    let signed = authority.server_certificate(&[name])?;
    Ok(CertificateBundle {
        leaf_pem: signed.chain_pem,
        chain_pem: String::new(),
        private_key_pem: Secret::new(signed.key_pem),
        ..sample::bundle(1, &sample::names(&[name]), Timestamp::default())
    })
}

fn distribution_of(house: &House, reference: &str) -> anyhow::Result<DistributionState> {
    let found = house.sandbox.aws().state().distributions.into_iter().find(|one| one.reference == reference);
    found.with_context(|| format!("there is no distribution {reference}"))
}

/// Every call so far that changes something.
fn writes(house: &House) -> usize {
    let reads = |op: &str| op.starts_with("List") || op.starts_with("Get");
    house.sandbox.aws().journal().iter().filter(|entry| !reads(&entry.op)).count()
}

async fn provisioned(house: &House, id: &str, domain: &str) -> anyhow::Result<()> {
    let accepted = house.provision(id, json!({"domain": domain})).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    // Pebble reuses one authorization in a hundred even where it is told to reuse none. Then there is nothing to prove.
    let proven = house.prove(id, 1).await;
    house.until_succeeded(id).await.with_context(|| format!("{proven:?}"))?;
    Ok(())
}

/// What this store has made for the first life of an instance, in its second.
async fn leave_behind(aws: &cloudfront_core::Aws, authority: &Ca) -> anyhow::Result<()> {
    let spec = sample::spec(&InstanceId::new(TWICE), None);
    aws.cdn.ensure(&Reference::new(format!("cdn-{TWICE}-1.2")), &spec).await?;
    let name = VaultName::new(format!("cdn-{TWICE}-1-1"));
    aws.vault.ensure(&name, &bundle(authority, "twice.example.gov")?).await?;
    Ok(())
}

/// What a broker of another environment has made, in the same forms.
async fn of_others(aws: &cloudfront_core::Aws, authority: &Ca) -> anyhow::Result<()> {
    let spec = sample::spec(&InstanceId::new(THEIRS), None);
    aws.cdn.ensure(&Reference::new(format!("cdn-{THEIRS}-1")), &spec).await?;
    let name = VaultName::new(format!("cdn-{THEIRS}-1-1"));
    aws.vault.ensure(&name, &bundle(authority, "theirs.example.gov")?).await?;
    aws.site.present(&InstanceId::new(THEIRS), "token", "answer").await?;
    Ok(())
}

/// A house in which all of that has happened two days ago.
struct Scene {
    house: House,
    settings: BrokerSettings,
    /// The distribution that was changed by hand.
    own: String,
    /// The record that was deleted by hand, absolute.
    owner: String,
    left: String,
    theirs: String,
}

impl Scene {
    async fn set() -> anyhow::Result<Self> {
        let (house, settings) = serving().await?;
        let (aws, authority) = (by_hand(&house).await, Ca::new("Somebody")?);
        let own = distribution_of(&house, &format!("cdn-{ID}-1"))?.id;
        edit(&house, &own, DEFAULT_ORIGIN, OWN_ORIGIN).await?;
        let label = contract::durable_label("org-1", &sample::name("www.example.gov"));
        let owner = format!("{label}.{MANAGED_ZONE}.");
        aws.zone.as_ref().context("a zone")?.release(&owner).await?;
        leave_behind(&aws, &authority).await?;
        of_others(&aws, &authority).await?;
        house.sandbox.aws().make_older(Duration::from_hours(48));
        let left = distribution_of(&house, &format!("cdn-{TWICE}-1.2"))?.id;
        let theirs = distribution_of(&house, &format!("cdn-{THEIRS}-1"))?.id;
        Ok(Self { house, settings, own, owner, left, theirs })
    }

    fn differences(&self) -> [String; 4] {
        [
            format!("drift distribution {}", self.own),
            format!("missing record {}", self.owner),
            format!("orphan certificate cdn-{TWICE}-1-1"),
            format!("orphan distribution {}", self.left),
        ]
    }

    fn of_others(&self) -> [String; 3] {
        [
            format!("unknown distribution {}", self.theirs),
            format!("unknown certificate cdn-{THEIRS}-1-1"),
            format!("unknown folder {THEIRS}"),
        ]
    }

    /// Whether what was changed by hand is as it was.
    fn is_brought_back(&self) -> anyhow::Result<bool> {
        let is_back = distribution_of(&self.house, &format!("cdn-{ID}-1"))?.origin == DEFAULT_ORIGIN;
        let zones = self.house.sandbox.aws().state().hosted_zones;
        let mut records = zones.iter().flat_map(|zone| &zone.records);
        Ok(is_back && records.any(|record| record.name == self.owner.trim_end_matches('.')))
    }
}

/// One instance in its first life and one in its second, and nothing that differs.
async fn serving() -> anyhow::Result<(House, BrokerSettings)> {
    let mut house = House::without_broker(|settings| {
        settings.aws.route53_sync = Duration::from_millis(200);
        // The second life is proven as the first one is.
        settings.authority.authorization_reuse_percent = 0;
    })
    .await?;
    let settings = BrokerSettings { proofs: Proofs::ALL, ..house.hasty_settings("5s")? };
    house.add_broker(&settings).await?;
    provisioned(&house, ID, "www.example.gov").await?;
    provisioned(&house, TWICE, "twice.example.gov").await?;
    house.deprovision(TWICE).await?;
    house.until_succeeded(TWICE).await?;
    provisioned(&house, TWICE, "twice.example.gov").await?;
    let said = reconcile(&house, &settings, &[]).await?;
    ensure!(said.code == Some(0), "{}\n{}", said.report, said.complaint);
    ensure!(said.report["looked_at"]["distributions"] == 2, "{}", said.report);
    Ok((house, settings))
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_found_and_mended_and_what_is_anothers_stays() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let Scene { house, settings, left, .. } = &scene;
    let said = reconcile(house, settings, &[]).await?;
    ensure!(said.findings("findings") == scene.differences(), "{}\n{}", said.report, said.complaint);
    ensure!(said.findings("unknown") == scene.of_others(), "{}", said.report);
    ensure!(said.code == Some(2), "{:?}", said.code);
    let shown = for_people(house, settings).await?;
    ensure!(shown.contains(&format!("distribution {left} of instance {TWICE}, known since ")), "{shown}");
    let looked_at = "4 found. Looked at: instances 2, distributions 4, certificates 4, folders 1, records 1.";
    ensure!(shown.contains(looked_at), "{shown}");

    nothing_is_done_on_a_partial_list(house, settings).await?;
    let fixed = reconcile(house, settings, &["--fix", "--yes"]).await?;
    ensure!(fixed.findings("findings") == scene.differences() && fixed.code == Some(2), "{}", fixed.report);
    // What is being worked on is not spoken of, so what there is says when it is done.
    let mended =
        wait_for("the drift to be mended", BOUND, || async { Ok(scene.is_brought_back()?.then_some(())) });
    mended.await.with_context(|| house.last_words())?;
    wait_for("the orphan to go", BOUND, || async {
        Ok((reconcile(house, settings, &["--fix", "--yes"]).await?.code == Some(0)).then_some(()))
    })
    .await?;
    only_the_others_are_left(house)
}

/// Of everything that is not this store's own instances'.
fn only_the_others_are_left(house: &House) -> anyhow::Result<()> {
    let state = house.sandbox.aws().state();
    ensure!(state.distributions.len() == 3, "{:?}", state.distributions);
    ensure!(distribution_of(house, &format!("cdn-{THEIRS}-1"))?.enabled);
    let kept: Vec<&str> = state.certificates.iter().map(|one| one.name.as_str()).collect();
    ensure!(kept.contains(&&*format!("cdn-{THEIRS}-1-1")) && kept.len() == 3, "{kept:?}");
    Ok(())
}

/// Whoever may not list the certificates might take every one of them for gone, or for nobody's.
async fn nothing_is_done_on_a_partial_list(house: &House, settings: &BrokerSettings) -> anyhow::Result<()> {
    for (op, list) in [
        ("ListDistributions", "distributions"),
        ("ListServerCertificates", "certificates"),
        ("ListObjectsV2", "folders"),
        ("ListResourceRecordSets", "records"),
    ] {
        let before = writes(house);
        house.sandbox.aws().faults().break_down(Outage { op: op.to_owned(), kind: FaultKind::AccessDenied });
        let said = reconcile(house, settings, &["--fix", "--yes"]).await?;
        house.sandbox.aws().faults().heal();
        ensure!(said.code == Some(1), "{op}: {:?} {}", said.code, said.report);
        ensure!(said.complaint.contains("was not read to its end"), "{op}: {}", said.complaint);
        let unread = said.report["unread"].as_array().cloned().unwrap_or_default();
        ensure!(unread.iter().any(|unread| unread["list"] == list), "{op}: {}", said.report);
        ensure!(writes(house) == before, "{op}: something was changed");
    }
    // Calls that were refused are turned away for a while, before the next one tries.
    wait_for("all lists to be read again", BOUND, || async {
        Ok((reconcile(house, settings, &[]).await?.code == Some(2)).then_some(()))
    })
    .await?;
    Ok(())
}
