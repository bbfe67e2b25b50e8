//! What an operator can choose: profile, external account, key type. The custom root is shown by every test against
//! Pebble.

use std::sync::Arc;

use acme_core::{AcmeSettings, ExternalAccount};
use anyhow::Result;
use contract::{CertificateIssuer, KeyType, Remedy, Secret};

use crate::support::{Endpoint, Harness, Scripted, SharedProbe, request};

async fn laboratory() -> Result<(Scripted, Harness)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings::new(&authority.directory_url);
    let mut harness = Harness::with_probe(settings, Arc::new(SharedProbe::seeing_everything()))?;
    harness.proofs.challenge_url = Some("https://broker.example/.well-known/acme-challenge".parse()?);
    Ok((authority, harness))
}

#[tokio::test]
async fn a_profile_is_asked_for_and_granted() -> Result<()> {
    let (authority, mut harness) = laboratory().await?;
    authority.profiles(&["classic", "shortlived"]);
    harness.settings.profile = Some("shortlived".into());
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.ordered()[0].profile.as_deref(), Some("shortlived"));
    Ok(())
}

#[tokio::test]
async fn an_authority_without_profiles_issues_all_the_same() -> Result<()> {
    let (authority, mut harness) = laboratory().await?;
    harness.settings.profile = Some("shortlived".into());
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    harness.until_issued_by_many(&id).await?;
    assert_eq!(authority.asked(Endpoint::NewOrder), 1);
    Ok(())
}

#[tokio::test]
async fn a_profile_that_the_authority_refuses_is_the_operators_to_mend() -> Result<()> {
    let (authority, mut harness) = laboratory().await?;
    authority.profiles(&["classic"]);
    harness.settings.profile = Some("clasic".into());
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    let error = harness.issuer()?.advance(&id).await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::AwaitOperator, "{error}");
    assert!(error.to_string().contains("the profile is not known here"), "{error}");
    harness.settings.profile = Some("classic".into());
    harness.until_issued_by_many(&id).await?;
    Ok(())
}

#[tokio::test]
async fn an_external_account_is_bound_and_a_wrong_one_is_the_operators_to_mend() -> Result<()> {
    let (authority, mut harness) = laboratory().await?;
    authority.wants_external_account("kid-1");
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    let account = |key_id: &str| {
        Some(ExternalAccount { key_id: key_id.into(), hmac_key: Secret::new("c2VjcmV0LXNlY3JldA") })
    };
    for wrong in [None, account("kid-2")] {
        harness.settings.external_account = wrong;
        let error = harness.issuer()?.advance(&id).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::AwaitOperator, "{error}");
    }
    harness.settings.external_account = account("kid-1");
    harness.until_issued_by_many(&id).await?;
    Ok(())
}

#[tokio::test]
async fn keys_are_of_the_kind_that_was_asked_for() -> Result<()> {
    let (_authority, harness) = laboratory().await?;
    for (key_type, bits) in [(KeyType::Rsa2048, 2048), (KeyType::P256, 256)] {
        let id = harness.open(&format!("{key_type:?}"), &request(key_type, &["a.example"])).await?;
        let bundle = harness.until_issued_by_many(&id).await?;
        let (_, leaf) = x509_parser::pem::parse_x509_pem(bundle.leaf_pem.as_bytes())?;
        let leaf = leaf.parse_x509()?;
        assert_eq!(leaf.public_key().parsed()?.key_size(), bits);
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_says_when_it_is_valid_and_one_that_is_not_is_never_stored() -> Result<()> {
    let (authority, harness) = laboratory().await?;
    let now = contract::Clock::now(&harness.clock).as_millis() / 1000;
    authority.certificates_live(move |name| match name {
        "over.example" => (now - 86_400, now - 3600),
        _ => (now, now + 6 * 86_400),
    });
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    let facts = harness.until_issued_by_many(&id).await?.facts;
    assert_eq!(facts.not_after.since(facts.not_before).as_secs(), 6 * 86_400);

    let over = harness.open("i-2", &request(KeyType::P256, &["over.example"])).await?;
    assert!(harness.until_issued_by_many(&over).await.is_err());
    assert_eq!(harness.record(&over).await?.chain, None);
    Ok(())
}
