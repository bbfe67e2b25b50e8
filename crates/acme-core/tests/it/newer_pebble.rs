//! What Debian's Pebble (2.4) does not know yet, with a newer one. `PEBBLE_NEW` names its program; without it only the
//! scripted authority shows the same (see `renewal.rs` and `options.rs`).

use std::ffi::OsString;

use acme_core::{AcmeSettings, DurableFirst};
use anyhow::{Context, Result};
use contract::{CertificateFacts, CertificateIssuer, CertificateRequest, KeyType};

use crate::support::{Harness, NameServer, Pebble, PebbleOptions, request};

#[expect(clippy::print_stdout, reason = "who runs the tests is told what was not run")]
#[expect(
    clippy::disallowed_methods,
    reason = "which program to test against is for whoever runs the tests to say"
)]
fn newer_pebble() -> Option<OsString> {
    let program = std::env::var_os("PEBBLE_NEW").filter(|program| !program.is_empty());
    if program.is_none() {
        println!("PEBBLE_NEW names no newer Pebble: shown by the scripted authority only");
    }
    program
}

async fn issue(
    harness: &Harness,
    dns: &NameServer,
    id: &str,
    replaces: Option<String>,
) -> Result<CertificateFacts> {
    let wanted = CertificateRequest { replaces, ..request(KeyType::P256, &["a.example"]) };
    let id = harness.open(id, &wanted).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    harness.set_records(&id, dns).await?;
    Ok(harness.until_issued(&issuer, &id).await?.facts)
}

#[tokio::test]
async fn a_newer_pebble_grants_the_profile_that_is_asked_for() -> Result<()> {
    let Some(program) = newer_pebble() else { return Ok(()) };
    let dns = NameServer::start().await?;
    let options = PebbleOptions { program: Some(program), ..PebbleOptions::default() };
    let pebble = Pebble::start(dns.address, options).await?;
    let settings = AcmeSettings {
        root_certificates_pem: Some(pebble.root_pem.clone()),
        durable_first: DurableFirst::Never,
        ..AcmeSettings::new(&pebble.directory_url)
    };
    let mut harness = Harness::new(settings, dns.address)?;
    let mut lives = Vec::new();
    for profile in ["default", "shortlived"] {
        harness.settings.profile = Some(profile.into());
        let facts = issue(&harness, &dns, profile, None).await?;
        // It counts the last second as well.
        lives.push((facts.not_after.since(facts.not_before).as_secs() + 1) / 86_400);
    }
    assert_eq!(lives, [90, 6]);
    Ok(())
}

#[tokio::test]
async fn a_newer_pebble_suggests_when_to_renew_and_hears_what_is_replaced() -> Result<()> {
    let Some(program) = newer_pebble() else { return Ok(()) };
    let dns = NameServer::start().await?;
    let options = PebbleOptions { program: Some(program), authz_reuse: 100, ..PebbleOptions::default() };
    let pebble = Pebble::start(dns.address, options).await?;
    let settings = AcmeSettings {
        root_certificates_pem: Some(pebble.root_pem.clone()),
        ..AcmeSettings::new(&pebble.directory_url)
    };
    let harness = Harness::new(settings, dns.address)?;
    let first = issue(&harness, &dns, "i-1", None).await?;
    let advice = harness.issuer()?.renewal(&first).await?;
    assert!(first.not_before < advice.from && advice.from < advice.until && advice.until < first.not_after);
    assert!(pebble.requests("renewalInfo") > 0, "it was asked");
    let id = first.renewal_id.context("a renewal id")?;
    for successor in ["i-2", "i-3"] {
        // The second time somebody has replaced it already.
        issue(&harness, &dns, successor, Some(id.clone())).await?;
    }
    Ok(())
}
