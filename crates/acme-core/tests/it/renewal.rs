//! When to renew, by the authority's own word (RFC 9773), and orders that say what they replace.

use std::sync::Arc;
use std::time::Duration;

use acme_core::AcmeSettings;
use anyhow::{Context, Result};
use contract::{
    CertificateFacts, CertificateIssuer, CertificateRequest, IssuanceProgress, KeyType, RenewalAdvice,
    Timestamp,
};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, names, request};

/// 2026-01-01
const START: Timestamp = Timestamp::from_secs(1_767_225_600);
const HOUR: Duration = Duration::from_hours(1);

async fn laboratory() -> Result<(Scripted, Harness)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(SharedProbe::seeing_everything()))?;
    harness.clock.set(START);
    Ok((authority, harness))
}

/// A certificate that lives 90 days from the start.
fn certificate() -> CertificateFacts {
    CertificateFacts {
        serial: "87654321".into(),
        fingerprint: String::new(),
        not_before: START,
        not_after: START + 90 * 24 * HOUR,
        names: names(&["a.example"]),
        issuer: None,
        renewal_id: Some("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE".into()),
    }
}

/// What the certificate's life alone suggests.
fn share_of_life(ask_again: Duration) -> RenewalAdvice {
    let from = START + 60 * 24 * HOUR;
    let until = from + Duration::from_mins(90 * 24 * 60 / 50);
    RenewalAdvice { from, until, ask_again: START + ask_again, explanation: None }
}

fn info(body: &str) -> Reply {
    Reply::Say { status: 200, headers: Vec::new(), body: body.into() }
}

#[tokio::test]
async fn the_authoritys_window_is_followed_and_asked_for_again_when_it_wants() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
    let issuer = harness.issuer()?;
    let advice = issuer.renewal(&certificate()).await?;
    let expected = RenewalAdvice {
        from: START + 55 * 24 * HOUR,
        until: START + 56 * 24 * HOUR + 12 * HOUR,
        ask_again: START + 6 * HOUR,
        explanation: Some("https://ca.example/why".into()),
    };
    assert_eq!(advice, expected);

    // Certificates are to be revoked: the window moves into the past.
    authority.suggests("2025-12-31T23:00:00Z", "2025-12-31T23:30:00Z");
    assert_eq!(issuer.renewal(&certificate()).await?, expected, "it is too early to ask again");
    assert_eq!(authority.asked(Endpoint::RenewalInfo), 1);
    harness.clock.advance(6 * HOUR);
    let moved = issuer.renewal(&certificate()).await?;
    assert_eq!((moved.from, moved.until), (START - HOUR, START - HOUR / 2));
    assert_eq!(authority.asked(Endpoint::RenewalInfo), 2);
    assert_eq!(authority.asked(Endpoint::NewAccount), 0, "it takes no account to ask");
    Ok(())
}

#[tokio::test]
async fn retry_after_is_obeyed_in_both_forms_and_within_bounds() -> Result<()> {
    let body = r#"{"suggestedWindow": {"start": "2026-02-25T00:00:00Z", "end": "2026-02-26T12:00:00Z"}}"#;
    let dated = info(body)
        .with("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")
        .with("date", "Fri, 31 Dec 1999 22:59:59 GMT");
    for (reply, wait) in [
        (info(body), 6 * HOUR),
        (info(body).with("retry-after", "7200"), 2 * HOUR),
        (dated, HOUR),
        (info(body).with("retry-after", "0"), Duration::from_mins(1)),
        (info(body).with("retry-after", "99999999"), 24 * HOUR),
        (info(body).with("retry-after", "whenever"), 6 * HOUR),
    ] {
        let (authority, harness) = laboratory().await?;
        authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
        authority.script(Endpoint::RenewalInfo, [reply.clone()]);
        let advice = harness.issuer()?.renewal(&certificate()).await?;
        assert_eq!(advice.ask_again, START + wait, "{reply:?}");
        assert_eq!(advice.from, START + 55 * 24 * HOUR, "{reply:?}");
    }
    Ok(())
}

#[tokio::test]
async fn no_renewal_is_put_off_beyond_half_of_what_is_left() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
    authority.script(Endpoint::RenewalInfo, [Reply::html(503, "999999")]);
    let nearly_over = certificate().not_after - 4 * HOUR;
    harness.clock.set(nearly_over);
    let advice = harness.issuer()?.renewal(&certificate()).await?;
    assert_eq!(advice.ask_again, nearly_over + 2 * HOUR);
    Ok(())
}

#[tokio::test]
async fn without_a_suggestion_a_share_of_life_stands_in() -> Result<()> {
    let malformed =
        r#"{"suggestedWindow": {"start": "2026-02-26T00:00:00Z", "end": "2026-02-25T00:00:00Z"}}"#;
    for (reply, ask_again) in [
        (info(malformed), HOUR),
        (info("<html>"), HOUR),
        (Reply::html(503, "120"), Duration::from_mins(2)),
        (Reply::problem(500, "serverInternal", "broken"), HOUR),
        (Reply::problem(404, "malformed", "unknown certificate"), 6 * HOUR),
        (Reply::Lose, HOUR),
        (Reply::Hang, HOUR),
    ] {
        let (authority, mut harness) = laboratory().await?;
        harness.settings.request_timeout = Duration::from_secs(1);
        authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
        // The library's own connection pool may try a broken connection again.
        authority.script(Endpoint::RenewalInfo, [reply.clone(), reply.clone()]);
        let advice = harness.issuer()?.renewal(&certificate()).await?;
        assert_eq!(advice, share_of_life(ask_again), "{reply:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_authority_that_suggests_nothing_or_is_away_is_no_error() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    let issuer = harness.issuer()?;
    assert_eq!(issuer.renewal(&certificate()).await?, share_of_life(24 * HOUR));
    assert_eq!(authority.asked(Endpoint::RenewalInfo), 0);
    let nameless = CertificateFacts { renewal_id: None, ..certificate() };
    assert_eq!(issuer.renewal(&nameless).await?, share_of_life(24 * HOUR));
    drop(authority);
    assert_eq!(harness.issuer()?.renewal(&certificate()).await?, share_of_life(HOUR));
    Ok(())
}

#[tokio::test]
async fn trouble_does_not_make_a_suggestion_forgotten() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.suggests("2025-12-31T23:00:00Z", "2025-12-31T23:30:00Z");
    let issuer = harness.issuer()?;
    let first = issuer.renewal(&certificate()).await?;
    harness.clock.advance(6 * HOUR);
    authority.script(Endpoint::RenewalInfo, [Reply::html(503, "60")]);
    let second = issuer.renewal(&certificate()).await?;
    assert_eq!((second.from, second.until), (first.from, first.until));
    assert_eq!(authority.asked(Endpoint::RenewalInfo), 2);
    Ok(())
}

/// Issues a certificate for these names, as the successor of another one if need be.
async fn issue(harness: &Harness, id: &str, replaces: Option<String>) -> Result<CertificateFacts> {
    let wanted = CertificateRequest { replaces, ..request(KeyType::P256, &["a.example", "b.example"]) };
    let id = harness.open(id, &wanted).await?;
    Ok(harness.until_issued_by_many(&id).await?.facts)
}

#[tokio::test]
async fn a_renewal_says_what_it_replaces() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
    let first = issue(&harness, "i-1", None).await?;
    let id = first.renewal_id.context("a renewal id")?;
    issue(&harness, "i-2", Some(id.clone())).await?;
    let replaces: Vec<_> = authority.ordered().into_iter().map(|order| order.replaces).collect();
    assert_eq!(replaces, [None, Some(id)]);
    Ok(())
}

#[tokio::test]
async fn what_was_replaced_already_is_renewed_without_a_word_about_it() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
    let id = issue(&harness, "i-1", None).await?.renewal_id;
    issue(&harness, "i-2", id.clone()).await?;
    issue(&harness, "i-3", id.clone()).await?;
    let replaces: Vec<_> = authority.ordered().into_iter().map(|order| order.replaces).collect();
    assert_eq!(replaces, [None, id.clone(), id, None]);
    Ok(())
}

#[tokio::test]
async fn an_authority_that_does_not_want_to_hear_what_is_replaced_still_renews() -> Result<()> {
    for refusal in [
        Reply::problem(400, "malformed", "unknown field"),
        Reply::problem(404, "malformed", "no certificate of that name"),
        Reply::problem(403, "unauthorized", "the certificate is not of this account"),
        Reply::problem(409, "conflict", "the order says something else"),
    ] {
        let (authority, harness) = laboratory().await?;
        authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
        authority.script(Endpoint::NewOrder, [refusal]);
        issue(&harness, "i-1", Some("aaaa.bbbb".into())).await?;
        assert_eq!(authority.asked(Endpoint::NewOrder), 2);
    }
    // One that knows nothing of renewals is not even told.
    let (authority, harness) = laboratory().await?;
    issue(&harness, "i-1", Some("aaaa.bbbb".into())).await?;
    assert_eq!(authority.ordered()[0].replaces, None);
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    Ok(())
}

/// Boulder gives a pending order for the same names again, and that one replaces nothing. It is not lost, and no second
/// one is placed.
#[tokio::test]
async fn an_order_that_was_there_is_taken_even_if_it_replaces_nothing() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.suggests("2026-02-25T00:00:00Z", "2026-02-26T12:00:00Z");
    authority.reuses_orders();
    authority.script(Endpoint::NewOrder, [Reply::Lose]);
    let first = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    assert!(harness.issuer()?.advance(&first).await.is_err());
    let wanted = CertificateRequest {
        replaces: Some("aaaa.bbbb".into()),
        ..request(KeyType::P256, &["a.example", "b.example"])
    };
    let id = harness.open("i-2", &wanted).await?;
    let progress = harness.issuer()?.advance(&id).await?;
    assert!(!matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 2);
    assert!(harness.record(&id).await?.order_url.is_some_and(|url| url.ends_with("/order/0")));
    Ok(())
}
