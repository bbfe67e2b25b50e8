//! Where the authority's proofs die within hours, what stays comes first: before it is there for every name, nothing is
//! ordered and nobody is shown a TXT value.

use std::sync::Arc;
use std::time::Duration;

use acme_core::{AcmeSettings, DurableFirst, ProofSettings};
use anyhow::Result;
use contract::{
    CertificateIssuer, CertificateRequest, DomainName, IssuanceId, IssuanceProgress, KeyType, ProofMethod,
    ProofState, ProofWay, Remedy,
};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, request};

use ProofMethod::{Delegated, ManagedName, Redirected};

const DAY: Duration = Duration::from_hours(24);

/// An operator who has set up everything, at an authority with the profile `shortlived`.
async fn laboratory(names: &[&str]) -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    authority.profiles(&["classic", "shortlived"]);
    let probe = SharedProbe::default();
    let settings =
        AcmeSettings { profile: Some("shortlived".into()), ..AcmeSettings::new(&authority.directory_url) };
    let mut harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    harness.proofs = ProofSettings {
        challenge_url: Some("https://broker.example/.well-known/acme-challenge".parse()?),
        challenge_host: Some(DomainName::parse("front.example")?),
        managed_zone: Some(DomainName::parse("cdn.example")?),
    };
    let id = harness.open("i-1", &asked(names)).await?;
    Ok((authority, probe, harness, id))
}

fn asked(names: &[&str]) -> CertificateRequest {
    CertificateRequest { tenant: "org-a".into(), ..request(KeyType::P256, names) }
}

async fn waits(harness: &Harness, id: &IssuanceId) -> Result<Duration> {
    match harness.issuer()?.advance(id).await? {
        IssuanceProgress::AwaitingProof { look_again } => Ok(look_again),
        progress => anyhow::bail!("it does not wait: {progress:?}"),
    }
}

#[tokio::test]
async fn nothing_is_ordered_and_no_value_is_shown_before_every_name_has_what_stays() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example", "b.example"]).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    let asked = authority.asked_at_all();
    let opened = harness.record(&id).await?.opened_at;
    for (age, look_again) in [(0, 2), (600, 10), (3600, 60), (2 * 86_400, 300), (30 * 86_400, 300)] {
        harness.clock.set(opened + Duration::from_secs(age));
        let look_again = Duration::from_secs(look_again);
        assert_eq!(issuer.advance(&id).await?, IssuanceProgress::AwaitingProof { look_again });
    }
    probe.see("b.example");
    issuer.advance(&id).await?;
    assert_eq!(authority.asked_at_all(), asked, "the authority hears nothing of all that");
    assert_eq!(authority.asked(Endpoint::NewOrder), 0);

    let instructions = issuer.instructions(&id).await?;
    for one in &instructions {
        let ways: Vec<_> = one.ways.iter().map(ProofWay::method).collect();
        assert_eq!((ways, one.expires), (vec![ManagedName, Redirected, Delegated], None));
        assert_eq!(one.state, ProofState::Open);
        assert!(one.next_look.is_some());
    }
    let methods: Vec<_> = instructions.iter().map(|one| one.proven_by).collect();
    assert_eq!(methods, [None, Some(Redirected)]);
    let saw = |index: usize| instructions[index].last_look.as_ref().map(|look| look.saw.as_str());
    assert_eq!(saw(0), Some("Nothing yet."));
    let there =
        "The answer is there over HTTP; the certificate is ordered as soon as every domain is as far.";
    assert_eq!(saw(1), Some(there));

    probe.see("a.example");
    harness.until_issued(&issuer, &id).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    assert_eq!(authority.ordered()[0].profile.as_deref(), Some("shortlived"));
    assert_eq!([authority.answered(0, 0), authority.answered(0, 1)], [["dns-01"], ["dns-01"]]);
    Ok(())
}

#[tokio::test]
async fn a_new_process_goes_on_looking_for_the_same() -> Result<()> {
    let (_authority, _probe, harness, id) = laboratory(&["a.example"]).await?;
    waits(&harness, &id).await?;
    let tokens = async || anyhow::Ok(harness.record(&id).await?.authorizations[0].http.clone());
    let first = tokens().await?;
    assert!(first.is_some());
    waits(&harness, &id).await?;
    assert_eq!(tokens().await?, first);
    Ok(())
}

#[tokio::test]
async fn an_order_that_has_died_is_followed_by_none_while_what_stays_is_gone() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example"]).await?;
    probe.see_everything(true);
    authority.script(Endpoint::Authorization, [Reply::html(503, "30")]);
    harness.issuer()?.advance(&id).await.unwrap_err();
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    probe.see_everything(false);
    waits(&harness, &id).await?;
    assert_eq!(harness.issuer()?.instructions(&id).await?[0].direct(), None, "nor now");
    harness.clock.advance(1000 * 365 * DAY);
    let progress = harness.issuer()?.advance(&id).await?;
    assert!(matches!(progress, IssuanceProgress::Working { .. }), "{progress:?}");
    for _ in 0..3 {
        harness.clock.advance(DAY);
        waits(&harness, &id).await?;
    }
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    Ok(())
}

#[tokio::test]
async fn after_a_failed_order_its_pause_comes_first_and_then_what_stays() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example"]).await?;
    probe.see_everything(true);
    authority.finds_fault(true);
    assert_eq!(waits(&harness, &id).await?, Duration::from_mins(1));
    let saw = async || {
        let instructions = harness.issuer()?.instructions(&id).await?;
        anyhow::Ok(instructions[0].last_look.as_ref().map(|look| look.saw.clone()).unwrap_or_default())
    };
    assert!(saw().await?.contains("the value is wrong"), "{}", saw().await?);
    assert!(waits(&harness, &id).await? <= Duration::from_mins(1));
    probe.see_everything(false);
    harness.clock.advance(Duration::from_mins(1));
    waits(&harness, &id).await?;
    assert_eq!(saw().await?, "Nothing yet.");
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    authority.finds_fault(false);
    probe.see_everything(true);
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 2);
    Ok(())
}

#[tokio::test]
async fn a_name_for_which_nothing_that_stays_is_set_up_is_refused_without_an_order() -> Result<()> {
    let (authority, _probe, mut harness, _) = laboratory(&["a.example"]).await?;
    harness.proofs.managed_zone = None;
    harness.proofs.challenge_host = None;
    let id = harness.open("i-2", &asked(&["a.example", "*.a.example"])).await?;
    let error = harness.issuer()?.advance(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::GiveUp, "{error}");
    assert!(error.tenant_sentence().is_some_and(|sentence| sentence.contains("`*.a.example`")), "{error}");
    assert_eq!(authority.asked(Endpoint::NewOrder), 0);
    Ok(())
}

#[tokio::test]
async fn an_operator_decides_otherwise_at_any_time() -> Result<()> {
    let (authority, _probe, mut harness, id) = laboratory(&["a.example"]).await?;
    waits(&harness, &id).await?;
    harness.settings.durable_first = DurableFirst::Never;
    waits(&harness, &id).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    assert!(harness.issuer()?.instructions(&id).await?[0].direct().is_some());

    harness.settings =
        AcmeSettings { profile: None, durable_first: DurableFirst::Always, ..harness.settings.clone() };
    let other = harness.open("i-2", &asked(&["b.example"])).await?;
    waits(&harness, &other).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    Ok(())
}

#[tokio::test]
async fn a_look_on_demand_is_taken_before_there_is_an_order() -> Result<()> {
    let (authority, probe, harness, id) = laboratory(&["a.example"]).await?;
    waits(&harness, &id).await?;
    probe.see_everything(true);
    harness.issuer()?.look(&id).await?;
    let instructions = harness.issuer()?.instructions(&id).await?;
    let saw = instructions[0].last_look.as_ref().map(|look| look.saw.as_str());
    assert_eq!(saw, Some("The answer is there over HTTP, as it should be."));
    assert_eq!(authority.asked(Endpoint::NewOrder), 0);
    Ok(())
}
