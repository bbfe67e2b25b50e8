use anyhow::Result;
use contract::{CertificateIssuer, CertificateRequest, PortError, ProofMethod, Remedy};

use super::{Lab, OURS, asked_by};
use crate::support::names;

/// An issuance that has put a value into the zone and an answer into the site.
async fn half_way(lab: &Lab) -> Result<contract::IssuanceId> {
    lab.delegate("delegated.example", OURS);
    let request = CertificateRequest {
        served: names(&["served.example"]),
        ..asked_by(OURS, &["delegated.example", "served.example"])
    };
    let id = lab.harness.open("i-1", &request).await?;
    lab.look(&id).await?;
    assert!(!lab.harness.zone.is_empty() && !lab.harness.site.is_empty());
    Ok(id)
}

#[tokio::test]
async fn an_abandoned_issuance_leaves_nothing_behind() -> Result<()> {
    let lab = Lab::start().await?;
    let id = half_way(&lab).await?;
    lab.harness.issuer()?.abandon(&id).await?;
    assert!(lab.harness.zone.is_empty() && lab.harness.site.is_empty());
    assert_eq!(lab.harness.record(&id).await?.presented, []);
    lab.harness.issuer()?.abandon(&id).await?;
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_taken_away_now_is_taken_away_by_the_next_call() -> Result<()> {
    let lab = Lab::start().await?;
    let id = half_way(&lab).await?;
    let throttled = || PortError::new("remove a TXT value", Remedy::Retry { after: None }, "Throttling");
    lab.harness.plan.fail("zone.remove_txt", 1, throttled);
    let error = lab.harness.issuer()?.abandon(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::Retry { after: None });
    assert!(lab.harness.site.is_empty(), "the rest goes");
    assert!(lab.harness.record(&id).await?.private_key.is_none());
    lab.harness.issuer()?.abandon(&id).await?;
    assert!(lab.harness.zone.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_taken_away_does_not_hold_up_the_certificate() -> Result<()> {
    let lab = Lab::start().await?;
    lab.delegate("a.example", OURS);
    let id = lab.open("i-1", OURS, &["a.example"]).await?;
    let throttled = || PortError::new("remove a TXT value", Remedy::Retry { after: None }, "Throttling");
    lab.harness.plan.fail("zone.remove_txt", usize::MAX, throttled);
    assert_eq!(lab.issue(&id).await?, [ProofMethod::Delegated]);
    assert!(!lab.harness.zone.is_empty());
    lab.harness.plan.mend("zone.remove_txt");
    lab.harness.issuer()?.advance(&id).await?;
    assert!(lab.harness.zone.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_order_that_runs_out_takes_its_values_with_it() -> Result<()> {
    let lab = Lab::start().await?;
    let id = half_way(&lab).await?;
    let before = lab.harness.record(&id).await?;
    lab.harness.clock.set(before.order_expires.unwrap());
    lab.harness.issuer()?.advance(&id).await?;
    assert!(lab.harness.zone.is_empty() && lab.harness.site.is_empty());
    assert_eq!(lab.harness.record(&id).await?.presented, []);
    Ok(())
}
