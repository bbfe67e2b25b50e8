//! What one process remembers of an order saves requests, and is never taken for what the authority says now.

use std::sync::Arc;
use std::time::Duration;

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::{CertificateIssuer, IssuanceId, IssuanceProgress, KeyType, ProofState};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, request};

/// An order that waits for its user.
async fn laboratory() -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    let probe = SharedProbe::default();
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    Ok((authority, probe, harness, id))
}

#[tokio::test]
async fn one_process_reads_nothing_twice() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    let nonces = authority.asked(Endpoint::Nonce);
    probe.see_everything(true);
    authority.lazy();
    issuer.advance(&id).await?;
    authority.validate();
    let progress = issuer.advance(&id).await?;
    assert!(matches!(progress, IssuanceProgress::Issued(_)), "{progress:?}");
    assert_eq!(authority.asked(Endpoint::Nonce), nonces, "each answer brings the nonce of the next request");
    assert_eq!(authority.asked(Endpoint::Authorization), 2);
    assert_eq!(
        authority.asked(Endpoint::Order),
        2,
        "once after the answers, once when they have been judged"
    );
    Ok(())
}

#[tokio::test]
async fn what_another_process_has_done_meanwhile_is_not_done_again() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let (one, other) = (harness.issuer()?, harness.issuer()?);
    one.advance(&id).await?;
    probe.see_everything(true);
    authority.lazy();
    other.advance(&id).await?;
    one.advance(&id).await?;
    assert_eq!(authority.asked(Endpoint::Challenge), 2);
    authority.validate();
    other.advance(&id).await?;
    assert!(matches!(one.advance(&id).await?, IssuanceProgress::Issued(_)));
    assert_eq!(authority.asked(Endpoint::Finalize), 1);
    Ok(())
}

#[tokio::test]
async fn an_order_that_has_failed_meanwhile_is_read_when_it_takes_no_answer() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    probe.see_everything(true);
    authority.fail_first_challenge("caa", "CAA record for a.example prevents issuance");
    authority.script(Endpoint::Challenge, [Reply::problem(400, "malformed", "the authorization is invalid")]);
    let progress = issuer.advance(&id).await?;
    assert_eq!(progress, IssuanceProgress::AwaitingProof { look_again: Duration::from_mins(1) });
    let saw = issuer.instructions(&id).await?.remove(0).last_look.unwrap().saw;
    assert!(saw.contains("CAA record for a.example"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_forgotten_meanwhile_is_replaced() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    probe.see_everything(true);
    let gone = || Reply::problem(404, "malformed", "no such order");
    authority.script(Endpoint::Challenge, [gone()]);
    authority.script(Endpoint::Order, [gone()]);
    assert_eq!(issuer.advance(&id).await?, IssuanceProgress::Working { again: Duration::ZERO });
    harness.until_issued(&issuer, &id).await?;
    assert_eq!(harness.record(&id).await?.orders_placed, 2);
    Ok(())
}

#[tokio::test]
async fn an_overloaded_authority_is_not_asked_for_more() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    probe.see_everything(true);
    for status in [429, 503] {
        authority.script(Endpoint::Challenge, [Reply::html(status, "30")]);
        let asked = authority.asked(Endpoint::Challenge);
        issuer.advance(&id).await.unwrap_err();
        assert_eq!(authority.asked(Endpoint::Challenge), asked + 1, "{status}");
    }
    harness.until_issued(&issuer, &id).await?;
    Ok(())
}

#[tokio::test]
async fn what_was_read_long_ago_is_read_again() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    harness.clock.advance(Duration::from_secs(61));
    probe.see_everything(true);
    authority.lazy();
    issuer.advance(&id).await?;
    assert_eq!(authority.asked(Endpoint::Authorization), 4);
    let states: Vec<_> = issuer.instructions(&id).await?.iter().map(|one| one.state).collect();
    assert_eq!(states, [ProofState::Answered, ProofState::Answered]);
    Ok(())
}

#[tokio::test]
async fn a_process_makes_good_every_answer_that_it_has_lost() -> Result<()> {
    for endpoint in [Endpoint::Order, Endpoint::Challenge, Endpoint::Finalize, Endpoint::Certificate] {
        let (authority, probe, harness, id) = laboratory().await?;
        let issuer = harness.issuer()?;
        issuer.advance(&id).await?;
        probe.see_everything(true);
        authority.script(endpoint, [Reply::Lose]);
        issuer.advance(&id).await.unwrap_err();
        harness.until_issued(&issuer, &id).await?;
        assert_eq!(authority.asked(Endpoint::NewOrder), 1, "{endpoint:?}");
    }
    Ok(())
}
