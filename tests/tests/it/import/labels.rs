//! What users of `external-domain-broker` have set once and for ever goes on proving their domains, and nobody else's.

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{MANAGED_ZONE, Proofs, wait_for};
use serde_json::json;

use super::old_world::{ORGANIZATION, Old, OldWorld, SPACE, entry};
use super::others::{EXTERNAL_DOMAIN, EXTERNAL_PLAN, EXTERNAL_SERVICE};
use crate::house::{BOUND, names_never_without_certificate};

const FROM: &str = "external-domain-broker";
const ID: &str = "0f1c0a52-0000-4000-8000-000000000001";
const OTHER: &str = "0f1c0a52-0000-4000-8000-000000000002";
const LATER: &str = "0f1c0a52-0000-4000-8000-000000000003";
const NAME: &str = "behind.example.gov";

/// What that broker had its users set.
fn delegate(world: &OldWorld, name: &str) -> anyhow::Result<()> {
    let dns = world.house.sandbox.dns();
    dns.set_cname(&format!("_acme-challenge.{name}"), &format!("_acme-challenge.{name}.{MANAGED_ZONE}"))
}

/// An organization asks for a domain, and reads that the record there is none of its own.
async fn proves_nothing_for(
    world: &OldWorld,
    organization: &str,
    id: &str,
    name: &str,
) -> anyhow::Result<()> {
    let before = changes(world, name);
    let body = json!({
        "service_id": EXTERNAL_SERVICE, "plan_id": EXTERNAL_PLAN, "organization_guid": organization,
        "space_guid": SPACE, "parameters": {"domain": name},
    });
    let path = format!("/v2/service_instances/{id}?accepts_incomplete=true");
    let accepted = world.house.call(Method::PUT, &path, Some(&body)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let old = format!("leads to `_acme-challenge.{name}.{MANAGED_ZONE}`, which is somebody else's");
    wait_for("the user to be told", BOUND, || async {
        let polled = world.house.poll(id).await?;
        ensure!(polled.text("state") == "in progress", "{polled:?}");
        Ok(polled.text("description").contains(&old).then_some(()))
    })
    .await?;
    ensure!(changes(world, name) == before, "something was put where somebody else's record leads");
    Ok(())
}

/// How often something was changed at the old place of a name.
fn changes(world: &OldWorld, name: &str) -> usize {
    let place = format!("_acme-challenge.{name}.{MANAGED_ZONE}");
    let journal = world.house.sandbox.aws().journal();
    journal.iter().flat_map(|entry| &entry.changes).filter(|change| change.contains(&place)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_labels_prove_the_domains_that_were_brought_along_and_no_others() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(ID, &[NAME])).await?;
    world.offer_external()?;
    world.settings.proofs = Proofs { managed_zone: true, ..Proofs::default() };
    // Another cache stands before the distribution: nothing can be proven over HTTP.
    world.house.sandbox.dns().set_cname(NAME, "cache.example.net")?;
    delegate(&world, NAME)?;
    let planned = world.import(FROM, &["--plan", "--json"]).await?.json()?;
    ensure!(entry(&planned, ID)?["names"][0]["proven_by_itself"] == "delegated", "{planned}");
    let applied = world.import(FROM, &["--apply", "--json"]).await?;
    ensure!(applied.code == 0, "{applied:?}");
    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    goes_on(&world).await.with_context(|| world.house.last_words())
}

async fn goes_on(world: &OldWorld) -> anyhow::Result<()> {
    let house = &world.house;
    let renewed = house.command(&world.settings, &["instances", "renew", ID]).await?;
    ensure!(renewed.code == 0 && changes(world, NAME) > 0, "{renewed:?}");
    let kept = house.sandbox.aws().state().certificates;
    ensure!(kept.len() == 1 && kept[0].name == format!("cdn-{ID}-1-2"), "{kept:?}");
    let path = format!("/v2/service_instances/{ID}?accepts_incomplete=true");
    let look = json!({"service_id": EXTERNAL_SERVICE, "plan_id": EXTERNAL_PLAN, "parameters": {}});
    let looked = house.call(Method::PATCH, &path, Some(&look)).await?;
    ensure!(looked.status == 200, "{looked:?}");

    // A domain that was never brought along; and the same one, when it was given back.
    delegate(world, "other.example.gov")?;
    proves_nothing_for(world, "another-organization", OTHER, "other.example.gov").await?;
    let path = format!("{path}&service_id={EXTERNAL_SERVICE}&plan_id={EXTERNAL_PLAN}");
    ensure!(house.call(Method::DELETE, &path, None).await?.status == 202);
    house.until_succeeded(ID).await?;
    proves_nothing_for(world, ORGANIZATION, LATER, NAME).await?;
    names_never_without_certificate(house)
}
