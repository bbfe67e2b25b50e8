//! The same while proofs are put where the world can see them and taken away again: at the end nothing is left anywhere,
//! and no domain was answered for twice in different ways.

use std::sync::Arc;

use acme_core::AcmeSettings;
use anyhow::Result;
use async_trait::async_trait;
use contract::testing::{FakeSite, FakeZone, Outcome, until_crash};
use contract::{
    CaaQuestion, CertificateIssuer, CertificateRequest, DomainName, Hop, HttpQuestion, InstanceId,
    IssuanceId, IssuanceProgress, KeyType, PortResult, ProofMethod, ProofProbe, Sighting, TxtQuestion,
    Verdict, durable_label,
};

use crate::support::{Endpoint, Harness, Scripted, names, request};

const TENANT: &str = "org-a";
const SITE: &str = "i-1";

/// The world around the fakes: `delegated.example` is delegated to the zone, `served.example` is served from the site, and
/// everything else has its TXT record.
struct World {
    zone: FakeZone,
    site: FakeSite,
}

#[async_trait]
impl ProofProbe for World {
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting> {
        let (alias, owner) = ("_acme-challenge.delegated.example", owner());
        if question.name.contains("served.example") {
            return Ok(Sighting::not_yet("Nothing.", vec![]));
        }
        if question.name != format!("{alias}.") {
            return Ok(Sighting::seen(vec![]));
        }
        let route = vec![Hop::Cname { from: alias.into(), to: owner.trim_end_matches('.').into() }];
        let there = self.zone.values(&owner).contains(&question.value);
        Ok(if there { Sighting::seen(route) } else { Sighting::not_yet("Nothing.", route) })
    }

    async fn http(&self, question: &HttpQuestion) -> PortResult<Sighting> {
        let answer = self.site.folder(&InstanceId::new(SITE)).remove(&question.token);
        let there = question.name.as_str() == "served.example" && answer.as_ref() == Some(&question.answer);
        Ok(if there { Sighting::seen(vec![]) } else { Sighting::not_yet("Nothing.", vec![]) })
    }

    async fn caa(&self, _: &CaaQuestion) -> PortResult<Verdict> {
        Ok(Verdict::Seen)
    }
}

fn owner() -> String {
    let label = DomainName::parse("delegated.example").map(|name| durable_label(TENANT, &name));
    format!("_acme-challenge.{}.cdn.example.", label.unwrap_or_default())
}

pub(super) async fn laboratory() -> Result<(Scripted, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings::new(&authority.directory_url);
    let mut harness = Harness::with_probe(settings, Arc::new(crate::support::SharedProbe::default()))?;
    harness.probe = Arc::new(World { zone: harness.zone.clone(), site: harness.site.clone() });
    harness.proofs.managed_zone = Some(DomainName::parse("cdn.example")?);
    let id = harness.open("i-1", &wanted(&["delegated.example", "served.example", "direct.example"])).await?;
    Ok((authority, harness, id))
}

pub(super) fn wanted(of: &[&str]) -> CertificateRequest {
    let (site, served) = (InstanceId::new(SITE), names(&["served.example"]));
    CertificateRequest { tenant: TENANT.into(), site, served, ..request(KeyType::P256, of) }
}

pub(super) async fn until_issued(harness: &Harness, id: &IssuanceId) -> Result<()> {
    let issuer = harness.issuer()?;
    while !matches!(issuer.advance(id).await?, IssuanceProgress::Issued(_)) {}
    Ok(())
}

pub(super) fn nothing_is_left(harness: &Harness, died: Option<&str>) {
    assert!(harness.zone.is_empty(), "a value stays in the zone after {died:?}");
    assert!(harness.site.is_empty(), "an answer stays in the site after {died:?}");
}

#[tokio::test]
async fn dying_at_any_point_leaves_no_proof_behind() -> Result<()> {
    let (_authority, undisturbed, id) = laboratory().await?;
    let opened = undisturbed.plan.points_passed();
    until_issued(&undisturbed, &id).await?;
    nothing_is_left(&undisturbed, None);
    for point in opened + 1..=undisturbed.plan.points_passed() {
        let (authority, harness, id) = laboratory().await?;
        harness.plan.crash_at(point);
        let outcome = until_crash(&harness.plan, until_issued(&harness, &id)).await;
        assert!(matches!(outcome, Outcome::Crashed), "point {point} was not reached");
        harness.until_issued_by_many(&id).await?;
        let died = harness.plan.died_at();
        // The next call makes good what the last one could not.
        harness.issuer()?.advance(&id).await?;
        nothing_is_left(&harness, died.as_deref());
        assert_eq!(harness.record(&id).await?.presented, [], "{died:?}");
        assert_eq!(authority.asked(Endpoint::Finalize), 1, "{died:?}");
        let order = authority.ordered().len() - 1;
        for (name, kind) in ["dns-01", "http-01", "dns-01"].into_iter().enumerate() {
            assert!(authority.answered(order, name).iter().all(|answered| *answered == kind), "{died:?}");
        }
        let methods: Vec<_> =
            harness.issuer()?.instructions(&id).await?.iter().map(|one| one.proven_by).collect();
        let expected = [ProofMethod::Delegated, ProofMethod::ThroughCdn, ProofMethod::Direct].map(Some);
        assert!(
            methods.iter().zip(expected).all(|(found, right)| found.is_none() || *found == right),
            "{died:?}"
        );
    }
    Ok(())
}

/// An issuance whose proofs are in place and whose user does not come back.
async fn half_way() -> Result<(Scripted, Harness, IssuanceId)> {
    let (authority, harness, _) = laboratory().await?;
    let id = harness.open("i-2", &wanted(&["delegated.example", "served.example"])).await?;
    harness.issuer()?.advance(&id).await?;
    assert!(!harness.zone.is_empty(), "the value is in place");
    Ok((authority, harness, id))
}

#[tokio::test]
async fn dying_while_abandoning_leaves_no_proof_behind() -> Result<()> {
    let (_authority, undisturbed, id) = half_way().await?;
    let before = undisturbed.plan.points_passed();
    undisturbed.issuer()?.abandon(&id).await?;
    nothing_is_left(&undisturbed, None);
    for point in before + 1..=undisturbed.plan.points_passed() {
        let (_authority, harness, id) = half_way().await?;
        harness.plan.crash_at(point);
        let issuer = harness.issuer()?;
        let outcome = until_crash(&harness.plan, issuer.abandon(&id)).await;
        assert!(matches!(outcome, Outcome::Crashed), "point {point} was not reached");
        harness.issuer()?.abandon(&id).await?;
        nothing_is_left(&harness, harness.plan.died_at().as_deref());
        assert_eq!(harness.record(&id).await?.presented, []);
    }
    Ok(())
}

#[tokio::test]
async fn two_issuances_that_were_given_one_order_do_not_take_each_others_proofs_away() -> Result<()> {
    let (authority, harness, _) = laboratory().await?;
    authority.reuses_orders();
    let (one, other) =
        (wanted(&["delegated.example", "direct.example"]), wanted(&["delegated.example", "direct.example"]));
    let one = harness.open("one", &one).await?;
    let other = harness.open("other", &other).await?;
    authority.lazy();
    harness.issuer()?.advance(&one).await?;
    harness.issuer()?.advance(&other).await?;
    assert_eq!(harness.zone.values(&owner()).len(), 1, "they have the same value");
    harness.issuer()?.abandon(&one).await?;
    assert_eq!(authority.deactivated(), 0, "its authorizations are the other's as well");
    assert_eq!(harness.record(&one).await?.presented, []);
    assert_eq!(harness.zone.values(&owner()).len(), 1, "the other wants it");
    harness.issuer()?.advance(&other).await?;
    authority.validate();
    harness.until_issued_by_many(&other).await?;
    assert!(harness.zone.is_empty());
    Ok(())
}

/// Some authorities give one pending order to all who ask for the same names under one account: with the same values, so
/// that the record of one would prove the domain for the other.
#[tokio::test]
async fn an_order_that_another_tenant_was_given_first_is_left_to_it() -> Result<()> {
    let (authority, harness, _) = laboratory().await?;
    authority.reuses_orders();
    authority.lazy();
    let ours = wanted(&["delegated.example"]);
    let theirs = CertificateRequest { tenant: "org-b".into(), ..ours.clone() };
    let (one, other) = (harness.open("one", &ours).await?, harness.open("other", &theirs).await?);
    harness.issuer()?.advance(&one).await?;
    let progress = harness.issuer()?.advance(&other).await?;
    assert!(matches!(progress, IssuanceProgress::HeldBack { .. }), "{progress:?}");
    let asked = authority.asked_at_all();
    for _ in 0..3 {
        harness.clock.advance(std::time::Duration::from_mins(1));
        let progress = harness.issuer()?.advance(&other).await?;
        assert!(matches!(progress, IssuanceProgress::HeldBack { .. }), "{progress:?}");
        assert_eq!(harness.issuer()?.instructions(&other).await?, [], "it is shown no value");
    }
    assert_eq!(authority.asked_at_all(), asked, "waiting for others costs nothing");
    harness.issuer()?.advance(&one).await?;
    assert_eq!(authority.ordered().len(), 2, "both have asked once");
    authority.validate();
    let progress = harness.issuer()?.advance(&other).await?;
    assert!(matches!(progress, IssuanceProgress::HeldBack { .. }), "{progress:?}");
    harness.until_issued_by_many(&one).await?;

    // The other one asks for proofs of its own now. That the name leads to somebody else's record is none.
    let progress = harness.issuer()?.advance(&other).await?;
    assert!(matches!(progress, IssuanceProgress::Working { .. }), "{progress:?}");
    for _ in 0..3 {
        let progress = harness.issuer()?.advance(&other).await?;
        assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    }
    assert_eq!(authority.ordered().len(), 3);
    Ok(())
}

/// The other tenant, held back by one who has proven nothing yet.
async fn held_back() -> Result<(Scripted, Harness, IssuanceId, IssuanceId)> {
    let (authority, harness, _) = laboratory().await?;
    authority.reuses_orders();
    authority.lazy();
    let ours = wanted(&["delegated.example"]);
    let theirs = CertificateRequest { tenant: "org-b".into(), ..ours.clone() };
    let (one, other) = (harness.open("one", &ours).await?, harness.open("other", &theirs).await?);
    harness.issuer()?.advance(&one).await?;
    let progress = harness.issuer()?.advance(&other).await?;
    assert!(matches!(progress, IssuanceProgress::HeldBack { .. }), "{progress:?}");
    Ok((authority, harness, one, other))
}

#[tokio::test]
async fn whoever_is_held_back_goes_away_without_a_trace() -> Result<()> {
    let (authority, harness, one, other) = held_back().await?;
    harness.issuer()?.abandon(&other).await?;
    assert_eq!(authority.deactivated(), 0, "what it was given is somebody else's");
    harness.issuer()?.advance(&one).await?;
    authority.validate();
    harness.until_issued_by_many(&one).await?;
    assert_eq!(authority.ordered().len(), 2, "nobody had to ask again");
    Ok(())
}

#[tokio::test]
async fn an_order_that_dies_while_it_is_held_back_is_replaced() -> Result<()> {
    let (authority, harness, _, other) = held_back().await?;
    harness.clock.advance(std::time::Duration::from_hours(24 * 365 * 1000));
    let asked = authority.asked_at_all();
    let progress = harness.issuer()?.advance(&other).await?;
    assert!(matches!(progress, IssuanceProgress::Working { .. }), "{progress:?}");
    assert_eq!(authority.asked_at_all(), asked);
    assert_eq!(harness.record(&other).await?.order_url, None);
    Ok(())
}

/// The next order for the owner of the proofs lets the other one go on, whenever that dies.
#[tokio::test]
async fn dying_while_being_held_back_or_going_on_costs_nothing() -> Result<()> {
    let (_authority, undisturbed, one, other) = held_back().await?;
    let before = undisturbed.plan.points_passed();
    go_on_without(&undisturbed, &one, &other).await?;
    for point in before + 1..=undisturbed.plan.points_passed() {
        let (authority, harness, one, other) = held_back().await?;
        harness.plan.crash_at(point);
        let outcome = until_crash(&harness.plan, go_on_without(&harness, &one, &other)).await;
        assert!(matches!(outcome, Outcome::Crashed), "point {point} was not reached");
        go_on_without(&harness, &one, &other).await?;
        let died = harness.plan.died_at();
        assert!(authority.ordered().len() <= 4, "{died:?}");
        assert_eq!(harness.issuer()?.instructions(&other).await?.len(), 1, "{died:?}");
    }
    Ok(())
}

async fn go_on_without(harness: &Harness, one: &IssuanceId, other: &IssuanceId) -> Result<()> {
    harness.issuer()?.advance(other).await?;
    harness.issuer()?.abandon(one).await?;
    for _ in 0..10 {
        if matches!(harness.issuer()?.advance(other).await?, IssuanceProgress::AwaitingProof { .. }) {
            return Ok(());
        }
        harness.clock.advance(std::time::Duration::from_mins(1));
    }
    anyhow::bail!("it does not go on: {:?}", harness.record(other).await?)
}
