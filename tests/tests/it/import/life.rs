//! After the import: `cf service`, `cf update-service` and `cf delete-service`, on an instance of each of the three.

use anyhow::{Context, ensure};
use http::Method;
use serde_json::{Value, json};

use super::old_world::{CF_CDN, ORGANIZATION, Old, OldWorld, SPACE};
use super::others::{EXTERNAL_DOMAIN, EXTERNAL_PLAN, EXTERNAL_SERVICE, PAAS_CDN};
use crate::house::{Answer, PLAN_ID, SERVICE_ID, names_never_without_certificate, nothing_left};

const ID: &str = "1f1c0a52-0000-4000-8000-000000000001";
const NAMES: [&str; 2] = ["www.example.gov", "docs.example.gov"];

/// What the platform knows an adopted instance by.
struct Adopted {
    world: OldWorld,
    service: &'static str,
    plan: &'static str,
}

impl Adopted {
    async fn update(&self, parameters: &Value) -> anyhow::Result<Answer> {
        let context = json!({"organization_guid": ORGANIZATION, "space_guid": SPACE});
        let body = json!({
            "service_id": self.service, "plan_id": self.plan, "parameters": parameters, "context": context,
            "previous_values": {"organization_id": ORGANIZATION, "space_id": SPACE, "plan_id": self.plan},
        });
        let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
        self.world.house.call(Method::PATCH, &path, Some(&body)).await
    }

    /// What `cf service` shows of it.
    async fn looks_as_before(&self) -> anyhow::Result<()> {
        let house = &self.world.house;
        let fetched = house.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
        ensure!(fetched.status == 200 && fetched.body["plan_id"] == self.plan, "{fetched:?}");
        ensure!(fetched.body["parameters"]["domain"] == NAMES.join(","), "{fetched:?}");
        ensure!(house.poll(ID).await?.text("state") == "succeeded");
        let looked = self.update(&json!({})).await?;
        ensure!(looked.status == 200 && looked.text("description").contains(NAMES[0]), "{looked:?}");
        Ok(())
    }

    /// A setting is changed under the certificate that is there; then a name leaves.
    async fn changes(&self) -> anyhow::Result<()> {
        let house = &self.world.house;
        for parameters in [json!({"path": "/app"}), json!({"domain": NAMES[0]})] {
            let accepted = self.update(&parameters).await?;
            ensure!(accepted.status == 202, "{accepted:?}");
            house.until_succeeded(ID).await?;
        }
        let fetched = house.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
        let parameters = &fetched.body["parameters"];
        ensure!(parameters["path"] == "/app" && parameters["domain"] == NAMES[0], "{fetched:?}");
        let served = &house.sandbox.aws().state().distributions[0].names;
        ensure!(*served == [NAMES[0]], "{served:?}");
        Ok(())
    }

    async fn is_deleted(&self) -> anyhow::Result<()> {
        let house = &self.world.house;
        let (service, plan) = (self.service, self.plan);
        let path =
            format!("/v2/service_instances/{ID}?accepts_incomplete=true&service_id={service}&plan_id={plan}");
        let accepted = house.call(Method::DELETE, &path, None).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        house.until_succeeded(ID).await?;
        nothing_left(&house.sandbox.aws().state())
    }

    async fn lives_and_dies(mut self, from: &str) -> anyhow::Result<()> {
        let applied = self.world.import(from, &["--apply", "--json"]).await?;
        ensure!(applied.code == 0, "{applied:?}");
        let settings = self.world.settings.clone();
        self.world.house.add_broker(&settings).await?;
        let life = async {
            self.looks_as_before().await?;
            self.changes().await?;
            self.is_deleted().await
        };
        life.await.with_context(|| self.world.house.last_words())?;
        // What was looked at, changed and deleted since is not forgotten, nor brought back.
        let again = self.world.import(from, &["--apply", "--json"]).await?.json()?;
        ensure!(again["counts"] == json!({"already-adopted": 1}), "{again}");
        // Of certificates the journal knows those of IAM only.
        if from == "paas-cdn-broker" { Ok(()) } else { names_never_without_certificate(&self.world.house) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_cf_cdn_service_broker() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    world.route(&Old::new(ID, &NAMES)).await?;
    let adopted = Adopted { world, service: SERVICE_ID, plan: PLAN_ID };
    adopted.lives_and_dies("cf-cdn-service-broker").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_paas_cdn_broker() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(PAAS_CDN).await?;
    world.paas_route(&Old::new(ID, &NAMES)).await?;
    let adopted = Adopted { world, service: SERVICE_ID, plan: PLAN_ID };
    adopted.lives_and_dies("paas-cdn-broker").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_external_domain_broker() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(ID, &NAMES)).await?;
    world.offer_external()?;
    let adopted = Adopted { world, service: EXTERNAL_SERVICE, plan: EXTERNAL_PLAN };
    adopted.lives_and_dies("external-domain-broker").await
}
