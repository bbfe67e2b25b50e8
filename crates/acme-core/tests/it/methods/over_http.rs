use anyhow::Result;
use contract::{CertificateIssuer, CertificateRequest, InstanceId, KeyType, ProofMethod};

use super::{Lab, OURS, asked_by, saw};
use crate::support::{Answer, names};

use ProofMethod::{Delegated, Direct, ManagedName, Redirected};

#[tokio::test]
async fn a_site_redirects_its_challenge_path_with_any_status_that_the_authority_follows() -> Result<()> {
    let lab = Lab::start().await?;
    let names = ["moved.example", "found.example", "temporary.example", "permanent.example"];
    for name in names {
        lab.site_at(name);
    }
    let id = lab.open("i-1", OURS, &names).await?;
    for one in lab.look(&id).await? {
        assert_eq!(saw(&one), format!("`_acme-challenge.{}` does not exist yet (NXDOMAIN).", one.name));
    }
    for (name, status) in names.iter().zip([301, 302, 307, 308]) {
        lab.redirect(name, status, OURS);
    }
    assert_eq!(lab.issue(&id).await?, [Redirected; 4]);
    assert_eq!(lab.answers(), 4, "none has failed");
    Ok(())
}

#[tokio::test]
async fn a_managed_name_is_proven_by_one_cname() -> Result<()> {
    let lab = Lab::start().await?;
    let id = lab.open("i-1", OURS, &["www.example.gov"]).await?;
    lab.look(&id).await?;
    lab.manage("www.example.gov", OURS);
    lab.point("www.example.gov", OURS, "front.example").await?;
    assert_eq!(lab.issue(&id).await?, [ManagedName]);
    assert_eq!(lab.answers(), 1);
    Ok(())
}

#[tokio::test]
async fn what_the_cdn_serves_is_proven_without_anybody_doing_anything() -> Result<()> {
    let lab = Lab::start().await?;
    let instance = InstanceId::new("i-1");
    lab.town.serve("www.example.gov", &instance);
    lab.manage("www.example.gov", OURS);
    lab.point("www.example.gov", OURS, "edge.example").await?;
    lab.dns.set("example.gov.", Answer::at(&["127.0.0.14"]));
    lab.town.serve("example.gov", &instance);
    let both = names(&["www.example.gov", "example.gov"]);
    let request = CertificateRequest {
        tenant: OURS.into(),
        site: instance.clone(),
        served: both.clone(),
        ..CertificateRequest::new(both, KeyType::P256)
    };
    let id = lab.harness.open("renewal", &request).await?;
    assert_eq!(lab.issue(&id).await?, [ProofMethod::ThroughCdn; 2]);
    assert!(lab.harness.site.is_empty(), "what was presented is withdrawn");
    assert_eq!(lab.harness.record(&id).await?.presented, []);
    Ok(())
}

#[tokio::test]
async fn a_name_that_has_left_the_cdn_can_be_proven_otherwise() -> Result<()> {
    let lab = Lab::start().await?;
    lab.site_at("www.example.gov");
    let both = names(&["www.example.gov"]);
    let request = CertificateRequest { served: both, ..asked_by(OURS, &["www.example.gov"]) };
    let id = lab.harness.open("renewal", &request).await?;
    let one = lab.look(&id).await?.remove(0);
    assert!(saw(&one).contains("404"), "{}", saw(&one));
    assert_eq!(one.ways[0].method(), ProofMethod::ThroughCdn);
    lab.harness.set_records(&id, &lab.dns).await?;
    assert_eq!(lab.issue(&id).await?, [Direct]);
    assert!(lab.harness.site.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_redirect_to_the_wrong_place_is_told_and_never_answered() -> Result<()> {
    let lab = Lab::start().await?;
    lab.site_at("www.example.gov");
    let id = lab.open("i-1", OURS, &["www.example.gov"]).await?;
    let to_the_name = format!("{}/www.example.gov/", lab.town.challenge_url());
    for (to, told) in [
        (to_the_name.as_str(), "nothing on the way says for whom"),
        ("http://broker.example:1/x/", "port"),
        ("http://www.example.gov/.well-known/acme-challenge/", "circle"),
    ] {
        lab.town.redirect("www.example.gov", 302, to);
        let one = lab.look(&id).await?.remove(0);
        assert!(saw(&one).contains(told), "{to}: {}", saw(&one));
        assert!(saw(&one).is_ascii());
    }
    assert_eq!(lab.answers(), 0);
    lab.redirect("www.example.gov", 302, OURS);
    assert_eq!(lab.issue(&id).await?, [Redirected]);
    Ok(())
}

#[tokio::test]
async fn instructions_offer_every_way_and_when_somebody_looks_next() -> Result<()> {
    let lab = Lab::start().await?;
    let id = lab.open("i-1", OURS, &["www.example.gov", "*.example.gov"]).await?;
    let instructions = lab.look(&id).await?;
    let methods =
        |index: usize| instructions[index].ways.iter().map(contract::ProofWay::method).collect::<Vec<_>>();
    assert_eq!(methods(0), [ManagedName, Redirected, Delegated, Direct]);
    assert_eq!(methods(1), [Delegated, Direct]);
    let now = contract::Clock::now(&lab.harness.clock);
    assert_eq!(instructions[0].next_look, Some(now + std::time::Duration::from_secs(2)));
    assert_eq!(lab.harness.issuer()?.instructions(&id).await?, instructions);
    Ok(())
}
