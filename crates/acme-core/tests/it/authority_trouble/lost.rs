//! Answers that never came, and orders that are no more.

use std::time::Duration;

use anyhow::Result;
use contract::{CertificateIssuer, IssuanceProgress, Remedy};

use super::laboratory;
use crate::support::{Endpoint, Reply};

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
    assert_ne!(after.authorizations[0].dns, before.authorizations[0].dns);
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
