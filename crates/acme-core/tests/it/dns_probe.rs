//! What DNS answers, in a sentence.

use acme_core::Probe;
use anyhow::Result;
use contract::{ProofProbe, Sighting, TxtQuestion, Verdict};

use crate::support::{Answer, NameServer, probe_settings};

const NAME: &str = "_acme-challenge.www.example.gov.";

async fn saw(answer: Option<Answer>) -> Result<Sighting> {
    let dns = NameServer::start().await?;
    if let Some(answer) = answer {
        dns.set(NAME, answer);
    }
    look(&dns).await
}

async fn look(dns: &NameServer) -> Result<Sighting> {
    let question = TxtQuestion { name: NAME.into(), value: "right".into() };
    Ok(Probe::new(probe_settings(dns.address))?.txt(&question).await?)
}

fn txt(values: &[&str]) -> Answer {
    Answer::Txt(values.iter().map(|value| vec![(*value).to_owned()]).collect())
}

fn not_yet(saw: &str) -> Sighting {
    Sighting::not_yet(saw, vec![])
}

#[tokio::test]
async fn any_matching_value_is_enough() -> Result<()> {
    assert_eq!(saw(Some(txt(&["right"]))).await?, Sighting::seen(vec![]));
    assert_eq!(saw(Some(txt(&["wrong", "right"]))).await?, Sighting::seen(vec![]));
    let split = Answer::Txt(vec![vec!["ri".into(), "ght".into()]]);
    assert_eq!(saw(Some(split)).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn absence_is_the_same_whether_or_not_the_name_exists() -> Result<()> {
    let absent = not_yet("`_acme-challenge.www.example.gov` has no TXT record yet.");
    assert_eq!(saw(None).await?, absent);
    assert_eq!(saw(Some(Answer::Nothing)).await?, absent);
    Ok(())
}

#[tokio::test]
async fn foreign_values_are_quoted_briefly_and_in_ascii() -> Result<()> {
    assert_eq!(
        saw(Some(txt(&["wrong"]))).await?,
        not_yet(
            "`_acme-challenge.www.example.gov` has the TXT value \"wrong\", which is not the one asked for."
        )
    );
    let long = format!("f\u{fc}r\n{}", "x".repeat(80));
    let Verdict::NotYet { saw } = saw(Some(txt(&[&long, "b", "c", "d"]))).await?.verdict else {
        anyhow::bail!("seen");
    };
    assert!(saw.is_ascii(), "{saw}");
    assert!(saw.ends_with("and 2 more, none of which is the one asked for."), "{saw}");
    assert!(saw.contains("...\""), "{saw}");
    Ok(())
}

#[tokio::test]
async fn failure_refusal_and_silence_are_told_apart_from_absence() -> Result<()> {
    assert_eq!(
        saw(Some(Answer::ServFail)).await?,
        not_yet(
            "DNS fails for `_acme-challenge.www.example.gov` (SERVFAIL): its name servers do not answer \
             properly, or its DNSSEC is broken."
        )
    );
    let silence = not_yet("DNS gave no answer for `_acme-challenge.www.example.gov`.");
    assert_eq!(saw(Some(Answer::Silence)).await?, silence);
    Ok(())
}

#[tokio::test]
async fn aliases_are_followed() -> Result<()> {
    let dns = NameServer::start().await?;
    dns.set(NAME, Answer::Cname("proof.zone.example.".into()));
    assert_eq!(look(&dns).await?, not_yet("`_acme-challenge.www.example.gov` has no TXT record yet."));
    dns.add_txt("proof.zone.example.", "right");
    assert_eq!(look(&dns).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn an_answer_too_large_for_udp_comes_over_tcp() -> Result<()> {
    let mut values: Vec<_> = (0..30).map(|n| vec![format!("{n}{}", "x".repeat(200))]).collect();
    values.push(vec!["right".into()]);
    assert_eq!(saw(Some(Answer::OverTcp(values))).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn nothing_is_remembered_from_one_look_to_the_next() -> Result<()> {
    let dns = NameServer::start().await?;
    let probe = Probe::new(probe_settings(dns.address))?;
    let question = TxtQuestion { name: NAME.into(), value: "right".into() };
    assert_ne!(probe.txt(&question).await?, Sighting::seen(vec![]));
    dns.add_txt(NAME, "right");
    assert_eq!(probe.txt(&question).await?, Sighting::seen(vec![]));
    dns.set(NAME, Answer::Txt(vec![vec!["wrong".into()]]));
    assert_ne!(probe.txt(&question).await?, Sighting::seen(vec![]));
    Ok(())
}
