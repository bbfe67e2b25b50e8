use std::time::Duration;

use anyhow::Result;
use contract::{CertificateIssuer, ManagedZone, PortError, ProofMethod, ProofState, Remedy};

use super::{Lab, OURS, label, saw, states};

fn owner(name: &str) -> String {
    format!("_acme-challenge.{}.cdn.example.", label(OURS, name))
}

#[tokio::test]
async fn a_delegated_name_is_proven_by_a_value_in_our_zone() -> Result<()> {
    let lab = Lab::start().await?;
    let id = lab.open("i-1", OURS, &["www.example.gov"]).await?;
    lab.look(&id).await?;
    assert!(lab.harness.zone.is_empty(), "nothing is written before the delegation has been seen");
    lab.delegate("www.example.gov", OURS);
    let one = lab.look(&id).await?.remove(0);
    assert!(saw(&one).starts_with("`_acme-challenge.www.example.gov` leads to"), "{}", saw(&one));
    assert_eq!(lab.harness.zone.values(&owner("www.example.gov")).len(), 1);
    assert_eq!(lab.answers(), 0, "it has not been seen yet");
    assert_eq!(lab.issue(&id).await?, [ProofMethod::Delegated]);
    assert!(lab.harness.zone.is_empty(), "it is taken away");
    Ok(())
}

#[tokio::test]
async fn a_name_and_its_wildcard_share_a_record_with_two_values() -> Result<()> {
    let lab = Lab::start().await?;
    lab.delegate("example.gov", OURS);
    let id = lab.open("i-1", OURS, &["example.gov", "*.example.gov"]).await?;
    lab.look(&id).await?;
    assert_eq!(lab.harness.zone.values(&owner("example.gov")).len(), 2);
    assert_eq!(lab.issue(&id).await?, [ProofMethod::Delegated; 2]);
    assert!(lab.harness.zone.is_empty());
    Ok(())
}

#[tokio::test]
async fn two_instances_of_one_organization_do_not_get_into_each_others_way() -> Result<()> {
    let lab = Lab::start().await?;
    lab.delegate("example.gov", OURS);
    let one = lab.open("i-1", OURS, &["example.gov"]).await?;
    let other = lab.open("i-2", OURS, &["*.example.gov"]).await?;
    lab.look(&one).await?;
    lab.look(&other).await?;
    assert_eq!(lab.harness.zone.values(&owner("example.gov")).len(), 2);
    lab.issue(&one).await?;
    assert_eq!(lab.harness.zone.values(&owner("example.gov")).len(), 1, "the other's value stays");
    lab.issue(&other).await?;
    assert!(lab.harness.zone.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_value_that_somebody_has_taken_away_is_put_back() -> Result<()> {
    let lab = Lab::start().await?;
    lab.delegate("www.example.gov", OURS);
    let id = lab.open("i-1", OURS, &["www.example.gov"]).await?;
    lab.look(&id).await?;
    let values = lab.harness.zone.values(&owner("www.example.gov"));
    lab.harness.zone.remove_txt(&owner("www.example.gov"), &values[0]).await?;
    lab.look(&id).await?;
    assert!(lab.harness.zone.is_empty(), "the world is given time to notice");
    lab.harness.clock.advance(Duration::from_mins(5));
    assert_eq!(lab.issue(&id).await?, [ProofMethod::Delegated]);
    Ok(())
}

#[tokio::test]
async fn a_zone_that_cannot_be_written_holds_up_nobody_else() -> Result<()> {
    let lab = Lab::start().await?;
    lab.delegate("a.example", OURS);
    let id = lab.open("i-1", OURS, &["a.example", "b.example"]).await?;
    let denied = || PortError::new("add a TXT value", Remedy::AwaitOperator, "AccessDenied");
    lab.harness.plan.fail("zone.add_txt", 2, denied);
    let error = lab.harness.issuer()?.advance(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::AwaitOperator, "{error}");
    let instructions = lab.harness.issuer()?.instructions(&id).await?;
    let txt = instructions[1].direct().unwrap();
    lab.dns.add_txt(&txt.name, &txt.value);
    let then = lab.look(&id).await?;
    assert_eq!(states(&then)[0], ProofState::Open);
    assert_ne!(states(&then)[1], ProofState::Open, "it has gone on");
    assert_eq!(lab.issue(&id).await?, [ProofMethod::Delegated, ProofMethod::Direct]);
    Ok(())
}
