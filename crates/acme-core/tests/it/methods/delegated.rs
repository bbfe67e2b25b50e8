use std::time::Duration;

use anyhow::Result;
use contract::{
    CertificateIssuer, CertificateRequest, DomainName, ManagedZone, PortError, ProofMethod, ProofState,
    Remedy,
};

use super::{Lab, OURS, asked_by, label, saw, states};
use crate::support::Answer;

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

/// What users of an earlier broker have set: called by the name alone, and by nothing that says for whom.
fn old_owner(name: &str) -> String {
    format!("_acme-challenge.{name}.cdn.example.")
}

#[tokio::test]
async fn a_record_of_earlier_times_proves_for_who_has_inherited_it() -> Result<()> {
    let lab = Lab::start().await?;
    lab.dns.set("_acme-challenge.www.example.gov.", Answer::Cname(old_owner("www.example.gov")));
    let old = "left behind by the earlier broker";
    lab.harness.zone.add_txt(&old_owner("www.example.gov"), old).await?;
    let name = DomainName::parse("www.example.gov")?;
    let request = CertificateRequest { inherited: vec![name], ..asked_by(OURS, &["www.example.gov"]) };
    let outlook = lab.harness.issuer()?.outlook(&request).await?;
    assert_eq!(outlook[0].by_itself, Some(ProofMethod::Delegated));
    let id = lab.harness.open("i-1", &request).await?;
    lab.look(&id).await?;
    assert_eq!(lab.harness.zone.values(&old_owner("www.example.gov")).len(), 2);
    assert_eq!(lab.issue(&id).await?, [ProofMethod::Delegated]);
    assert_eq!(lab.harness.zone.values(&old_owner("www.example.gov")), [old], "ours is taken away");
    Ok(())
}

#[tokio::test]
async fn a_record_of_earlier_times_proves_for_nobody_else() -> Result<()> {
    let lab = Lab::start().await?;
    for (id, tenant, name) in [("i-1", OURS, "www.example.gov"), ("i-2", "org-b", "shop.example.gov")] {
        lab.dns.set(&format!("_acme-challenge.{name}."), Answer::Cname(old_owner(name)));
        // What an instance has inherited is good for that name alone.
        let inherited = vec![DomainName::parse("other.example.gov")?];
        let request = CertificateRequest { inherited, ..asked_by(tenant, &[name]) };
        assert_eq!(lab.harness.issuer()?.outlook(&request).await?[0].by_itself, None);
        let id = lab.harness.open(id, &request).await?;
        let one = lab.look(&id).await?.remove(0);
        assert!(saw(&one).contains("which is somebody else's"), "{}", saw(&one));
        assert!(lab.harness.zone.is_empty() && lab.answers() == 0);
    }
    Ok(())
}
