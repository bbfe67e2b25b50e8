//! The same where what stays has to be seen before anything is ordered.

use anyhow::Result;
use contract::testing::{Outcome, until_crash};
use contract::{CertificateIssuer, IssuanceId, ProofMethod};

use super::proofs::{laboratory as undecided, nothing_is_left, until_issued, wanted};
use crate::support::{Endpoint, Harness, Scripted};

/// One name is delegated to the zone and one is served from the site; the profile is one whose proofs die within hours.
async fn laboratory() -> Result<(Scripted, Harness, IssuanceId)> {
    let (authority, mut harness, _) = undecided().await?;
    harness.settings.profile = Some("shortlived".into());
    let id = harness.open("i-2", &wanted(&["delegated.example", "served.example"])).await?;
    Ok((authority, harness, id))
}

#[tokio::test]
async fn dying_at_any_point_of_a_rehearsal_or_after_it_leaves_nothing_behind() -> Result<()> {
    let (authority, undisturbed, id) = laboratory().await?;
    let opened = undisturbed.plan.points_passed();
    until_issued(&undisturbed, &id).await?;
    nothing_is_left(&undisturbed, None);
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    for point in opened + 1..=undisturbed.plan.points_passed() {
        let (authority, harness, id) = laboratory().await?;
        harness.plan.crash_at(point);
        let outcome = until_crash(&harness.plan, until_issued(&harness, &id)).await;
        assert!(matches!(outcome, Outcome::Crashed), "point {point} was not reached");
        harness.until_issued_by_many(&id).await?;
        let died = harness.plan.died_at();
        harness.issuer()?.advance(&id).await?;
        nothing_is_left(&harness, died.as_deref());
        assert_eq!(harness.record(&id).await?.presented, [], "{died:?}");
        assert_eq!(authority.asked(Endpoint::Finalize), 1, "{died:?}");
        assert!(authority.asked(Endpoint::NewOrder) <= 2, "{died:?}");
        let methods: Vec<_> =
            harness.issuer()?.instructions(&id).await?.iter().map(|one| one.proven_by).collect();
        let expected = [ProofMethod::Delegated, ProofMethod::ThroughCdn].map(Some);
        assert!(methods.iter().zip(expected).all(|(found, right)| found.is_none() || *found == right));
    }
    Ok(())
}
