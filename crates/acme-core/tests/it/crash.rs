//! The process dies before or after every write and read of the store: at the end there is one certificate, for one
//! finalized order, of one account.

use std::sync::Arc;

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::testing::{Outcome, until_crash};
use contract::{CertificateIssuer, IssuanceProgress, KeyType};

use crate::support::{Endpoint, Harness, Scripted, SharedProbe, request};

mod durable;
mod proofs;

async fn laboratory() -> Result<(Scripted, Harness)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(SharedProbe::seeing_everything()))?;
    Ok((authority, harness))
}

/// How many points a single undisturbed process passes until it has the certificate.
async fn points() -> Result<u64> {
    let (_authority, harness) = laboratory().await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    harness.until_issued(&harness.issuer()?, &id).await?;
    Ok(harness.plan.points_passed())
}

#[tokio::test]
async fn dying_at_any_point_costs_at_most_a_spare_order() -> Result<()> {
    for point in 3..=points().await? {
        let (authority, harness) = laboratory().await?;
        let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
        harness.plan.crash_at(point);
        let issuer = harness.issuer()?;
        let outcome = until_crash(&harness.plan, async {
            while !matches!(issuer.advance(&id).await?, IssuanceProgress::Issued(_)) {}
            anyhow::Ok(())
        })
        .await;
        assert!(matches!(outcome, Outcome::Crashed), "point {point} was not reached");
        drop(issuer);
        let bundle = harness.until_issued_by_many(&id).await?;
        let died = harness.plan.died_at();
        assert_eq!(authority.asked(Endpoint::Finalize), 1, "{died:?}");
        assert!(authority.asked(Endpoint::NewOrder) <= 2, "{died:?}");
        assert_eq!(harness.record(&id).await?.private_key, Some(bundle.private_key_pem), "{died:?}");
    }
    Ok(())
}

#[tokio::test]
async fn two_processes_in_step_do_not_hold_each_other_up() -> Result<()> {
    for _ in 0..20 {
        let (authority, harness) = laboratory().await?;
        let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
        let (one, two) = tokio::join!(harness.until_issued_by_many(&id), harness.until_issued_by_many(&id));
        assert_eq!(one?, two?);
        let asked = authority.asked(Endpoint::NewAccount);
        assert!((1..=2).contains(&asked), "{asked}");
    }
    Ok(())
}
