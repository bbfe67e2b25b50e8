//! A waiting issuance asks the authority for nothing, and a proof that is not ours is never answered.

use std::sync::Arc;
use std::time::Duration;

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::{CertificateIssuer, IssuanceId, IssuanceProgress, KeyType, ProofState};

use crate::support::{
    Answer, Endpoint, Harness, NameServer, Pebble, PebbleOptions, Reply, Scripted, SharedProbe, request,
};

async fn laboratory(names: &[&str]) -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    let probe = SharedProbe::default();
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    let id = harness.open("i-1", &request(KeyType::P256, names)).await?;
    Ok((authority, probe, harness, id))
}

#[tokio::test]
async fn waiting_asks_the_authority_for_nothing_and_looks_ever_more_seldom() -> Result<()> {
    let (authority, _probe, harness, id) = laboratory(&["a.example", "b.example"]).await?;
    let issuer = harness.issuer()?;
    assert_eq!(
        issuer.advance(&id).await?,
        IssuanceProgress::AwaitingProof { look_again: Duration::from_secs(2) }
    );
    let asked = authority.asked_at_all();
    for (age, look_again) in [(600, 10), (3600, 60), (2 * 86_400, 300), (6 * 86_400, 300)] {
        harness.clock.set(harness.record(&id).await?.opened_at + Duration::from_secs(age));
        let look_again = Duration::from_secs(look_again);
        assert_eq!(
            issuer.advance(&id).await?,
            IssuanceProgress::AwaitingProof { look_again },
            "after {age} s"
        );
        assert_eq!(
            issuer.advance(&id).await?,
            IssuanceProgress::AwaitingProof { look_again },
            "after {age} s"
        );
        let at = issuer.instructions(&id).await?[0].last_look.as_ref().map(|look| look.at);
        assert_eq!(at, Some(contract::Clock::now(&harness.clock)));
    }
    assert_eq!(authority.asked_at_all(), asked, "while waiting");
    Ok(())
}

#[tokio::test]
async fn each_domain_goes_its_own_way() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example", "b.example"]).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    probe.see("b.example");
    for _ in 0..2 {
        let progress = issuer.advance(&id).await?;
        assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    }
    let states: Vec<_> = issuer.instructions(&id).await?.iter().map(|one| one.state).collect();
    assert_eq!(states, [ProofState::Open, ProofState::Proven]);
    assert_eq!(authority.asked(Endpoint::Challenge), 1);

    let asked = authority.asked_at_all();
    issuer.advance(&id).await?;
    assert_eq!(authority.asked_at_all(), asked, "what is proven needs no more questions");
    probe.see("a.example");
    harness.until_issued(&issuer, &id).await?;
    assert_eq!(authority.asked(Endpoint::Challenge), 2, "each challenge is answered once");
    Ok(())
}

#[tokio::test]
async fn an_answered_challenge_is_not_answered_again_while_the_authority_is_at_work() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example", "b.example"]).await?;
    authority.lazy();
    probe.see_everything(true);
    let shortly = IssuanceProgress::Working { again: Duration::from_millis(2) };
    assert_eq!(harness.issuer()?.advance(&id).await?, shortly);
    harness.clock.advance(Duration::from_secs(4));
    let later = IssuanceProgress::Working { again: Duration::from_secs(2) };
    assert_eq!(harness.issuer()?.advance(&id).await?, later);
    let states: Vec<_> = harness.issuer()?.instructions(&id).await?.iter().map(|one| one.state).collect();
    assert_eq!(states, [ProofState::Answered, ProofState::Answered]);
    assert_eq!(authority.asked(Endpoint::Challenge), 2);
    authority.validate();
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::Challenge), 2);
    Ok(())
}

#[tokio::test]
async fn what_was_seen_is_kept_when_the_authority_refuses_to_look() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example", "b.example"]).await?;
    harness.issuer()?.advance(&id).await?;
    probe.see_everything(true);
    harness.clock.advance(Duration::from_secs(9));
    authority.lazy();
    authority.script(Endpoint::Challenge, [Reply::Lose, Reply::html(503, "30")]);
    for _ in 0..2 {
        harness.issuer()?.advance(&id).await.unwrap_err();
        let looks = harness.issuer()?.instructions(&id).await?.into_iter().filter_map(|one| one.last_look);
        let now = contract::Clock::now(&harness.clock);
        assert!(
            looks.into_iter().all(|look| look.at == now && look.saw.starts_with("The TXT record is there"))
        );
    }
    harness.issuer()?.advance(&id).await?;
    authority.validate();
    harness.until_issued_by_many(&id).await?;
    Ok(())
}

#[tokio::test]
async fn a_wrong_value_is_never_answered() -> Result<()> {
    let dns = NameServer::start().await?;
    let pebble = Pebble::start(dns.address, PebbleOptions::default()).await?;
    let settings = AcmeSettings {
        root_certificates_pem: Some(pebble.root_pem.clone()),
        ..AcmeSettings::new(&pebble.directory_url)
    };
    let harness = Harness::new(settings, dns.address)?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    let asked = pebble.requests("");
    dns.set("_acme-challenge.a.example.", Answer::Txt(vec![vec!["of another order".into()]]));
    for _ in 0..3 {
        let progress = issuer.advance(&id).await?;
        assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    }
    assert_eq!(pebble.requests(""), asked);
    let saw = issuer.instructions(&id).await?[0].last_look.as_ref().unwrap().saw.clone();
    let quoting = "`_acme-challenge.a.example` answers TXT `of another order`, but we need `";
    assert!(saw.starts_with(quoting), "{saw}");
    // The right value beside the wrong one is enough (D13).
    harness.set_records(&id, &dns).await?;
    harness.until_issued(&issuer, &id).await?;
    Ok(())
}
