//! Something of a live instance is lost, and an operator brings it back with one command. Its owner does nothing, and the
//! authority is not asked.

use std::time::Duration;

use anyhow::{Context, ensure};
use cloudfront_core::Endpoint;
use contract::{Cdn, CertificateVault, DistributionId, DomainName, Secret, VaultName, durable_label};
use http::Method;
use sandbox::{BUCKET, BrokerSettings, MANAGED_ZONE, Proofs, wait_for};
use serde_json::{Value, json};

use crate::house::{
    BOUND, House, Printed, SERVICE_ID, issued, names_never_without_certificate, nothing_left,
};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000011";
const OTHER: &str = "3f1c9a52-0000-4000-8000-000000000012";
const DOMAIN: &str = "www.example.gov";

/// A live instance whose domain is a managed name, and an operator beside its broker.
struct Scene {
    house: House,
    settings: BrokerSettings,
}

impl Scene {
    async fn start() -> anyhow::Result<Self> {
        let mut house = House::without_broker(|settings| {
            settings.aws.route53_sync = Duration::from_millis(200);
        })
        .await?;
        let mut settings = house.hasty_settings("45s")?;
        settings.proofs = Proofs::ALL;
        house.add_broker(&settings).await?;
        let label = durable_label("org-1", &DomainName::parse(DOMAIN)?);
        house.sandbox.dns().set_cname(DOMAIN, &format!("{label}.{MANAGED_ZONE}"))?;
        ensure!(house.provision(ID, json!({"domain": DOMAIN})).await?.status == 202);
        house.until_succeeded(ID).await?;
        let scene = Self { house, settings };
        scene.served().await?;
        Ok(scene)
    }

    async fn instances(&self, arguments: &[&str]) -> anyhow::Result<Printed> {
        let arguments: Vec<&str> = std::iter::once("instances").chain(arguments.iter().copied()).collect();
        self.house.command(&self.settings, &arguments).await
    }

    async fn story(&self) -> anyhow::Result<Value> {
        self.instances(&["show", ID, "--json"]).await?.json()
    }

    async fn served(&self) -> anyhow::Result<()> {
        wait_for("the site to be served over HTTPS", BOUND, || async {
            Ok(self.house.sandbox.visit(DOMAIN, "/").await.ok().filter(|visit| visit.status == 200).map(drop))
        })
        .await
        .with_context(|| self.house.last_words())
    }

    async fn down(&self) -> anyhow::Result<()> {
        let visit = self.house.sandbox.visit(DOMAIN, "/").await;
        ensure!(visit.as_ref().map_or(true, |visit| visit.status != 200), "{visit:?}");
        Ok(())
    }

    /// Somebody with the console of the account.
    async fn by_hand(&self) -> cloudfront_core::Aws {
        let endpoint = Endpoint {
            url: self.house.sandbox.aws().url(),
            access_key_id: "AKIASOMEBODY".to_owned(),
            secret_access_key: Secret::new("secret"),
        };
        let settings = cloudfront_core::AwsSettings {
            endpoint: Some(endpoint),
            ..cloudfront_core::AwsSettings::new(BUCKET)
        };
        cloudfront_core::connect(&settings).await
    }

    async fn delete_distribution(&self) -> anyhow::Result<()> {
        let cdn = self.by_hand().await.cdn;
        let id = DistributionId::new(&self.house.sandbox.aws().state().distributions[0].id);
        cdn.disable(&id).await?;
        wait_for("the distribution to be deleted", BOUND, || async { Ok(cdn.remove(&id).await.ok()) }).await
    }

    async fn delete_certificate(&self) -> anyhow::Result<()> {
        let vault = self.by_hand().await.vault;
        let name = VaultName::new(&self.house.sandbox.aws().state().certificates[0].name);
        wait_for("the certificate to be deleted", BOUND, || async { Ok(vault.remove(&name).await.ok()) })
            .await
    }

    /// How often the authority was asked for anything.
    fn asked(&self) -> usize {
        self.house.sandbox.authority().gate().requests().len()
    }

    /// The user does not come for the name that an update adds, and wants to do something else.
    async fn ends_a_stuck_update(&self) -> anyhow::Result<()> {
        let body = json!({"service_id": SERVICE_ID, "parameters": {"domains": [DOMAIN, "new.example.gov"]}});
        let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
        let accepted = self.house.call(Method::PATCH, &path, Some(&body)).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        self.house.records(ID, 1).await?;
        let ended = self.instances(&["cancel", "--yes", ID]).await?;
        ensure!(ended.code == 0 && ended.out.contains("is ended"), "{ended:?}");
        let polled = self.house.poll(ID).await?;
        ensure!(polled.text("state") == "failed" && polled.body["instance_usable"] == true, "{polled:?}");
        self.served().await
    }

    /// One distribution under one certificate serves the name, and the broker says the same.
    async fn one_of_each(&self) -> anyhow::Result<()> {
        let state = self.house.sandbox.aws().state();
        let ([distribution], [certificate]) = (&state.distributions[..], &state.certificates[..]) else {
            anyhow::bail!("{state:#?}")
        };
        ensure!(distribution.names == [DOMAIN] && distribution.enabled, "{distribution:?}");
        ensure!(distribution.certificate_id.as_ref() == Some(&certificate.id), "{state:#?}");
        let story = self.story().await?;
        ensure!(story["state"] == "ready" && story["distribution"] == *distribution.id, "{story:#}");
        ensure!(story["distribution_domain"] == *distribution.domain, "{story:#}");
        // What its user reads.
        let look = json!({"service_id": SERVICE_ID, "parameters": {}});
        let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
        let look = self.house.call(Method::PATCH, &path, Some(&look)).await?;
        ensure!(look.text("description").contains(&distribution.domain), "{look:?}");
        names_never_without_certificate(&self.house)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_rebuilt_from_the_store_alone() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    let asked = scene.asked();

    // Nothing is lost: nothing is done.
    let told = scene.instances(&["recreate", ID]).await?;
    ensure!(told.code == 0 && told.out.contains("is ready"), "{told:?}");
    ensure!(scene.house.successes("UpdateDistribution") == 1, "one update, when it was created");

    scene.delete_distribution().await?;
    scene.down().await?;
    let told = scene.instances(&["recreate", ID]).await?;
    ensure!(told.code == 0 && told.out.contains("is ready"), "{told:?}");
    for step in ["find-distribution", "create-distribution", "attach-certificate", "point-names"] {
        ensure!(told.err.contains(&format!("{step} done")), "{step} is not in:\n{}", told.err);
    }
    scene.served().await?;
    scene.one_of_each().await?;
    ensure!(scene.house.successes("UploadServerCertificate") == 1);

    scene.delete_distribution().await?;
    scene.delete_certificate().await?;
    let told = scene.instances(&["recreate", ID, "--json"]).await?;
    ensure!(told.code == 0 && told.json()?["outcome"] == "succeeded", "{told:?}");
    scene.served().await?;
    scene.one_of_each().await?;

    // The account is replaced, and the distribution of the old one, which nobody can reach, still holds the name.
    scene.house.sandbox.aws().hold_elsewhere(DOMAIN);
    scene.house.sandbox.aws().lose_account();
    let begun = scene.instances(&["recreate", ID, "--no-wait", "--json"]).await?;
    ensure!(begun.json()?["outcome"] == "begun", "{begun:?}");
    wait_for("the name to be waited for", BOUND, || async {
        let story = scene.story().await?;
        Ok(story["operations"][0]["error"]
            .as_str()
            .is_some_and(|error| error.contains("CNAMEAlreadyExists"))
            .then_some(()))
    })
    .await?;
    scene.house.sandbox.aws().let_go_elsewhere(DOMAIN);
    let told = scene.instances(&["recreate", ID]).await?;
    ensure!(told.code == 0 && told.err.contains("is underway"), "{told:?}");
    scene.served().await?;
    scene.one_of_each().await?;

    assert_eq!(scene.asked(), asked, "the authority was asked");
    assert_eq!(issued(&scene.house)?, 1);
    assert_eq!(scene.house.successes("UploadServerCertificate"), 3);
    assert_eq!(scene.house.deprovision(ID).await?.status, 202);
    scene.house.until_succeeded(ID).await?;
    nothing_left(&scene.house.sandbox.aws().state())
}

/// What the operator reads, in tables and in JSON, of an instance that serves and of one that waits for its user.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_how_instances_stand_and_acts_on_them() -> anyhow::Result<()> {
    let scene = Scene::start().await?;
    ensure!(
        scene.house.provision(OTHER, json!({"domain": "a.example.gov,b.example.gov"})).await?.status == 202
    );
    scene.house.records(OTHER, 2).await?;

    let list = scene.instances(&["list"]).await?;
    let lines: Vec<&str> = list.out.lines().collect();
    ensure!(lines.len() == 3 && lines[0].starts_with("ID ") && lines[1].starts_with(ID), "{list:?}");
    ensure!(lines[2].contains("provisioning") && lines[2].ends_with("a.example.gov and 1 more"), "{list:?}");
    let list = scene.instances(&["list", "--json", "--state", "ready"]).await?;
    ensure!(list.json()?["domains"] == json!([DOMAIN]), "{list:?}");

    let show = scene.instances(&["show", ID]).await?;
    let serial = scene.story().await?["certificates"][0]["serial"].as_str().context("no serial")?.to_owned();
    for part in
        ["ready", "proven: managed-name", "The certificate is good until", "await-deployment", &serial]
    {
        ensure!(show.out.contains(part), "{part} is not in:\n{}", show.out);
    }
    ensure!(!show.out.contains("PRIVATE KEY") && !scene.story().await?.to_string().contains("PRIVATE KEY"));
    let waits = scene.instances(&["show", OTHER]).await?;
    for part in
        ["provisioning", "_acme-challenge.a.example.gov. 60 IN TXT", "obtain-certificate", "given up on"]
    {
        ensure!(waits.out.contains(part), "{part} is not in:\n{}", waits.out);
    }
    let refused = scene.instances(&["recreate", OTHER]).await?;
    ensure!(refused.code == 1 && refused.err.contains("the provision of instance"), "{refused:?}");
    let unknown = scene.instances(&["show", "nobody"]).await?;
    ensure!(unknown.code == 1 && unknown.err.contains("there is no service instance nobody"), "{unknown:?}");
    let wrong = scene.instances(&["list", "--state", "broken"]).await?;
    ensure!(wrong.code == 64 && wrong.err.contains("provision-failed"), "{wrong:?}");

    let retry = scene.instances(&["retry", ID, "--json"]).await?;
    ensure!(retry.code == 1 && retry.json()?["outcome"] == "refused", "{retry:?}");
    scene.ends_a_stuck_update().await?;
    let renewed = scene.instances(&["renew", ID]).await?;
    ensure!(renewed.code == 0, "{renewed:?}");
    scene.served().await?;
    assert_eq!(issued(&scene.house)?, 2);
    let history = scene.instances(&["history", ID, "--json"]).await?.json()?;
    ensure!(history["operations"][0]["kind"] == "renew" && history["operations"][1]["kind"] == "update");
    ensure!(
        history["operations"][0]["history"].as_array().is_some_and(|lines| lines.len() >= 6),
        "{history:#}"
    );
    // What was ended by hand can be taken up again.
    let resumed = scene.instances(&["retry", ID, "--no-wait", "--json"]).await?;
    ensure!(resumed.code == 0 && resumed.json()?["operation"]["kind"] == "update", "{resumed:?}");
    ensure!(scene.instances(&["cancel", "--yes", ID]).await?.code == 0);
    Ok(())
}
