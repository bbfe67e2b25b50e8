//! `live-sites` and `expiry`: what would break a renewal in weeks is known today.

use std::collections::BTreeSet;

use anyhow::Context;
use contract::{CertificateVault, DomainName, VaultName, durable_label};
use http::Method;
use sandbox::authority::Pretence;
use sandbox::pki::Ca;
use sandbox::{BrokerSettings, MANAGED_ZONE, wait_for};
use serde_json::{Value, json};

use super::{run, runs, start};
use crate::house::{BOUND, House, PLAN_ID, SERVICE_ID};
use crate::reconcile::{bundle, by_hand, rewrite};

const ONE: &str = "3f1c9a52-0000-4000-8000-000000000071";
const TWO: &str = "3f1c9a52-0000-4000-8000-000000000072";

/// Serves a domain, whose owner has pointed it where it belongs.
async fn serve(house: &House, id: &str, domain: &str) -> anyhow::Result<()> {
    house.provision(id, json!({"domain": domain})).await?;
    house.prove(id, 1).await?;
    house.until_succeeded(id).await?;
    let distributions = house.sandbox.aws().state().distributions;
    let own = distributions.iter().find(|one| one.names.iter().any(|name| name == domain));
    house.sandbox.dns().set_cname(domain, &own.context("no distribution has the name")?.domain)?;
    Ok(())
}

/// What the story of an instance tells of its sites: kinds of findings, those that are incidents.
async fn found(house: &House, settings: &BrokerSettings, id: &str) -> anyhow::Result<BTreeSet<String>> {
    let story = house.command(settings, &["instances", "show", id, "--json"]).await?.json()?;
    let findings = story["findings"].as_array().cloned().unwrap_or_default();
    let told = findings.into_iter().filter(|one| one["incident"] == true);
    Ok(told.filter_map(|one| one["kind"].as_str().map(str::to_owned)).collect())
}

fn kinds(kinds: &[&str]) -> BTreeSet<String> {
    kinds.iter().map(|&kind| kind.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_sites_are_green() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    serve(&house, ONE, "www.example.gov").await?;
    for check in ["live-sites", "live-sites", "expiry", "several-tenants"] {
        runs(&house, &settings, check, 0, "ok").await?;
    }
    assert_eq!(found(&house, &settings, ONE).await?, kinds(&[]));
    let story: Value = house.command(&settings, &["instances", "show", ONE, "--json"]).await?.json()?;
    assert_eq!(story["findings"], json!([]), "not even once");
    let buckets = house.sandbox.aws().state().buckets;
    assert!(buckets.iter().all(|bucket| bucket.keys.is_empty()), "{buckets:?}");
    assert_eq!(run(&house, &settings, "expiry").await?.0, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_whose_dns_moves_away_or_whose_caa_forbids_is_told_and_over_when_it_is_mended()
-> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    serve(&house, ONE, "www.example.gov").await?;
    serve(&house, TWO, "docs.example.gov").await?;
    let dns = house.sandbox.dns();
    let site = house.sandbox.site("www.example.gov").await?;
    dns.clear("www.example.gov")?;
    dns.set_a("www.example.gov", vec![site.address()])?;
    let caa_identity = Some("pebble.example".to_owned());
    house.sandbox.authority().gate().pretend(Pretence { caa_identity, ..Pretence::default() });
    dns.everywhere().set_caa("example.gov", &["0 issue \"other-ca.example\""])?;
    for _ in 0..2 {
        runs(&house, &settings, "live-sites", 0, "ok").await?;
    }
    assert_eq!(found(&house, &settings, ONE).await?, kinds(&["caa", "dns"]));
    assert_eq!(found(&house, &settings, TWO).await?, kinds(&["caa"]));
    // One tenant's problem is nobody else's.
    runs(&house, &settings, "several-tenants", 0, "ok").await?;
    let shown = house.command(&settings, &["instances", "show", ONE]).await?.out;
    assert!(shown.contains("found at its sites") && shown.contains("www.example.gov leads to"), "{shown}");
    Ok(())
}

/// A name that was proven by delegation, once and for ever, and whose owner takes the record away: the operator is told, and
/// its user reads what to set.
#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_that_is_gone_is_told_to_the_operator_and_to_its_user() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    let (dns, name) = (house.sandbox.dns(), "www.example.gov");
    let label = durable_label("org-1", &DomainName::parse(name)?);
    let (owner, target) =
        (format!("_acme-challenge.{name}"), format!("_acme-challenge.{label}.{MANAGED_ZONE}"));
    dns.set_cname(&owner, &target)?;
    house.provision(ONE, json!({"domain": name})).await?;
    house.until_succeeded(ONE).await?;
    runs(&house, &settings, "live-sites", 0, "ok").await?;
    let before = look(&house).await?;
    assert!(before.contains("proven by itself: by delegation"), "{before}");

    dns.clear(&owner)?;
    for _ in 0..2 {
        runs(&house, &settings, "live-sites", 0, "ok").await?;
    }
    let told = found(&house, &settings, ONE).await?;
    assert!(told.contains("delegation"), "{told:?}");
    let said = look(&house).await?;
    let set_again =
        format!("The record that proves {name} for ever is gone. Set it again: {owner}. CNAME {target}");
    assert!(said.contains("Found on ") && said.contains(&set_again), "{said}");

    // What the owner has mended is not shown to them any more, whatever the last visit has found.
    dns.set_cname(&owner, &target)?;
    let mended = look(&house).await?;
    assert!(!mended.contains("is gone"), "{mended}");
    Ok(())
}

/// What `cf update-service NAME -c '{}'` shows.
async fn look(house: &House) -> anyhow::Result<String> {
    let path = format!("/v2/service_instances/{ONE}?accepts_incomplete=true");
    let body = json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": {}});
    let answer = house.call(Method::PATCH, &path, Some(&body)).await?;
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.text("description").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_presents_another_certificate_is_told() -> anyhow::Result<()> {
    let (house, settings) = start("off", "").await?;
    serve(&house, ONE, "www.example.gov").await?;
    // Somebody attaches a certificate of their own at the console: the names stay.
    let theirs = Ca::new("Somebody else's CA")?;
    house.sandbox.aws().trust(theirs.pem())?;
    let bundle = bundle(&theirs, "www.example.gov")?;
    let stored = by_hand(&house).await.vault.ensure(&VaultName::new("theirs"), &bundle).await?;
    let own = house.sandbox.aws().state().distributions.first().cloned().context("no distribution")?;
    let attached = own.certificate_id.context("no certificate")?;
    wait_for("the console to take it", BOUND, || async {
        let edited = rewrite(&house, &own.id, |config| Ok(config.replace(&attached, stored.as_str())));
        Ok(edited.await.ok())
    })
    .await?;
    wait_for("every edge to have it", BOUND, || async {
        let state = house.sandbox.aws().state();
        Ok(state.distributions.iter().all(|one| one.status == "Deployed").then_some(()))
    })
    .await?;
    for _ in 0..2 {
        runs(&house, &settings, "live-sites", 0, "ok").await?;
    }
    assert_eq!(found(&house, &settings, ONE).await?, kinds(&["certificate"]));
    Ok(())
}
