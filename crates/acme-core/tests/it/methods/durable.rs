use acme_core::DurableFirst;
use anyhow::Result;
use contract::{CertificateIssuer, CertificateRequest, InstanceId, ProofMethod};

use super::{Lab, OURS, asked_by, saw};
use crate::support::{Answer, names};

use ProofMethod::{Delegated, ManagedName, Redirected, ThroughCdn};

async fn laboratory() -> Result<Lab> {
    let mut lab = Lab::start().await?;
    lab.harness.settings.durable_first = DurableFirst::Always;
    Ok(lab)
}

#[tokio::test]
async fn what_stays_is_seen_working_in_every_way_before_anything_is_ordered() -> Result<()> {
    let lab = laboratory().await?;
    lab.site_at("old.example");
    let instance = InstanceId::new("i-1");
    lab.dns.set("live.example.", Answer::at(&["127.0.0.14"]));
    lab.town.serve("live.example", &instance);
    let wanted = ["www.example.gov", "old.example", "*.wild.example", "live.example"];
    let served = names(&["live.example"]);
    let request = CertificateRequest { site: instance, served, ..asked_by(OURS, &wanted) };
    let id = lab.harness.open("i-1", &request).await?;

    lab.look(&id).await?;
    lab.point("www.example.gov", OURS, "front.example").await?;
    lab.look(&id).await?;
    lab.manage("www.example.gov", OURS);
    lab.look(&id).await?;
    lab.redirect("old.example", 302, OURS);
    lab.look(&id).await?;
    lab.delegate("wild.example", OURS);
    assert_eq!(lab.pebble.requests("/order-plz"), 0);
    assert_eq!(lab.issue(&id).await?, [ManagedName, Redirected, Delegated, ThroughCdn]);
    assert_eq!(lab.pebble.requests("/order-plz"), 1);
    assert_eq!(lab.answers(), 4, "none has failed");
    assert!(lab.harness.site.is_empty());
    assert_eq!(lab.harness.record(&id).await?.presented, [], "nothing of a rehearsal or an order is left");
    Ok(())
}

#[tokio::test]
async fn a_txt_record_of_ones_own_is_told_to_be_in_the_way() -> Result<()> {
    let lab = laboratory().await?;
    let id = lab.open("i-1", OURS, &["www.example.gov"]).await?;
    lab.dns.set("_acme-challenge.www.example.gov.", Answer::Txt(vec![vec!["of long ago".into()]]));
    let one = lab.look(&id).await?.remove(0);
    let told =
        "`_acme-challenge.www.example.gov` has a TXT record of its own: to delegate to `_acme-challenge.";
    assert!(saw(&one).starts_with(told), "{}", saw(&one));
    let value = lab.harness.record(&id).await?.authorizations[0].dns.clone().unwrap();
    lab.dns.set("_acme-challenge.www.example.gov.", Answer::Txt(vec![vec![value]]));
    let one = lab.look(&id).await?.remove(0);
    assert!(saw(&one).starts_with(told), "{}", saw(&one));
    assert_eq!(lab.pebble.requests("/order-plz"), 0);
    Ok(())
}

#[tokio::test]
async fn what_somebody_else_has_set_up_lets_nobody_order() -> Result<()> {
    let lab = laboratory().await?;
    lab.delegate("www.example.gov", "org-b");
    lab.site_at("www.example.gov");
    lab.redirect("www.example.gov", 302, "org-b");
    let id = lab.open("i-1", OURS, &["www.example.gov"]).await?;
    for _ in 0..2 {
        let one = lab.look(&id).await?.remove(0);
        assert!(saw(&one).contains("somebody else's"), "{}", saw(&one));
    }
    assert_eq!(lab.pebble.requests("/order-plz"), 0);
    assert!(lab.harness.zone.is_empty());
    lab.harness.issuer()?.abandon(&id).await?;
    Ok(())
}
