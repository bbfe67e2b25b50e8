use std::sync::Arc;

use acme_core::AcmeSettings;
use anyhow::Result;
use async_trait::async_trait;
use contract::{
    CaaQuestion, CertificateIssuer, HttpQuestion, IssuanceProgress, KeyType, PortResult, ProofMethod,
    ProofProbe, Sighting, TxtQuestion, Verdict,
};

use crate::support::{Endpoint, Harness, Scripted, request};

/// Sees every proof, and CAA records that allow only some methods.
struct Strict(&'static [&'static str]);

#[async_trait]
impl ProofProbe for Strict {
    async fn txt(&self, _: &TxtQuestion) -> PortResult<Sighting> {
        Ok(Sighting::seen(vec![]))
    }

    async fn http(&self, _: &HttpQuestion) -> PortResult<Sighting> {
        Ok(Sighting::seen(vec![contract::Hop::Responder { place: contract::durable_label("", &name()) }]))
    }

    async fn caa(&self, question: &CaaQuestion) -> PortResult<Verdict> {
        assert_eq!(question.issuers, ["ca.example"]);
        assert!(question.account_url.as_ref().is_some_and(|url| url.ends_with("/account/1")), "{question:?}");
        if self.0.contains(&question.method.as_str()) {
            return Ok(Verdict::Seen);
        }
        Ok(Verdict::NotYet { saw: format!("CAA forbids {} for {}.", question.method, question.name) })
    }
}

fn name() -> contract::DomainName {
    contract::testing::sample::name("a.example")
}

async fn laboratory(allowed: &'static [&'static str]) -> Result<(Scripted, Harness, contract::IssuanceId)> {
    let authority = Scripted::start().await?;
    authority.goes_by("ca.example");
    let settings = AcmeSettings::new(&authority.directory_url);
    let mut harness = Harness::with_probe(settings, Arc::new(Strict(allowed)))?;
    harness.proofs.challenge_url = Some("https://broker.example/.well-known/acme-challenge".parse()?);
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    Ok((authority, harness, id))
}

#[tokio::test]
async fn what_caa_forbids_is_told_and_never_asked_of_the_authority() -> Result<()> {
    let (authority, harness, id) = laboratory(&[]).await?;
    let issuer = harness.issuer()?;
    for _ in 0..2 {
        let progress = issuer.advance(&id).await?;
        assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    }
    let saw = issuer.instructions(&id).await?.remove(0).last_look.unwrap().saw;
    assert_eq!(saw, "CAA forbids dns-01 for a.example.");
    assert_eq!(authority.asked(Endpoint::Challenge), 0);
    Ok(())
}

#[tokio::test]
async fn a_method_that_caa_excludes_gives_way_to_the_other() -> Result<()> {
    for (allowed, method, kind) in [
        (&["http-01"][..], ProofMethod::Redirected, "http-01"),
        (&["dns-01"], ProofMethod::Direct, "dns-01"),
        (&["dns-01", "http-01"], ProofMethod::Direct, "dns-01"),
    ] {
        let (authority, harness, id) = laboratory(allowed).await?;
        let issuer = harness.issuer()?;
        harness.until_issued(&issuer, &id).await?;
        assert_eq!(issuer.instructions(&id).await?[0].proven_by, Some(method));
        assert_eq!(authority.answered(0, 0), [kind]);
    }
    Ok(())
}

#[tokio::test]
async fn looking_at_caa_costs_the_authority_nothing() -> Result<()> {
    let (authority, harness, id) = laboratory(&[]).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    let asked = authority.asked_at_all();
    for days in 1..5 {
        harness.clock.advance(std::time::Duration::from_hours(24 * days));
        issuer.advance(&id).await?;
    }
    assert_eq!(authority.asked_at_all(), asked);
    Ok(())
}
