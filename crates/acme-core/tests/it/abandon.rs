//! What remains of an issuance that its owner has ended.

use std::sync::Arc;

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::{CertificateIssuer, IssuanceId, KeyType, Remedy};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, request};

async fn laboratory() -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    let probe = SharedProbe::default();
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    Ok((authority, probe, harness, id))
}

#[tokio::test]
async fn secrets_are_wiped_and_pending_authorizations_given_back() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    probe.see("a.example");
    issuer.advance(&id).await?;
    let read = authority.asked(Endpoint::Authorization);
    issuer.abandon(&id).await?;
    let record = harness.record(&id).await?;
    assert!(record.abandoned);
    assert_eq!((record.private_key, record.csr, record.chain), (None, None, None));
    assert_eq!(authority.asked(Endpoint::Authorization) - read, 3, "two reads and one deactivation");

    let asked = authority.asked_at_all();
    issuer.abandon(&id).await?;
    assert_eq!(authority.asked_at_all(), asked, "a second call does nothing");
    let error = issuer.advance(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::GiveUp);
    assert!(error.to_string().contains("was abandoned"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_authority_that_is_away_does_not_hold_up_the_wiping() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    harness.issuer()?.advance(&id).await?;
    authority.script(Endpoint::Order, [Reply::html(503, "30")]);
    harness.issuer()?.abandon(&id).await?;
    assert!(harness.record(&id).await?.private_key.is_none());
    Ok(())
}

#[tokio::test]
async fn an_issued_certificate_is_wiped_without_asking_anybody() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    probe.see_everything(true);
    harness.until_issued(&harness.issuer()?, &id).await?;
    let asked = authority.asked_at_all();
    harness.issuer()?.abandon(&id).await?;
    assert!(harness.record(&id).await?.chain.is_none());
    assert_eq!(authority.asked_at_all(), asked);
    Ok(())
}

#[tokio::test]
async fn an_unknown_issuance_has_nothing_to_say() -> Result<()> {
    let (authority, _probe, harness, _id) = laboratory().await?;
    let (issuer, unknown) = (harness.issuer()?, IssuanceId::new("unknown"));
    issuer.abandon(&unknown).await?;
    assert_eq!(issuer.instructions(&unknown).await?, []);
    assert_eq!(issuer.advance(&unknown).await.unwrap_err().remedy(), Remedy::GiveUp);
    assert_eq!(authority.asked_at_all(), 0);
    Ok(())
}
