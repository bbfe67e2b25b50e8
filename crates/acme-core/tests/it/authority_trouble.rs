//! An authority that is overloaded, slow, forgetful or unwilling.

use std::sync::Arc;
use std::time::Duration;

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::{CertificateIssuer, IssuanceId, IssuanceProgress, KeyType, PortError, ProofState, Remedy};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, request};

async fn laboratory() -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    let probe = SharedProbe::seeing_everything();
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    Ok((authority, probe, harness, id))
}

async fn refusal(harness: &Harness, id: &IssuanceId) -> Result<PortError> {
    match harness.issuer()?.advance(id).await {
        Err(error) => Ok(error),
        Ok(progress) => anyhow::bail!("went on: {progress:?}"),
    }
}

#[tokio::test]
async fn overload_is_waited_out_as_long_as_the_authority_asks() -> Result<()> {
    let endpoints = [
        Endpoint::Directory,
        Endpoint::Nonce,
        Endpoint::NewAccount,
        Endpoint::NewOrder,
        Endpoint::Authorization,
        Endpoint::Challenge,
        Endpoint::Finalize,
        Endpoint::Certificate,
    ];
    for endpoint in endpoints {
        let (authority, _probe, harness, id) = laboratory().await?;
        for status in [429, 503] {
            authority.script(endpoint, [Reply::html(status, "30")]);
            let error = refusal(&harness, &id).await?;
            assert_eq!(
                error.remedy(),
                Remedy::Retry { after: Some(Duration::from_secs(30)) },
                "{endpoint:?} {status}: {error}"
            );
        }
        let dated =
            Reply::html(503, "Fri, 31 Dec 1999 23:59:59 GMT").with("date", "Fri, 31 Dec 1999 23:57:59 GMT");
        authority.script(endpoint, [dated]);
        let error = refusal(&harness, &id).await?;
        assert_eq!(error.remedy(), Remedy::Retry { after: Some(Duration::from_mins(2)) }, "{endpoint:?}");
        harness.until_issued_by_many(&id).await?;
        assert_eq!(harness.record(&id).await?.orders_placed, 1, "{endpoint:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_rate_limit_is_obeyed_and_explained() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let limited = Reply::problem(429, "rateLimited", "too many certificates (50) already issued");
    authority.script(Endpoint::NewOrder, [limited.with("retry-after", "7200")]);
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::Retry { after: Some(Duration::from_hours(2)) });
    assert!(error.to_string().contains("too many certificates"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_authority_that_never_answers_holds_nobody_up() -> Result<()> {
    for endpoint in [Endpoint::Directory, Endpoint::NewAccount, Endpoint::NewOrder, Endpoint::Finalize] {
        let (authority, _probe, mut harness, id) = laboratory().await?;
        authority.script(endpoint, [Reply::Hang]);
        harness.settings.request_timeout = Duration::from_millis(300);
        // On a busy machine an earlier request may take too long as well.
        while authority.asked(endpoint) == 0 {
            let error = refusal(&harness, &id).await?;
            assert_eq!(error.remedy(), Remedy::Retry { after: None }, "{endpoint:?}: {error}");
            assert!(error.to_string().contains("did not answer within 300ms"), "{error}");
        }
        harness.settings.request_timeout = Duration::from_secs(30);
        harness.until_issued_by_many(&id).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_cannot_be_reached_is_tried_again() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    drop(authority);
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::Retry { after: None }, "{error}");
    Ok(())
}

#[tokio::test]
async fn every_lost_answer_is_made_good() -> Result<()> {
    let endpoints = [
        Endpoint::NewAccount,
        Endpoint::NewOrder,
        Endpoint::Order,
        Endpoint::Authorization,
        Endpoint::Challenge,
        Endpoint::Finalize,
        Endpoint::Certificate,
    ];
    for endpoint in endpoints {
        let (authority, _probe, harness, id) = laboratory().await?;
        authority.script(endpoint, [Reply::Lose]);
        let issuer = harness.issuer()?;
        let lost = loop {
            match issuer.advance(&id).await {
                Ok(IssuanceProgress::Issued(_)) => break None,
                Ok(_) => {}
                Err(error) => break Some(error),
            }
        };
        if let Some(lost) = lost {
            assert_eq!(lost.remedy(), Remedy::Retry { after: None }, "{endpoint:?}: {lost}");
        }
        harness.until_issued_by_many(&id).await?;
        let finalized_anew = usize::from(endpoint == Endpoint::Finalize);
        assert!(authority.asked(Endpoint::Finalize) <= 1 + finalized_anew, "{endpoint:?}");
        let placed_anew = usize::from(endpoint == Endpoint::NewOrder);
        assert_eq!(authority.asked(Endpoint::NewOrder), 1 + placed_anew, "{endpoint:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_finalization_of_a_valid_order_is_success() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let still_ready = |order: usize| {
        let body = serde_json::json!({
            "status": "ready", "authorizations": [], "expires": "2999-01-01T00:00:00Z",
            "finalize": authority.directory_url.replace("directory", &format!("finalize/{order}")),
        });
        Reply::Say { status: 200, headers: Vec::new(), body: body.to_string() }
    };
    authority.script(Endpoint::Finalize, [Reply::Lose]);
    while harness.issuer()?.advance(&id).await.is_ok() {}
    // The authority's front end has not heard of the finalization yet.
    authority.script(Endpoint::Order, [still_ready(0)]);
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::Finalize), 2);
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    Ok(())
}

#[tokio::test]
async fn a_certificate_in_the_making_is_waited_for() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    authority.slow();
    for _ in 0..3 {
        let progress = harness.issuer()?.advance(&id).await?;
        assert!(matches!(progress, IssuanceProgress::Working { .. }), "{progress:?}");
    }
    assert_eq!(authority.asked(Endpoint::Finalize), 1);
    authority.complete();
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::Finalize), 1);
    Ok(())
}

#[tokio::test]
async fn an_authority_that_asks_for_time_while_processing_gets_it() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    authority.slow();
    harness.issuer()?.advance(&id).await?;
    let body = serde_json::json!({
        "status": "processing", "authorizations": [], "finalize": "https://ca.example/finalize",
    });
    let busy = Reply::Say { status: 200, headers: Vec::new(), body: body.to_string() };
    authority.script(Endpoint::Order, [busy.with("retry-after", "3")]);
    let asked = authority.asked(Endpoint::Order);
    let progress = harness.issuer()?.advance(&id).await?;
    assert_eq!(progress, IssuanceProgress::Working { again: Duration::from_secs(3) });
    assert_eq!(authority.asked(Endpoint::Order) - asked, 1);
    Ok(())
}

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
async fn an_order_that_needs_no_proof_is_finalized_at_once() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    probe.see_everything(false);
    authority.valid_from_the_start(true);
    let progress = harness.issuer()?.advance(&id).await?;
    assert!(matches!(progress, IssuanceProgress::Issued(_)), "{progress:?}");
    assert_eq!(authority.asked(Endpoint::Challenge), 0);
    Ok(())
}

#[tokio::test]
async fn an_order_that_runs_out_is_replaced_with_fresh_instructions_for_the_same_key() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    probe.see_everything(false);
    harness.clock.set(contract::Timestamp::from_secs(1_767_225_600));
    authority.expires("2026-01-08T00:00:00Z");
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    let before = harness.record(&id).await?;
    let asked = authority.asked_at_all();
    harness.clock.advance(Duration::from_hours(168));
    authority.expires("2026-01-15T00:00:00Z");
    assert_eq!(issuer.advance(&id).await?, IssuanceProgress::Working { again: Duration::ZERO });
    assert_eq!(authority.asked_at_all(), asked, "that it has run out is known without asking");

    issuer.advance(&id).await?;
    let after = harness.record(&id).await?;
    assert_eq!((after.orders_placed, &after.private_key, &after.csr), (2, &before.private_key, &before.csr));
    assert_ne!(after.authorizations[0].value, before.authorizations[0].value);
    Ok(())
}

#[tokio::test]
async fn an_order_that_the_authority_has_forgotten_is_replaced() -> Result<()> {
    for gone in [
        Reply::Say { status: 404, headers: Vec::new(), body: String::new() },
        Reply::problem(404, "malformed", "No order for ID 1"),
        Reply::Say { status: 200, headers: Vec::new(), body: r#"{"status":"deactivated"}"#.into() },
    ] {
        let (authority, probe, harness, id) = laboratory().await?;
        probe.see_everything(false);
        harness.issuer()?.advance(&id).await?;
        probe.see_everything(true);
        authority.script(Endpoint::Order, [gone.clone()]);
        let progress = harness.issuer()?.advance(&id).await?;
        assert_eq!(progress, IssuanceProgress::Working { again: Duration::ZERO }, "{gone:?}");
        harness.until_issued_by_many(&id).await?;
        assert_eq!(harness.record(&id).await?.orders_placed, 2);
    }
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
async fn refused_nonces_are_replaced_also_for_a_new_account() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let refused = || Reply::problem(400, "badNonce", "stale");
    authority.script(Endpoint::NewAccount, [refused(), refused(), refused()]);
    authority.script(Endpoint::NewOrder, [refused(), refused()]);
    harness.until_issued(&harness.issuer()?, &id).await?;
    assert_eq!(authority.asked(Endpoint::NewAccount), 4);
    assert_eq!(authority.asked(Endpoint::NewOrder), 3);
    Ok(())
}

#[tokio::test]
async fn endless_nonce_refusal_is_tried_again_later() -> Result<()> {
    for endpoint in [Endpoint::NewAccount, Endpoint::NewOrder] {
        let (authority, _probe, harness, id) = laboratory().await?;
        authority.script(endpoint, std::iter::repeat_n(Reply::problem(400, "badNonce", "stale"), 5));
        let error = refusal(&harness, &id).await?;
        assert_eq!(error.remedy(), Remedy::Retry { after: None }, "{endpoint:?}: {error}");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory().await?;
    let body = "x".repeat(2 * 1024 * 1024);
    authority.script(Endpoint::NewOrder, [Reply::Say { status: 200, headers: Vec::new(), body }]);
    let error = refusal(&harness, &id).await?;
    assert_eq!(error.remedy(), Remedy::Retry { after: None });
    assert!(error.to_string().contains("larger than 1048576 bytes"), "{error}");
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

#[tokio::test]
async fn the_product_stands_before_the_library_in_the_user_agent() -> Result<()> {
    let (authority, _probe, mut harness, id) = laboratory().await?;
    harness.settings.user_agent = "cdn-broker/1.0".into();
    harness.until_issued(&harness.issuer()?, &id).await?;
    let agents = authority.user_agents();
    assert!(agents.iter().all(|agent| agent.starts_with("cdn-broker/1.0")), "{agents:?}");
    assert!(agents.iter().any(|agent| agent.contains("instant-acme/")), "{agents:?}");
    Ok(())
}
