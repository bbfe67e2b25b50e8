//! Orders that take their time, or none at all.

use std::time::Duration;

use anyhow::Result;
use contract::{CertificateIssuer, IssuanceProgress};

use super::laboratory;
use crate::support::{Endpoint, Reply};

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
async fn an_order_that_needs_no_proof_is_finalized_at_once() -> Result<()> {
    let (authority, probe, harness, id) = laboratory().await?;
    probe.see_everything(false);
    authority.valid_from_the_start(true);
    let progress = harness.issuer()?.advance(&id).await?;
    assert!(matches!(progress, IssuanceProgress::Issued(_)), "{progress:?}");
    assert_eq!(authority.asked(Endpoint::Challenge), 0);
    Ok(())
}
