use anyhow::Result;
use contract::{CertificateRequest, ProofMethod, ProofState};

use super::{Lab, OURS, asked_by, states};
use crate::support::{Answer, names};

use ProofMethod::{Delegated, Direct, ManagedName, Redirected, ThroughCdn};

const NAMES: [&str; 5] =
    ["managed.example", "redirected.example", "served.example", "delegated.example", "direct.example"];

/// Looks until the domains of these numbers are proven, and checks that nobody else is.
async fn until_proven(lab: &Lab, id: &contract::IssuanceId, numbers: &[usize]) -> Result<()> {
    for _ in 0..500 {
        let states = states(&lab.look(id).await?);
        let done: Vec<usize> =
            (0..states.len()).filter(|number| states[*number] != ProofState::Open).collect();
        assert!(done.iter().all(|number| numbers.contains(number)), "{states:?}");
        lab.harness.clock.advance(std::time::Duration::from_millis(100));
        if (0..states.len())
            .filter(|number| states[*number] == ProofState::Proven)
            .eq(numbers.iter().copied())
        {
            return Ok(());
        }
    }
    anyhow::bail!("{numbers:?} were never proven")
}

#[tokio::test]
async fn every_domain_goes_its_own_way_and_is_answered_as_soon_as_it_is_seen() -> Result<()> {
    let lab = Lab::start().await?;
    lab.site_at("redirected.example");
    lab.dns.set("served.example.", Answer::at(&["127.0.0.12"]));
    let request = CertificateRequest { served: names(&["served.example"]), ..asked_by(OURS, &NAMES) };
    let id = lab.harness.open("i-1", &request).await?;
    until_proven(&lab, &id, &[]).await?;

    lab.redirect("redirected.example", 302, OURS);
    until_proven(&lab, &id, &[1]).await?;
    lab.delegate("delegated.example", OURS);
    until_proven(&lab, &id, &[1, 3]).await?;
    lab.town.serve("served.example", &request.site);
    lab.dns.set("served.example.", Answer::at(&["127.0.0.14"]));
    until_proven(&lab, &id, &[1, 2, 3]).await?;
    lab.manage("managed.example", OURS);
    lab.point("managed.example", OURS, "front.example").await?;
    until_proven(&lab, &id, &[0, 1, 2, 3]).await?;
    lab.harness.set_records(&id, &lab.dns).await?;

    assert_eq!(lab.issue(&id).await?, [ManagedName, Redirected, ThroughCdn, Delegated, Direct]);
    assert_eq!(lab.answers(), 5, "each challenge once, and none has failed");
    assert_eq!(lab.harness.record(&id).await?.failure, None);
    assert!(lab.harness.site.is_empty());
    assert_eq!(lab.pebble.requests("POST /order-plz"), 1);
    Ok(())
}

#[tokio::test]
async fn a_domain_that_is_proven_both_ways_at_once_is_answered_once() -> Result<()> {
    let lab = Lab::start().await?;
    lab.site_at("a.example");
    lab.redirect("a.example", 302, OURS);
    let id = lab.open("i-1", OURS, &["a.example", "b.example"]).await?;
    lab.look(&id).await?;
    lab.harness.set_records(&id, &lab.dns).await?;
    lab.issue(&id).await?;
    assert_eq!(lab.answers(), 2);
    Ok(())
}
