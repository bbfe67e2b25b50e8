//! Certificates from Pebble.

use acme_core::AcmeSettings;
use anyhow::Result;
use contract::{CertificateBundle, CertificateIssuer, IssuanceProgress, KeyType, ProofState, Remedy};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::support::{Harness, NameServer, Pebble, PebbleOptions, names, request};

async fn laboratory(options: PebbleOptions) -> Result<(NameServer, Pebble, Harness)> {
    let dns = NameServer::start().await?;
    let pebble = Pebble::start(dns.address, options).await?;
    let settings = AcmeSettings {
        root_certificates_pem: Some(pebble.root_pem.clone()),
        contact_email: Some("certificates@example.gov".into()),
        ..AcmeSettings::new(&pebble.directory_url)
    };
    let harness = Harness::new(settings, dns.address)?;
    Ok((dns, pebble, harness))
}

fn algorithm(bundle: &CertificateBundle) -> Result<String> {
    let leaf = pem::parse(&bundle.leaf_pem)?;
    let (_, leaf) = X509Certificate::from_der(leaf.contents())?;
    Ok(leaf.public_key().algorithm.algorithm.to_id_string())
}

#[tokio::test]
async fn two_names_are_certified_once_both_proofs_are_there() -> Result<()> {
    let (dns, pebble, harness) = laboratory(PebbleOptions::default()).await?;
    let id = harness.open("i-1", &request(KeyType::Rsa2048, &["www.example.gov", "example.gov"])).await?;
    let issuer = harness.issuer()?;
    assert_eq!(issuer.instructions(&id).await?, []);

    let progress = issuer.advance(&id).await?;
    assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    let instructions = issuer.instructions(&id).await?;
    let shown: Vec<_> = instructions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(shown, ["www.example.gov", "example.gov"], "in the order of the request");
    let first = &instructions[0];
    let record = first.direct().unwrap();
    assert_eq!((record.name.as_str(), record.kind.as_str()), ("_acme-challenge.www.example.gov.", "TXT"));
    assert_eq!((first.state, record.value.len()), (ProofState::Open, 43));
    assert!(first.expires.unwrap() > harness.record(&id).await?.opened_at);
    assert_eq!(
        first.last_look.as_ref().unwrap().saw,
        "`_acme-challenge.www.example.gov` does not exist yet (NXDOMAIN)."
    );

    harness.set_records(&id, &dns).await?;
    let bundle = harness.until_issued(&issuer, &id).await?;
    assert_eq!(algorithm(&bundle)?, "1.2.840.113549.1.1.1");
    let mut found = bundle.facts.names.clone();
    found.sort();
    assert_eq!(found, names(&["example.gov", "www.example.gov"]));
    assert!(bundle.chain_pem.contains("BEGIN CERTIFICATE"));
    assert!(bundle.private_key_pem.expose().starts_with(b"-----BEGIN PRIVATE KEY-----"));
    let states: Vec<_> =
        issuer.instructions(&id).await?.into_iter().map(|one| (one.state, one.direct().cloned())).collect();
    assert_eq!(states, [(ProofState::Proven, None), (ProofState::Proven, None)]);

    let asked = pebble.requests("");
    assert_eq!(issuer.advance(&id).await?, IssuanceProgress::Issued(bundle.clone()));
    assert_eq!(harness.issuer()?.advance(&id).await?, IssuanceProgress::Issued(bundle));
    assert_eq!(pebble.requests(""), asked, "an issued certificate costs no request");
    Ok(())
}

#[tokio::test]
async fn a_name_and_its_wildcard_share_a_label_and_need_both_values() -> Result<()> {
    let (dns, _pebble, harness) = laboratory(PebbleOptions::default()).await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["*.example.gov", "example.gov"])).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    let records: Vec<_> =
        issuer.instructions(&id).await?.into_iter().filter_map(|one| one.direct().cloned()).collect();
    assert_eq!(records[0].name, "_acme-challenge.example.gov.");
    assert_eq!(records[0].name, records[1].name);
    assert_ne!(records[0].value, records[1].value);
    harness.set_records(&id, &dns).await?;
    let bundle = harness.until_issued(&issuer, &id).await?;
    let mut found = bundle.facts.names.clone();
    found.sort();
    assert_eq!(found, names(&["*.example.gov", "example.gov"]));
    assert_eq!(algorithm(&bundle)?, "1.2.840.10045.2.1");
    Ok(())
}

#[tokio::test]
async fn every_call_may_come_from_a_new_process() -> Result<()> {
    let (dns, pebble, harness) = laboratory(PebbleOptions::default()).await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    harness.issuer()?.advance(&id).await?;
    harness.set_records(&id, &dns).await?;
    harness.until_issued_by_many(&id).await?;
    assert_eq!(pebble.requests("POST /order-plz"), 1);
    assert_eq!(pebble.requests("POST /sign-me-up"), 1);
    assert_eq!(pebble.requests("POST /finalize-order"), 1);
    Ok(())
}

#[tokio::test]
async fn one_issuer_serves_several_at_once() -> Result<()> {
    let (dns, pebble, harness) = laboratory(PebbleOptions::default()).await?;
    let issuer = harness.issuer()?;
    // Pebble itself can lock up above four orders at a time.
    let one = async |name: &str| {
        let id = harness.open(name, &request(KeyType::P256, &[name])).await?;
        issuer.advance(&id).await?;
        harness.set_records(&id, &dns).await?;
        harness.until_issued(&issuer, &id).await
    };
    let bundles = tokio::try_join!(one("a.example"), one("b.example"), one("c.example"), one("d.example"))?;
    assert_eq!(bundles.3.facts.names, names(&["d.example"]));
    assert_eq!(pebble.requests("POST /sign-me-up"), 1);
    Ok(())
}

#[tokio::test]
async fn an_authority_under_a_foreign_root_is_for_the_operator() -> Result<()> {
    let (_dns, pebble, mut harness) = laboratory(PebbleOptions::default()).await?;
    let key = rcgen::KeyPair::generate()?;
    let foreign = rcgen::CertificateParams::default().self_signed(&key)?.pem();
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    harness.settings.root_certificates_pem = Some(foreign.clone());
    let error = harness.issuer()?.advance(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::AwaitOperator, "{error}");
    harness.settings.root_certificates_pem = Some(foreign + &pebble.root_pem);
    harness.issuer()?.advance(&id).await?;
    Ok(())
}

#[tokio::test]
async fn refused_nonces_do_no_harm() -> Result<()> {
    let (dns, _pebble, harness) = laboratory(PebbleOptions { nonce_reject: 5, ..Default::default() }).await?;
    for round in 0..5 {
        let name = format!("r{round}.example");
        let id = harness.open(&name, &request(KeyType::P256, &[&name])).await?;
        let issuer = harness.issuer()?;
        issuer.advance(&id).await?;
        harness.set_records(&id, &dns).await?;
        harness.until_issued(&issuer, &id).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_proven_already_is_not_asked_of_the_user_again() -> Result<()> {
    let (dns, pebble, harness) = laboratory(PebbleOptions { authz_reuse: 100, ..Default::default() }).await?;
    let issuer = harness.issuer()?;
    let first = harness.open("first", &request(KeyType::P256, &["a.example"])).await?;
    issuer.advance(&first).await?;
    harness.set_records(&first, &dns).await?;
    harness.until_issued(&issuer, &first).await?;
    let answered = pebble.requests("POST /chalZ");

    let second = harness.open("second", &request(KeyType::P256, &["a.example"])).await?;
    let bundle = harness.until_issued(&issuer, &second).await?;
    assert_eq!(pebble.requests("POST /chalZ"), answered, "no challenge was answered");
    assert_eq!(bundle.facts.names, names(&["a.example"]));

    let third = harness.open("third", &request(KeyType::P256, &["a.example", "b.example"])).await?;
    let progress = issuer.advance(&third).await?;
    assert!(matches!(progress, IssuanceProgress::AwaitingProof { .. }), "{progress:?}");
    let instructions = issuer.instructions(&third).await?;
    assert_eq!((instructions[0].state, instructions[0].direct()), (ProofState::Proven, None));
    assert!(instructions[1].direct().is_some());
    Ok(())
}

#[tokio::test]
async fn a_certificate_is_for_its_own_key_only() -> Result<()> {
    let (dns, _pebble, harness) =
        laboratory(PebbleOptions { authz_reuse: 100, ..Default::default() }).await?;
    let issuer = harness.issuer()?;
    let mut bundles = Vec::new();
    for id in ["one", "two"] {
        let id = harness.open(id, &request(KeyType::P256, &["a.example"])).await?;
        issuer.advance(&id).await?;
        harness.set_records(&id, &dns).await?;
        bundles.push(harness.until_issued(&issuer, &id).await?);
    }
    assert_ne!(bundles[0].private_key_pem, bundles[1].private_key_pem);
    assert_ne!(bundles[0].facts.serial, bundles[1].facts.serial);
    Ok(())
}
