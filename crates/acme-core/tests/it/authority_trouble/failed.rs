//! Orders that fail, names that are refused, certificates that are not ours.

use std::time::Duration;

use anyhow::Result;
use contract::{CertificateIssuer, IssuanceProgress, ProofState, Remedy};

use super::{laboratory, refusal};
use crate::support::{Endpoint, Reply};

#[tokio::test]
async fn an_invalid_order_whose_reason_cannot_be_read_is_replaced() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    probe.see_everything(false);
    harness.issuer()?.advance(&id).await?;
    probe.see_everything(true);
    let body = serde_json::json!({
        "status": "invalid", "authorizations": [], "finalize": "https://ca.example/finalize",
        "error": {"type": "urn:x", "subproblems": [{"identifier": {"type": "quantum", "value": 7}}]},
    });
    authority
        .script(Endpoint::Order, [Reply::Say { status: 200, headers: Vec::new(), body: body.to_string() }]);
    let progress = harness.issuer()?.advance(&id).await?;
    assert_eq!(progress, IssuanceProgress::Working { again: Duration::ZERO });
    harness.until_issued_by_many(&id).await?;
    Ok(())
}

#[tokio::test]
async fn a_failed_challenge_is_shown_and_the_next_order_waits() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    probe.see_everything(false);
    harness.issuer()?.advance(&id).await?;
    probe.see_everything(true);
    authority.fail_first_challenge("caa", "CAA record for a.example prevents issuance");
    let progress = harness.issuer()?.advance(&id).await?;
    let minute = Duration::from_mins(1);
    assert_eq!(progress, IssuanceProgress::AwaitingProof { look_again: minute });
    let instructions = harness.issuer()?.instructions(&id).await?;
    assert_eq!((instructions[0].state, instructions[0].direct()), (ProofState::Open, None));
    assert_eq!(
        instructions[0].last_look.as_ref().unwrap().saw,
        "The certificate authority says: CAA record for a.example prevents issuance (caa)"
    );

    let asked = authority.asked_at_all();
    harness.clock.advance(Duration::from_secs(20));
    let progress = harness.issuer()?.advance(&id).await?;
    assert_eq!(progress, IssuanceProgress::AwaitingProof { look_again: Duration::from_secs(40) });
    assert_eq!(authority.asked_at_all(), asked, "whoever calls too early is held back");
    harness.clock.advance(Duration::from_secs(40));
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 2);
    Ok(())
}

#[tokio::test]
async fn an_order_that_fails_at_the_end_is_shown_and_the_next_one_waits() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    authority.slow();
    harness.issuer()?.advance(&id).await?;
    authority.fail_order("caa", "Rechecking CAA for a.example");
    let progress = harness.issuer()?.advance(&id).await?;
    assert_eq!(progress, IssuanceProgress::AwaitingProof { look_again: Duration::from_mins(1) });
    let instructions = harness.issuer()?.instructions(&id).await?;
    assert!(instructions[0].last_look.as_ref().unwrap().saw.contains("Rechecking CAA for a.example"));
    assert!(harness.record(&id).await?.chain.is_none());
    Ok(())
}

#[tokio::test]
async fn names_that_are_never_certified_end_the_issuance() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let body = serde_json::json!({
        "type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "Cannot issue",
        "subproblems": [{
            "type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "It is on the blocklist.",
            "identifier": {"type": "dns", "value": "b.example"}}],
    });
    authority.script(
        Endpoint::NewOrder,
        [Reply::Say { status: 400, headers: Vec::new(), body: body.to_string() }],
    );
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::GiveUp);
    let sentence = "The certificate authority does not issue for `b.example`: It is on the blocklist.";
    assert_eq!(error.tenant_sentence(), Some(sentence));
    Ok(())
}

#[tokio::test]
async fn a_foreign_certificate_is_never_stored() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let key = rcgen::KeyPair::generate()?;
    let names = ["a.example".to_owned(), "b.example".to_owned()];
    let pem = rcgen::CertificateParams::new(names)?.self_signed(&key)?.pem();
    authority.script(Endpoint::Certificate, [Reply::Say { status: 200, headers: Vec::new(), body: pem }]);
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::AwaitOperator);
    assert!(error.to_string().contains("for another key than ours"), "{error}");
    assert!(harness.record(&id).await?.chain.is_none());
    Ok(())
}
