//! Looks that somebody asks for: they show what is there now, and change nothing else.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use acme_core::AcmeSettings;
use anyhow::{Context, Result};
use async_trait::async_trait;
use contract::{
    CaaQuestion, CertificateIssuer, HttpQuestion, IssuanceId, IssuanceStore, KeyType, PortResult, ProofProbe,
    ProofState, Sighting, TxtQuestion, Verdict,
};

use crate::support::{Endpoint, Harness, Scripted, SharedProbe, request};

/// An issuance of two names that waits for its user.
async fn waiting() -> Result<(Scripted, SharedProbe, Harness, IssuanceId)> {
    let authority = Scripted::start().await?;
    authority.goes_by("ca.example");
    let probe = SharedProbe::default();
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(probe.clone()))?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    harness.issuer()?.advance(&id).await?;
    Ok((authority, probe, harness, id))
}

/// What the user reads of each name, and when that was seen.
async fn shown(harness: &Harness, id: &IssuanceId) -> Result<Vec<(ProofState, String, Duration)>> {
    let (instructions, opened) =
        (harness.issuer()?.instructions(id).await?, harness.record(id).await?.opened_at);
    let told = instructions.into_iter().map(|one| {
        let look = one.last_look.context("nobody has looked")?;
        Ok((one.state, look.saw, look.at.since(opened)))
    });
    told.collect()
}

#[tokio::test]
async fn a_look_shows_what_is_there_now_and_asks_the_authority_for_nothing() -> Result<()> {
    let (authority, probe, harness, id) = waiting().await?;
    let issuer = harness.issuer()?;
    issuer.look(&id).await?;
    let (asked, before) = (authority.asked_at_all(), harness.record(&id).await?);
    let minute = Duration::from_mins(1);
    harness.clock.advance(minute);
    probe.see("b.example");
    issuer.look(&id).await?;
    assert_eq!(
        shown(&harness, &id).await?,
        [
            (ProofState::Open, "Nothing yet.".to_owned(), minute),
            (ProofState::Open, "The TXT record is there, as it should be.".to_owned(), minute),
        ]
    );
    assert_eq!(authority.asked_at_all(), asked);
    assert_eq!(authority.asked(Endpoint::Challenge), 0);
    // But for what was seen, all is as it was.
    let mut after = harness.record(&id).await?;
    for (one, old) in after.authorizations.iter_mut().zip(&before.authorizations) {
        one.last_look.clone_from(&old.last_look);
    }
    assert_eq!(after, before);
    Ok(())
}

/// Which names the authority goes by stands in its directory, which is public.
#[tokio::test]
async fn a_process_that_has_read_nothing_yet_reads_the_directory_and_no_more() -> Result<()> {
    let (authority, _probe, harness, id) = waiting().await?;
    let (asked, read) = (authority.asked_at_all(), authority.asked(Endpoint::Directory));
    let issuer = harness.issuer()?;
    for _ in 0..3 {
        issuer.look(&id).await?;
    }
    assert_eq!(authority.asked_at_all(), asked + 1);
    assert_eq!(authority.asked(Endpoint::Directory), read + 1);
    Ok(())
}

#[tokio::test]
async fn whoever_advances_meanwhile_is_not_disturbed() -> Result<()> {
    let (authority, probe, harness, id) = waiting().await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    probe.see_everything(true);
    // What somebody has read before a look can be saved after it.
    let read = harness.record(&id).await?;
    issuer.look(&id).await?;
    assert!(harness.store.save(&read).await?);
    let looking = async {
        for _ in 0..20 {
            issuer.look(&id).await?;
        }
        anyhow::Ok(())
    };
    let (looked, certified) = tokio::join!(looking, harness.until_issued_by_many(&id));
    looked?;
    certified?;
    assert_eq!((authority.asked(Endpoint::NewOrder), authority.asked(Endpoint::Challenge)), (1, 2));
    issuer.look(&id).await?;
    Ok(())
}

/// Of one name nothing is ever heard.
struct HalfDeaf(SharedProbe);

#[async_trait]
impl ProofProbe for HalfDeaf {
    async fn txt(&self, question: &TxtQuestion) -> PortResult<Sighting> {
        if question.name == "_acme-challenge.a.example." {
            pending().await
        } else {
            self.0.txt(question).await
        }
    }

    async fn http(&self, question: &HttpQuestion) -> PortResult<Sighting> {
        self.0.http(question).await
    }

    async fn caa(&self, question: &CaaQuestion) -> PortResult<Verdict> {
        self.0.caa(question).await
    }
}

#[tokio::test]
async fn a_look_that_is_given_up_has_noted_what_it_has_seen() -> Result<()> {
    let (_authority, probe, mut harness, id) = waiting().await?;
    probe.see_everything(true);
    harness.probe = Arc::new(HalfDeaf(probe));
    let issuer = harness.issuer()?;
    let look = issuer.look(&id);
    let noticed = async {
        loop {
            if shown(&harness, &id).await?[1].1.starts_with("The TXT record is there") {
                return anyhow::Ok(());
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = look => anyhow::bail!("nothing was to be heard of one name"),
        noticed = noticed => noticed?,
    }
    assert_eq!(shown(&harness, &id).await?[0].1, "Nothing yet.", "as it was seen last");
    Ok(())
}

#[tokio::test]
async fn nothing_is_looked_at_when_nothing_is_open() -> Result<()> {
    let (authority, probe, harness, id) = waiting().await?;
    let issuer = harness.issuer()?;
    issuer.look(&IssuanceId::new("unknown")).await?;

    // What the authority says about a failed order stays, and so does the time until the next.
    probe.see("a.example");
    authority.fail_first_challenge("dns", "NXDOMAIN");
    issuer.advance(&id).await?;
    let (failed, asked) = (harness.record(&id).await?, authority.asked_at_all());
    assert!(failed.order_url.is_none() && !failed.authorizations.is_empty(), "{failed:?}");
    harness.clock.advance(Duration::from_secs(1));
    issuer.look(&id).await?;
    assert_eq!((harness.record(&id).await?, authority.asked_at_all()), (failed, asked));

    // The records of an order that has run out are of no use any more.
    let other = harness.open("i-2", &request(KeyType::P256, &["c.example"])).await?;
    issuer.advance(&other).await?;
    let expires = harness.record(&other).await?.order_expires.context("the order never expires")?;
    harness.clock.set(expires);
    let before = harness.record(&other).await?;
    issuer.look(&other).await?;
    assert_eq!(harness.record(&other).await?, before);
    issuer.abandon(&other).await?;
    let before = harness.record(&other).await?;
    issuer.look(&other).await?;
    assert_eq!(harness.record(&other).await?, before);
    Ok(())
}
