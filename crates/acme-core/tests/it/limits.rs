//! The ledger of the authority's limits: shared, kept before anything is asked, renewals first.

use std::sync::Arc;
use std::time::Duration;

use acme_core::{AcmeSettings, Limits, Quota, Rooms};
use anyhow::{Context, Result};
use contract::{
    Allowance, CertificateIssuer, CertificateRequest, Clock, IssuanceProgress, KeyType, Timestamp,
};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, request};

const HOUR: Duration = Duration::from_hours(1);
const WEEK: Duration = Duration::from_hours(7 * 24);

async fn laboratory(limits: Limits) -> Result<(Scripted, Harness)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings { limits, ..AcmeSettings::new(&authority.directory_url) };
    Ok((authority, Harness::with_probe(settings, Arc::new(SharedProbe::seeing_everything()))?))
}

fn renewal(names: &[&str], needed_by: Timestamp) -> CertificateRequest {
    let (replaces, needed_by) = (Some("aaaa.bbbb".into()), Some(needed_by));
    CertificateRequest { replaces, needed_by, ..request(KeyType::P256, names) }
}

/// Opens an issuance and goes as far as it goes: `None` when a certificate was issued.
async fn obtain(harness: &Harness, wanted: &CertificateRequest) -> Result<Option<(Timestamp, String)>> {
    let id = format!("i-{}", harness.clock.now().as_millis());
    let id = harness.open(&id, wanted).await?;
    // So that the next one has another name, and no bucket has refilled.
    harness.clock.advance(Duration::from_millis(1));
    let issuer = harness.issuer()?;
    for _ in 0..20 {
        match issuer.advance(&id).await? {
            IssuanceProgress::Issued(_) => return Ok(None),
            IssuanceProgress::HeldBack { until, why } => return Ok(Some((until, why))),
            _ => harness.clock.advance(Duration::from_millis(5)),
        }
    }
    anyhow::bail!("neither issued nor held back: {:?}", harness.record(&id).await?)
}

async fn first(harness: &Harness, names: &[&str]) -> Result<Option<(Timestamp, String)>> {
    obtain(harness, &request(KeyType::P256, names)).await
}

#[tokio::test]
async fn certificates_of_a_domain_are_shared_out_and_renewals_go_first() -> Result<()> {
    let limits =
        Limits { certificates_per_domain: Some(Quota { count: 5, period: WEEK }), ..Limits::lets_encrypt() };
    let (authority, harness) = laboratory(limits).await?;
    for name in ["a.example.gov", "b.example.gov", "c.example.gov", "example.gov"] {
        assert_eq!(first(&harness, &[name]).await?, None, "{name}");
    }
    let asked = authority.asked(Endpoint::NewOrder);
    let (until, why) = first(&harness, &["*.e.example.gov"]).await?.context("held back")?;
    assert!(why.starts_with("Let's Encrypt issues at most 5 certificates a week for `example.gov`"), "{why}");
    assert!(why.contains(&format!("by itself on {until}")), "{why}");
    assert_eq!(authority.asked(Endpoint::NewOrder), asked, "nothing was asked of it");
    assert_eq!(first(&harness, &["a.example.org"]).await?, None, "another domain has room");

    // What is left is for renewals, also for one with other names.
    let needed_by = harness.clock.now() + WEEK * 12;
    assert_eq!(obtain(&harness, &renewal(&["a.example.gov", "z.example.gov"], needed_by)).await?, None);
    let (later, _) = obtain(&harness, &renewal(&["y.example.gov"], needed_by)).await?.context("held back")?;
    assert!(later > harness.clock.now() + 32 * HOUR, "{later}");
    harness.clock.set(until + WEEK);
    assert_eq!(first(&harness, &["*.e.example.gov"]).await?, None, "in time there is room again");
    Ok(())
}

#[tokio::test]
async fn the_same_names_are_a_renewal_for_which_only_their_own_limit_counts() -> Result<()> {
    let quota = |count| Some(Quota { count, period: WEEK });
    let limits = Limits {
        orders: quota(2),
        certificates_per_domain: quota(2),
        certificates_per_set: quota(3),
        first_percent: 50,
        ..Limits::lets_encrypt()
    };
    let (_authority, harness) = laboratory(limits).await?;
    assert_eq!(first(&harness, &["a.example.gov", "b.example.gov"]).await?, None);
    assert!(first(&harness, &["c.example.gov"]).await?.is_some());
    for _ in 0..2 {
        assert_eq!(first(&harness, &["b.example.gov", "a.example.gov"]).await?, None);
    }
    let (_, why) = first(&harness, &["a.example.gov", "b.example.gov"]).await?.context("held back")?;
    assert!(
        why.starts_with("Let's Encrypt issues at most 3 certificates a week for exactly the same names"),
        "{why}"
    );
    Ok(())
}

#[tokio::test]
async fn a_renewal_inside_the_authoritys_window_is_never_held_back() -> Result<()> {
    let none = Some(Quota { count: 1, period: WEEK });
    let limits = Limits {
        orders: none,
        certificates_per_domain: none,
        certificates_per_set: none,
        ..Limits::lets_encrypt()
    };
    let (authority, harness) = laboratory(limits).await?;
    harness.clock.set(Timestamp::from_secs(1_767_225_600));
    assert_eq!(first(&harness, &["a.example.gov"]).await?, None);
    let needed_by = harness.clock.now() + WEEK * 4;
    authority.suggests("2025-12-31T23:00:00Z", "2025-12-31T23:30:00Z");
    assert!(
        obtain(&harness, &renewal(&["a.example.gov"], needed_by)).await?.is_some(),
        "the window has passed"
    );
    authority.suggests("2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z");
    for _ in 0..3 {
        assert_eq!(obtain(&harness, &renewal(&["a.example.gov"], needed_by)).await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn orders_are_taken_before_they_are_placed_and_given_back_only_when_that_is_sure() -> Result<()> {
    let limits = Limits {
        orders: Some(Quota { count: 2, period: WEEK }),
        first_percent: 100,
        ..Limits::lets_encrypt()
    };
    let (authority, harness) = laboratory(limits).await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example.gov"])).await?;
    for _ in 0..5 {
        authority.script(Endpoint::NewOrder, [Reply::html(503, "30")]);
        harness.issuer()?.advance(&id).await.unwrap_err();
    }
    harness.until_issued_by_many(&id).await?;

    // An order whose answer was lost may have been placed.
    authority.script(Endpoint::NewOrder, [Reply::Lose]);
    let id = harness.open("i-2", &request(KeyType::P256, &["b.example.gov"])).await?;
    harness.issuer()?.advance(&id).await.unwrap_err();
    let progress = harness.issuer()?.advance(&id).await?;
    let IssuanceProgress::HeldBack { why, .. } = progress else { anyhow::bail!("{progress:?}") };
    assert!(why.starts_with("Let's Encrypt takes only so many orders from this service"), "{why}");
    Ok(())
}

#[tokio::test]
async fn many_at_once_never_take_more_than_there_is() -> Result<()> {
    let limits = Limits { orders: Some(Quota { count: 10, period: WEEK }), ..Limits::lets_encrypt() };
    let (authority, harness) = laboratory(limits).await?;
    let issuers = [harness.issuer()?, harness.issuer()?, harness.issuer()?].map(Arc::new);
    let mut all = tokio::task::JoinSet::new();
    for number in 0..24 {
        let name = format!("www.example-{number}.gov");
        let id = harness.open(&name, &request(KeyType::P256, &[&name])).await?;
        let issuer = Arc::clone(&issuers[number % 3]);
        all.spawn(async move { issuer.advance(&id).await });
    }
    while let Some(one) = all.join_next().await {
        one??;
    }
    assert_eq!(authority.asked(Endpoint::NewOrder), 8, "eight tenths are for first certificates");
    Ok(())
}

#[tokio::test]
async fn a_certificate_is_counted_once_however_often_it_is_finalized() -> Result<()> {
    let limits =
        Limits { certificates_per_set: Some(Quota { count: 2, period: WEEK }), ..Limits::lets_encrypt() };
    let (authority, harness) = laboratory(limits).await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example.gov"])).await?;
    for _ in 0..4 {
        authority.script(Endpoint::Finalize, [Reply::html(503, "30")]);
        harness.issuer()?.advance(&id).await.unwrap_err();
    }
    harness.until_issued_by_many(&id).await?;
    assert_eq!(first(&harness, &["a.example.gov"]).await?, None);
    assert!(first(&harness, &["a.example.gov"]).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn wrong_proofs_are_counted_by_name_until_one_is_right() -> Result<()> {
    let limits = Limits {
        failures: Some(Quota { count: 2, period: WEEK }),
        failures_in_a_row: Some(Quota { count: 3, period: WEEK * 52 }),
        ..Limits::lets_encrypt()
    };
    let (authority, harness) = laboratory(limits).await?;
    authority.finds_fault(true);
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example.gov"])).await?;
    for _ in 0..2 {
        let progress = harness.issuer()?.advance(&id).await?;
        assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
        harness.clock.advance(Duration::from_mins(10));
    }
    let held = first(&harness, &["www.example.gov", "a.example.gov"]).await?;
    let (until, why) = held.context("another instance with that name")?;
    assert!(why.contains("the proof of control over `a.example.gov` wrong too often"), "{why}");
    authority.finds_fault(false);
    harness.clock.set(until);
    assert_eq!(first(&harness, &["a.example.gov"]).await?, None);
    // The row is over: two more failures do not make three.
    authority.finds_fault(true);
    harness.clock.advance(WEEK);
    for number in 0..2 {
        let id = harness.open(&format!("f-{number}"), &request(KeyType::P256, &["a.example.gov"])).await?;
        harness.issuer()?.advance(&id).await?;
    }
    harness.clock.advance(WEEK);
    authority.finds_fault(false);
    assert_eq!(first(&harness, &["a.example.gov"]).await?, None);
    Ok(())
}

#[tokio::test]
async fn the_operator_sees_where_the_least_is_left() -> Result<()> {
    let quota = |count| Some(Quota { count, period: WEEK });
    let limits = Limits {
        orders: quota(10),
        certificates_per_domain: quota(5),
        failures_in_a_row: None,
        ..Limits::lets_encrypt()
    };
    let (authority, harness) = laboratory(limits).await?;
    let rooms =
        Rooms::new(&harness.settings, Arc::new(harness.store.clone()), Arc::new(harness.clock.clone()));
    let untouched = rooms.limits(2).await?;
    let names: Vec<_> =
        untouched.iter().map(|one| (one.limit, one.most, one.kept, one.rooms.len())).collect();
    assert_eq!(
        names,
        [
            ("orders", 10, 2.0, 1),
            ("certificates-per-domain", 5, 1.0, 0),
            ("certificates-per-set", 5, 0.0, 0),
            ("failures", 5, 0.0, 0)
        ]
    );
    for name in ["a.example.gov", "b.example.gov", "a.example.org", "www.example.net", "x.example.net"] {
        assert_eq!(first(&harness, &[name]).await?, None, "{name}");
    }
    authority.finds_fault(true);
    let id = harness.open("wrong", &request(KeyType::P256, &["wrong.example.edu"])).await?;
    harness.issuer()?.advance(&id).await?;

    let limits = rooms.limits(2).await?;
    let seen = |at: usize| -> Vec<(Option<&str>, f64)> {
        limits[at].rooms.iter().map(|room| (room.whose.as_deref(), room.left.round())).collect()
    };
    assert_eq!(seen(0), [(None, 4.0)]);
    assert_eq!(seen(1), [(Some("example.net"), 3.0), (Some("example.gov"), 3.0)], "two of three");
    assert_eq!(limits[2].rooms.len(), 2);
    assert_eq!(seen(3), [(Some("wrong.example.edu"), 4.0)]);
    harness.clock.advance(WEEK);
    assert_eq!(rooms.limits(2).await?, untouched, "in time all of it comes back");
    Ok(())
}
