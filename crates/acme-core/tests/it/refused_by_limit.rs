//! Limits that the authority itself speaks of: obeyed, explained, and known to everybody.

use std::sync::Arc;
use std::time::Duration;

use acme_core::{AcmeSettings, Limits};
use anyhow::Result;
use contract::{CertificateIssuer, CertificateRequest, Clock, IssuanceProgress, KeyType, Remedy, Timestamp};

use crate::support::{Endpoint, Harness, Reply, Scripted, SharedProbe, request};

const HOUR: Duration = Duration::from_hours(1);

async fn laboratory() -> Result<(Scripted, Harness)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings::new(&authority.directory_url);
    assert_eq!(settings.limits, Limits::none());
    Ok((authority, Harness::with_probe(settings, Arc::new(SharedProbe::seeing_everything()))?))
}

fn limited(detail: &str) -> Reply {
    Reply::problem(429, "rateLimited", detail)
}

async fn advance(harness: &Harness, id: &str, wanted: &CertificateRequest) -> Result<IssuanceProgress> {
    let id = harness.open(id, wanted).await?;
    Ok(harness.issuer()?.advance(&id).await?)
}

/// Until when an issuance for a name is held back, and why.
async fn held(harness: &Harness, name: &str) -> Result<Option<(Timestamp, String)>> {
    match advance(harness, name, &request(KeyType::P256, &[name])).await? {
        IssuanceProgress::HeldBack { until, why } => Ok(Some((until, why))),
        _ => Ok(None),
    }
}

#[tokio::test]
async fn a_refusal_is_obeyed_in_both_forms_and_holds_back_all_that_it_is_about() -> Result<()> {
    let detail = "too many certificates (50) already issued for \"example.gov\" in the last 168h0m0s";
    let dated = limited(detail)
        .with("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")
        .with("date", "Fri, 31 Dec 1999 21:59:59 GMT");
    for refusal in [limited(detail).with("retry-after", "7200"), dated] {
        let (authority, harness) = laboratory().await?;
        authority.script(Endpoint::NewOrder, [refusal]);
        let (until, why) = held(&harness, "a.example.gov").await?.unwrap();
        assert_eq!(until, harness.clock.now() + 2 * HOUR);
        assert_eq!(
            why,
            format!(
                "The certificate authority issues only so many for `example.gov` and its subdomains, and renewals go \
                 first; this one is ordered by itself on {until}. Several names in one service instance, or a \
                 wildcard, need only one."
            )
        );
        assert_eq!(held(&harness, "b.example.gov").await?.map(|held| held.0), Some(until));
        assert_eq!(authority.asked(Endpoint::NewOrder), 1, "the second one was not asked for");
        assert_eq!(held(&harness, "a.example.org").await?, None, "another domain is not concerned");
        harness.clock.set(until);
        assert_eq!(held(&harness, "b.example.gov").await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_in_unknown_words_holds_others_back_for_a_few_minutes_only() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.script(Endpoint::NewOrder, [limited("not today").with("retry-after", "86400")]);
    let (until, why) = held(&harness, "a.example.gov").await?.unwrap();
    assert_eq!(until, harness.clock.now() + 24 * HOUR);
    let expected = "The certificate authority limits how much it is asked for; this goes on by itself on";
    assert_eq!(why, format!("{expected} {until}."));
    let (others, _) = held(&harness, "a.example.org").await?.unwrap();
    assert_eq!(others, harness.clock.now() + Duration::from_mins(10));
    Ok(())
}

#[tokio::test]
async fn what_a_first_certificate_is_refused_does_not_hold_back_a_renewal() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    let refusal = || limited("too many new orders (300) from this account in the last 3h0m0s");
    authority.script(Endpoint::NewOrder, [refusal().with("retry-after", "3600")]);
    assert!(held(&harness, "a.example.gov").await?.is_some());
    let needed_by = harness.clock.now() + 30 * 24 * HOUR;
    let renewal = |name: &str| CertificateRequest {
        replaces: Some("aaaa.bbbb".into()),
        needed_by: Some(needed_by),
        ..request(KeyType::P256, &[name])
    };
    let progress = advance(&harness, "r-1", &renewal("b.example.gov")).await?;
    assert!(!matches!(progress, IssuanceProgress::HeldBack { .. }), "{progress:?}");
    // What a renewal is refused is refused to first certificates as well.
    harness.clock.advance(2 * HOUR);
    authority.script(Endpoint::NewOrder, [refusal().with("retry-after", "3600")]);
    let progress = advance(&harness, "r-2", &renewal("c.example.gov")).await?;
    assert!(matches!(progress, IssuanceProgress::HeldBack { .. }), "{progress:?}");
    assert!(held(&harness, "d.example.gov").await?.is_some());
    Ok(())
}

#[tokio::test]
async fn no_refusal_suspends_a_renewal_beyond_half_of_what_is_left() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    let renewal = CertificateRequest {
        replaces: Some("aaaa.bbbb".into()),
        needed_by: Some(harness.clock.now() + 20 * HOUR),
        ..request(KeyType::P256, &["a.example.gov"])
    };
    let refusal = limited("too many new orders (300) from this account").with("retry-after", "99999999");
    authority.script(Endpoint::NewOrder, [refusal]);
    let half = harness.clock.now() + 10 * HOUR;
    for _ in 0..2 {
        let progress = advance(&harness, "i-1", &renewal).await?;
        assert!(
            matches!(progress, IssuanceProgress::HeldBack { until, .. } if until == half),
            "{progress:?}"
        );
    }
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    harness.clock.set(half);
    // Nor does anything else that the authority answers.
    authority.script(Endpoint::Finalize, [Reply::html(503, "99999999")]);
    let id = harness.open("i-1", &renewal).await?;
    let error = harness.issuer()?.advance(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::Retry { after: Some(5 * HOUR) });
    harness.until_issued_by_many(&id).await?;
    Ok(())
}

#[tokio::test]
async fn a_pause_is_told_apart_and_the_user_gets_the_address_that_lifts_it() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    let link = format!("https://portal.letsencrypt.org/sfe/v1/unpause?jwt={}", "e".repeat(600));
    let detail = format!(
        "Your account is temporarily prevented from requesting certificates for a.example.gov and possibly others. \
         Please visit: {link}"
    );
    for _ in 0..2 {
        authority.script(Endpoint::NewOrder, [limited(&detail)]);
        let (until, why) = held(&harness, "a.example.gov").await?.unwrap();
        assert_eq!(until, harness.clock.now() + HOUR);
        assert!(why.contains(&format!("lift the pause: {link} ")), "{why}");
        assert_eq!(
            held(&harness, &format!("b-{}.example.gov", until.as_secs())).await?,
            None,
            "only some names are paused"
        );
        harness.clock.set(until);
    }
    assert_eq!(held(&harness, "a.example.gov").await?, None, "it goes on when the pause was lifted");
    Ok(())
}

#[tokio::test]
async fn a_refusal_that_does_not_say_for_how_long_is_obeyed_for_some_minutes() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    authority.script(Endpoint::NewOrder, [limited("too many new orders (300) from this account")]);
    let (until, _) = held(&harness, "a.example.gov").await?.unwrap();
    assert_eq!(until, harness.clock.now() + Duration::from_mins(10));
    Ok(())
}
