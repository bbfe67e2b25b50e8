//! From `cf-cdn-service-broker`, from the plan to the day on which the last of it is gone.

use anyhow::{Context, ensure};
use http::Method;
use sandbox::wait_for;
use serde_json::{Value, json};

use super::old_world::{CF_CDN, DATABASE, ORGANIZATION, Old, OldWorld, SPACE, entry};
use crate::house::{BOUND, PLAN_ID, SERVICE_ID, names_never_without_certificate, nothing_left};
use crate::manners::schemas::Comparison;

const FROM: &str = "cf-cdn-service-broker";
const SITE: &str = "5f1c0a52-0000-4000-8000-000000000001";
const QUIET: &str = "5f1c0a52-0000-4000-8000-000000000002";
const DELETED: &str = "5f1c0a52-0000-4000-8000-000000000003";
const STUCK: &str = "5f1c0a52-0000-4000-8000-000000000004";
const NEW: &str = "5f1c0a52-0000-4000-8000-000000000005";
const LEAVING: &str = "5f1c0a52-0000-4000-8000-000000000006";

/// Two that serve, one of them with settings of its own; one that was deleted; one whose update hangs; one that has never
/// served; one that is being deleted.
async fn scene() -> anyhow::Result<OldWorld> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    let site = Old {
        headers: &["Accept", "Host"],
        cookies: "none",
        ..Old::new(SITE, &["www.example.gov", "docs.example.gov"])
    };
    world.route(&site).await?;
    world.route(&Old::new(QUIET, &["quiet.example.gov"])).await?;
    world.row(DELETED, "deprovisioned", "gone.example.gov", "EGONE", None).await?;
    world.route(&Old::new(STUCK, &["stuck.example.gov"])).await?;
    let hangs = format!(
        "UPDATE routes SET state = 'provisioning', domain_external = 'stuck.example.gov, more.example.gov' \
         WHERE instance_id = '{STUCK}'"
    );
    world.postgres.ask(DATABASE, &hangs).await?;
    world.row(NEW, "provisioning", "new.example.gov", "", None).await?;
    world.row(LEAVING, "deprovisioning", "leaving.example.gov", "ELEAVING", None).await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_adopted_and_live_on_as_our_own() -> anyhow::Result<()> {
    let mut world = Box::pin(scene()).await?;
    let before = world.at_rest().await?;
    the_plan_says_what_becomes_of_each(&world).await?;
    let applied = world.import(FROM, &["--apply", "--json"]).await?;
    ensure!(applied.code == 2, "{applied:?}");
    let counts = &applied.json()?["counts"];
    ensure!(*counts == json!({"adopted": 3, "gone": 1, "in-flight": 2}), "{counts}");
    ensure!(before == world.at_rest().await?, "AWS was changed");
    let again = world.import(FROM, &["--apply", "--json"]).await?.json()?;
    ensure!(again["counts"] == json!({"already-adopted": 3, "gone": 1, "in-flight": 2}), "{again}");

    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    live_on(&world).await.with_context(|| world.house.last_words())
}

async fn the_plan_says_what_becomes_of_each(world: &OldWorld) -> anyhow::Result<()> {
    let planned = world.import(FROM, &["--plan", "--json"]).await?;
    ensure!(planned.code == 2, "{planned:?}");
    let report = planned.json()?;
    Comparison::new()?.compare("imported", &report)?;
    ensure!(report["counts"] == json!({"adopt": 3, "gone": 1, "in-flight": 2}), "{report}");
    let site = entry(&report, SITE)?;
    ensure!(site["domains"] == json!(["www.example.gov", "docs.example.gov"]), "{site}");
    ensure!(site["names"][0]["proven_by_itself"] == "through-cdn", "{site}");
    ensure!(site["certificate"]["replaced_at"].is_string() && site["notes"] == json!([]), "{site}");
    let stuck = entry(&report, STUCK)?;
    ensure!(stuck["domains"] == json!(["stuck.example.gov"]), "{stuck}");
    let notes = stuck["notes"].to_string();
    ensure!(
        notes.contains("more.example.gov too, which is not served") && notes.contains("`provisioning`"),
        "{notes}"
    );
    for (id, says) in
        [(NEW, "create it again here"), (LEAVING, "is deleting it"), (DELETED, "it was deleted")]
    {
        let why = entry(&report, id)?["why"].as_str().unwrap_or_default();
        ensure!(why.contains(says), "{id}: {why}");
    }
    let shown = world.import(FROM, &["--plan"]).await?.out;
    ensure!(
        shown.contains("www.example.gov leads to its distribution; proven by itself: through-cdn"),
        "{shown}"
    );
    ensure!(shown.ends_with("Instances 6: in-flight 2, adopt 3, gone 1.\n"), "{shown}");
    Ok(())
}

async fn live_on(world: &OldWorld) -> anyhow::Result<()> {
    let house = &world.house;
    let path = format!("/v2/service_instances/{SITE}");
    let fetched = house.call(Method::GET, &path, None).await?;
    let shown = &fetched.body["parameters"];
    ensure!(fetched.status == 200 && shown["cookies"] == false, "{fetched:?}");
    ensure!(
        shown["headers"] == json!(["Accept", "Host"])
            && shown["domain"] == "www.example.gov,docs.example.gov"
    );
    ensure!(house.poll(SITE).await?.text("state") == "succeeded");
    let idle = house.call(Method::PATCH, &patch(SITE), Some(&update(&json!({})))).await?;
    ensure!(idle.status == 200, "{idle:?}");

    let certificates = house.sandbox.aws().state().certificates.len();
    let renewed = house.command(&world.settings, &["instances", "renew", QUIET]).await?;
    ensure!(renewed.code == 0, "{renewed:?}");
    let visit = house.sandbox.visit("quiet.example.gov", "/hello").await?;
    ensure!(visit.status == 200, "{visit:?}");
    ensure!(house.sandbox.aws().state().certificates.len() == certificates, "the old one is removed");

    let updated = house.call(Method::PATCH, &patch(SITE), Some(&update(&json!({"path": "/app"})))).await?;
    ensure!(updated.status == 202, "{updated:?}");
    house.until_succeeded(SITE).await?;
    let report = house.command(&world.settings, &["reconcile", "--json"]).await?.json()?;
    let differs = report["findings"].to_string();
    ensure!(!differs.contains(SITE) && !differs.contains(QUIET), "they are of our shape: {differs}");

    undo_forgets_what_nobody_has_touched(world).await?;
    for id in [SITE, QUIET] {
        ensure!(house.deprovision(id).await?.status == 202);
        house.until_succeeded(id).await?;
    }
    names_never_without_certificate(house)?;
    only_the_stuck_is_left(world)
}

fn patch(id: &str) -> String {
    format!("/v2/service_instances/{id}?accepts_incomplete=true")
}

fn update(parameters: &Value) -> Value {
    let context = json!({"organization_guid": ORGANIZATION, "space_guid": SPACE});
    json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": parameters, "context": context})
}

async fn undo_forgets_what_nobody_has_touched(world: &OldWorld) -> anyhow::Result<()> {
    let writes = world.writes();
    let undone = world.import(FROM, &["--undo", "--json"]).await?;
    ensure!(undone.code == 2, "{undone:?}");
    Comparison::new()?.compare("undone", &undone.json()?)?;
    ensure!(undone.json()? == json!({"forgotten": [STUCK], "kept": [SITE, QUIET]}), "{undone:?}");
    ensure!(world.writes() == writes);
    let gone = world.house.call(Method::GET, &format!("/v2/service_instances/{STUCK}"), None).await?;
    ensure!(gone.status == 404, "{gone:?}");
    Ok(())
}

fn only_the_stuck_is_left(world: &OldWorld) -> anyhow::Result<()> {
    let mut state = world.house.sandbox.aws().state();
    state.distributions.retain(|one| one.reference != STUCK);
    state.certificates.retain(|one| !one.name.contains(STUCK));
    nothing_left(&state)
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_replaced_early_when_their_days_have_come() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(CF_CDN).await?;
    world.route(&Old::new(SITE, &["www.example.gov"])).await?;
    let applied = world.import(FROM, &["--apply", "--spread-days", "0"]).await?;
    ensure!(applied.code == 0, "{applied:?}");
    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    let house = &world.house;
    let replaced = wait_for("the old certificate to be replaced", BOUND, || async {
        let kept = house.sandbox.aws().state().certificates;
        let names: Vec<&str> = kept.iter().map(|one| one.name.as_str()).collect();
        Ok((names == [format!("cdn-{SITE}-1-2")]).then_some(()))
    });
    replaced.await.with_context(|| house.last_words())?;
    ensure!(house.sandbox.visit("www.example.gov", "/hello").await?.status == 200);
    names_never_without_certificate(house)
}
