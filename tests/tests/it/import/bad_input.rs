//! Databases that are not what they are said to be, rows that lie, connections that break: a clear report, and nothing half
//! done.

use anyhow::ensure;
use sandbox::wait_for;
use serde_json::json;

use super::old_world::{CF_CDN, DATABASE, Old, OldWorld, entry};
use super::others::{EXTERNAL_DOMAIN, KEY, PAAS_CDN};
use crate::house::BOUND;

const FROM: &str = "cf-cdn-service-broker";
const GOOD: &str = "6f1c0a52-0000-4000-8000-000000000001";
const LOST: &str = "6f1c0a52-0000-4000-8000-000000000002";
const LIAR: &str = "6f1c0a52-0000-4000-8000-000000000003";
const TWIN: &str = "6f1c0a52-0000-4000-8000-000000000004";
const WRONG: &str = "6f1c0a52-0000-4000-8000-000000000005";
const UNTAGGED: &str = "6f1c0a52-0000-4000-8000-000000000006";
const OTHERS: &str = "6f1c0a52-0000-4000-8000-000000000007";
const ASIDE: &str = "6f1c0a52-0000-4000-8000-000000000008";

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_lie_are_told_and_the_others_adopted() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    let good = world.route(&Old::new(GOOD, &["www.example.gov"])).await?;
    world.row(LOST, "provisioned", "lost.example.gov", "ELOST", None).await?;
    let liar = world.route(&Old::new(LIAR, &["liar.example.gov"])).await?;
    let rename = format!(
        "UPDATE routes SET domain_external = 'liar.example.gov,www.example.gov' WHERE instance_id = '{LIAR}'"
    );
    world.postgres.ask(DATABASE, &rename).await?;
    let twin = world.route(&Old::new(TWIN, &["twin.example.gov"])).await?;
    world.row(WRONG, "provisioned", "wrong.example.gov", &twin.id, None).await?;
    world.route(&Old { tags: false, ..Old::new(UNTAGGED, &["untagged.example.gov"]) }).await?;
    // Its row has the certificate of another instance; its distribution has the right one.
    world.route(&Old::new(OTHERS, &["others.example.gov"])).await?;
    let swap = format!(
        "UPDATE certificates SET certificate = (SELECT c.certificate FROM certificates c JOIN routes r ON r.id = c.route_id \
         WHERE r.instance_id = '{GOOD}') WHERE route_id = (SELECT id FROM routes WHERE instance_id = '{OTHERS}')"
    );
    world.postgres.ask(DATABASE, &swap).await?;

    let applied = world.import(FROM, &["--apply", "--json"]).await?;
    ensure!(applied.code == 2, "{applied:?}");
    let report = applied.json()?;
    ensure!(report["counts"] == json!({"adopted": 2, "inconsistent": 3, "missing": 2}), "{report}");
    for (id, verdict, says) in [
        (LOST, "missing", "ELOST does not exist any more"),
        (LIAR, "inconsistent", "www.example.gov, which its distribution does not serve"),
        (TWIN, "inconsistent", "has the same distribution"),
        (WRONG, "inconsistent", "has the same distribution"),
        (UNTAGGED, "missing", "has no tag `Organization`"),
    ] {
        let told = entry(&report, id)?;
        ensure!(told["verdict"] == verdict, "{told}");
        ensure!(told["why"].as_str().unwrap_or_default().contains(says), "{told}");
    }
    let others = entry(&report, OTHERS)?;
    ensure!(others["verdict"] == "adopted", "{others}");
    ensure!(
        others["notes"].to_string().contains("its row has another certificate, for www.example.gov"),
        "{others}"
    );
    ensure!(entry(&report, GOOD)?["distribution"] == good.id, "{report}");
    ensure!(entry(&report, LIAR)?["distribution"] == liar.id, "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_is_refused_before_anything_is_believed() -> anyhow::Result<()> {
    let world = OldWorld::with_tables("CREATE TABLE users (id serial)").await?;
    let refused = |printed: &crate::house::Printed, says: &str| {
        ensure!(printed.code == 1 && printed.err.contains(says) && printed.out.is_empty(), "{printed:?}");
        Ok(())
    };
    let calls = world.house.sandbox.aws().calls();
    refused(&world.import(FROM, &["--apply"]).await?, "it is not the database of cf-cdn-service-broker")?;
    world.postgres.ask(DATABASE, CF_CDN).await?;
    refused(&world.import("paas-cdn-broker", &["--plan"]).await?, "use `--from cf-cdn-service-broker`")?;
    world.postgres.ask(DATABASE, "ALTER TABLE routes DROP COLUMN dist_id; DROP TABLE certificates").await?;
    let half = world.import(FROM, &["--plan"]).await?;
    refused(&half, "the column `routes.dist_id`, the table `certificates` are missing")?;
    ensure!(world.house.sandbox.aws().calls() == calls, "nobody was asked about instances that nobody knows");
    let nowhere = ["import", "--from", FROM, "--source", "postgres://nobody:secret@127.0.0.1:1/x", "--plan"];
    let unreachable = world.house.command(&world.settings, &nowhere).await?;
    ensure!(unreachable.code == 1 && unreachable.err.contains("cannot be reached"), "{unreachable:?}");
    ensure!(!unreachable.err.contains("secret"), "{unreachable:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_the_row_has_it_is_told() -> anyhow::Result<()> {
    let mut world = OldWorld::with_tables(CF_CDN).await?;
    // A list that somebody has made by hand, with a name that is none, and nothing between two commas.
    world.route(&Old::new(GOOD, &["www.example.gov"])).await?;
    let by_hand = format!(
        "UPDATE routes SET domain_external = ' www.example.gov,,not a name' WHERE instance_id = '{GOOD}'"
    );
    world.postgres.ask(DATABASE, &by_hand).await?;
    let aside = world.route(&Old::new(ASIDE, &["aside.example.gov"])).await?;
    world.switch_off(&aside).await?;
    world.route(&Old::new(OTHERS, &["others.example.gov"])).await?;
    // Somebody has created one of the same id here, and nothing was proven yet.
    let settings = world.settings.clone();
    world.house.add_broker(&settings).await?;
    let made = world.house.provision(OTHERS, json!({"domain": "new.example.gov"})).await?;
    ensure!(made.status == 202, "{made:?}");

    let applied = world.import(FROM, &["--apply", "--json"]).await?;
    ensure!(applied.code == 2, "{applied:?}");
    let report = applied.json()?;
    ensure!(report["counts"] == json!({"adopted": 1, "inconsistent": 2}), "{report}");
    let good = entry(&report, GOOD)?;
    ensure!(good["domains"] == json!(["www.example.gov"]), "{good}");
    ensure!(good["notes"] == json!(["its row names `not a name`, which is no domain"]), "{good}");
    for (id, says) in [
        (ASIDE, "is switched off; switch it on if it is to serve"),
        (OTHERS, "this broker has made an instance of the same id"),
    ] {
        let told = entry(&report, id)?;
        ensure!(told["why"].as_str().unwrap_or_default().contains(says), "{told}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_cannot_be_found_or_is_of_another_instance_brings_no_key() -> anyhow::Result<()> {
    let from = "external-domain-broker";
    let mut world = OldWorld::with_tables(EXTERNAL_DOMAIN).await?;
    world.external(&Old::external(GOOD, &["www.example.gov"])).await?;
    world.external(&Old::external(OTHERS, &["others.example.gov"])).await?;
    let swap = format!(
        "UPDATE service_instance SET current_certificate_id = (SELECT id FROM certificate WHERE service_instance_id = '{GOOD}') \
         WHERE id = '{OTHERS}'"
    );
    world.postgres.ask(DATABASE, &swap).await?;
    world.settings.more.push(("DATABASE_ENCRYPTION_KEY".to_owned(), KEY.to_owned()));
    let planned = world.import(from, &["--plan", "--json", "--no-dns"]).await?.json()?;
    let (good, others) = (entry(&planned, GOOD)?, entry(&planned, OTHERS)?);
    ensure!(good["certificate"]["replaced_at"].is_null(), "its key is there: {good}");
    ensure!(others["certificate"]["replaced_at"].is_string(), "nobody has its key: {others}");
    ensure!(
        others["notes"].to_string().contains("its row has another certificate, for www.example.gov"),
        "{others}"
    );

    world.settings.more.push(("IAM_PATH_PREFIX".to_owned(), "elsewhere".to_owned()));
    let planned = world.import(from, &["--plan", "--json", "--no-dns"]).await?;
    ensure!(planned.code == 2, "{planned:?}");
    let report = planned.json()?;
    ensure!(report["counts"] == json!({"missing": 2}), "{report}");
    let why = entry(&report, GOOD)?["why"].as_str().unwrap_or_default();
    ensure!(why.contains("set IAM_PATH_PREFIX to what the earlier broker had"), "{why}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_migrated_databases_of_the_other_two_are_refused() -> anyhow::Result<()> {
    for (tables, from, harm, says) in [
        (
            PAAS_CDN,
            "paas-cdn-broker",
            "ALTER TABLE routes DROP COLUMN default_ttl",
            "the column `routes.default_ttl` is missing",
        ),
        (
            EXTERNAL_DOMAIN,
            "external-domain-broker",
            "ALTER TABLE service_instance DROP COLUMN current_certificate_id; DROP TABLE operation",
            "the column `service_instance.current_certificate_id`, the table `operation` are missing",
        ),
    ] {
        let world = OldWorld::with_tables(tables).await?;
        world.postgres.ask(DATABASE, harm).await?;
        for what in ["--plan", "--apply"] {
            let refused = world.import(from, &[what]).await?;
            ensure!(refused.code == 1 && refused.out.is_empty(), "{refused:?}");
            ensure!(refused.err.contains("half migrated") && refused.err.contains(says), "{refused:?}");
        }
        let wrong = world.import("cf-cdn-service-broker", &["--apply"]).await?;
        ensure!(wrong.code == 1 && wrong.err.contains(&format!("use `--from {from}`")), "{wrong:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_the_middle_leaves_nothing_half_done() -> anyhow::Result<()> {
    let world = OldWorld::with_tables(CF_CDN).await?;
    world.route(&Old::new(GOOD, &["www.example.gov"])).await?;
    let holds = "BEGIN; LOCK TABLE routes; SELECT pg_sleep(20); ROLLBACK";
    let cut = async {
        wait_for("the import to read", BOUND, || async {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
            Ok((!world.postgres.ask(DATABASE, cut).await?.is_empty()).then_some(()))
        })
        .await
    };
    let held = world.postgres.ask(DATABASE, holds);
    let importing = async {
        wait_for("the table to be held", BOUND, || async {
            let locks =
                "SELECT 1 FROM pg_locks WHERE relation = 'routes'::regclass AND mode = 'AccessExclusiveLock'";
            Ok((!world.postgres.ask(DATABASE, locks).await?.is_empty()).then_some(()))
        })
        .await?;
        world.import(FROM, &["--apply", "--json"]).await
    };
    let work = async { tokio::try_join!(importing, cut) };
    let broken = tokio::select! {
        done = work => done?.0,
        ended = held => anyhow::bail!("the lock was let go of: {ended:?}"),
    };
    ensure!(broken.code == 1 && broken.out.is_empty(), "{broken:?}");
    ensure!(broken.err.contains("read the database of the earlier broker"), "{broken:?}");
    let let_go = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";
    world.postgres.ask(DATABASE, let_go).await?;
    let listed = world.house.command(&world.settings, &["instances", "list", "--json"]).await?;
    ensure!(listed.out.is_empty(), "{listed:?}");
    let again = world.import(FROM, &["--apply", "--json"]).await?;
    ensure!(again.code == 0 && again.json()?["counts"] == json!({"adopted": 1}), "{again:?}");
    Ok(())
}
