//! `several-tenants`: what one tenant meets is theirs, what several meet is everybody's.

use std::sync::Arc;

use anyhow::{Context, ensure};
use contract::IncidentStore;
use contract::testing::ManualClock;
use http::Method;
use sandbox::BrokerSettings;
use sandbox::authority::Pretence;
use serde_json::{Value, json};
use store::{SealingKey, Store, StoreSettings};

use super::{runs, standing, start};
use crate::house::{House, provision_body};

const SITES: [(&str, &str); 3] = [
    ("3f1c9a52-0000-4000-8000-000000000081", "one.example.gov"),
    ("3f1c9a52-0000-4000-8000-000000000082", "two.example.gov"),
    ("3f1c9a52-0000-4000-8000-000000000083", "three.example.gov"),
];

/// Three sites of these organizations, all of which meet the same: CAA that forbids to renew their certificates. What was
/// found is sure.
async fn forbidden(organizations: [&str; 3]) -> anyhow::Result<(House, BrokerSettings)> {
    let (house, settings) = start("off", "").await?;
    for ((id, domain), organization) in SITES.into_iter().zip(organizations) {
        let mut body = provision_body(&json!({"domain": domain}));
        body["organization_guid"] = organization.into();
        let path = format!("/v2/service_instances/{id}?accepts_incomplete=true");
        let accepted = house.call(Method::PUT, &path, Some(&body)).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        house.prove(id, 1).await?;
        house.until_succeeded(id).await?;
        let distributions = house.sandbox.aws().state().distributions;
        let own = distributions.iter().find(|one| one.names.iter().any(|name| name == domain));
        house.sandbox.dns().set_cname(domain, &own.context("no distribution has the name")?.domain)?;
    }
    let caa_identity = Some("pebble.example".to_owned());
    house.sandbox.authority().gate().pretend(Pretence { caa_identity, ..Pretence::default() });
    house.sandbox.dns().everywhere().set_caa("example.gov", &["0 issue \"other-ca.example\""])?;
    for _ in 0..2 {
        runs(&house, &settings, "live-sites", 0, "ok").await?;
    }
    for (id, _) in SITES {
        let story = house.command(&settings, &["instances", "show", id, "--json"]).await?.json()?;
        let kinds: Vec<&Value> =
            story["findings"].as_array().into_iter().flatten().map(|one| &one["kind"]).collect();
        ensure!(kinds == ["caa"], "{id}: {:#}", story["findings"]);
    }
    Ok((house, settings))
}

/// However many sites of theirs meet it.
#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_problem_opens_no_incident_of_everybodys() -> anyhow::Result<()> {
    let (house, settings) = forbidden(["org-1", "org-1", "org-1"]).await?;
    for _ in 0..3 {
        runs(&house, &settings, "several-tenants", 0, "ok").await?;
    }
    let standing = standing(&house, &settings, "several-tenants").await?;
    assert_eq!((&standing["incident"], &standing["failures"]), (&json!(false), &json!(0)), "{standing:#}");
    Ok(())
}

/// The same error class at several tenants' within an hour does, and it names whom it concerns.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_at_several_tenants_is_an_incident_that_names_them() -> anyhow::Result<()> {
    let (house, settings) = forbidden(["org-1", "org-2", "org-3"]).await?;
    let said = runs(&house, &settings, "several-tenants", 2, "failing").await?;
    assert_eq!((&said["class"], &said["side"]), (&json!("site/caa"), &json!("dns")), "{said:#}");
    let mut affected: Vec<&str> =
        said["affected"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    affected.sort_unstable();
    assert_eq!(affected, SITES.map(|(id, _)| id));
    ensure!(
        said["sentence"].as_str().is_some_and(|text| text.contains("3 instance(s) of 3 tenant(s)")),
        "{said:#}"
    );
    // It is one incident, however often it is looked at.
    runs(&house, &settings, "several-tenants", 2, "failing").await?;
    let (stored, clock) = (stored(&settings)?, Arc::new(ManualClock::new()));
    let incidents: Arc<dyn IncidentStore> = Arc::new(Store::open(&stored, clock).await?);
    let subjects: Vec<String> = incidents.list(true, 50).await?.into_iter().map(|one| one.subject).collect();
    let of_everybody = subjects.iter().filter(|one| one.contains("the same failure at several tenants'"));
    assert_eq!(of_everybody.count(), 1, "{subjects:?}");
    Ok(())
}

fn stored(settings: &BrokerSettings) -> anyhow::Result<StoreSettings> {
    let keys = vec![SealingKey::new("test", [0; 32])?];
    Ok(StoreSettings { url: settings.database_url.clone(), keys, pool_size: 1 })
}
