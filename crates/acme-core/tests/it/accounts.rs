//! One account per directory, with or without external binding, and never a second one.

use std::sync::Arc;

use acme_core::{AcmeSettings, ExternalAccount};
use anyhow::{Context, Result};
use contract::{AccountStore, CertificateIssuer, KeyType, Remedy, Secret};

use crate::support::{
    Endpoint, Harness, NameServer, Pebble, PebbleOptions, Reply, Scripted, SharedProbe, request,
};

const KEY_ID: &str = "kid-1";
const MAC_KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

async fn bound(external_account: Option<(&str, &str)>) -> Result<(NameServer, Pebble, Harness)> {
    let dns = NameServer::start().await?;
    let required = Some((KEY_ID.to_owned(), MAC_KEY.to_owned()));
    let options = PebbleOptions { external_account: required, ..Default::default() };
    let pebble = Pebble::start(dns.address, options).await?;
    let external_account = external_account
        .map(|(key_id, mac)| ExternalAccount { key_id: key_id.into(), hmac_key: Secret::new(mac) });
    let settings = AcmeSettings {
        root_certificates_pem: Some(pebble.root_pem.clone()),
        external_account,
        ..AcmeSettings::new(&pebble.directory_url)
    };
    let harness = Harness::new(settings, dns.address)?;
    Ok((dns, pebble, harness))
}

#[tokio::test]
async fn the_right_external_account_is_bound() -> Result<()> {
    let (dns, _pebble, harness) = bound(Some((KEY_ID, MAC_KEY))).await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    let issuer = harness.issuer()?;
    issuer.advance(&id).await?;
    harness.set_records(&id, &dns).await?;
    harness.until_issued(&issuer, &id).await?;
    Ok(())
}

#[tokio::test]
async fn a_missing_or_wrong_external_account_is_for_the_operator() -> Result<()> {
    let foreign = "b10lLJs8l1GPIzsLP0s6pMt8O0XVGnfTaCeROxQM0BIt2XrJMDHJZBM5NuQmQJQH";
    for external_account in [None, Some((KEY_ID, foreign)), Some(("kid-9", MAC_KEY))] {
        let (_dns, _pebble, harness) = bound(external_account).await?;
        let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
        let error = harness.issuer()?.advance(&id).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::AwaitOperator, "{external_account:?}: {error}");
        assert!(error.to_string().starts_with("could not open the ACME account: "), "{error}");
        assert!(!error.to_string().contains(MAC_KEY), "{error}");
        let account = harness.store.find(&harness.settings.directory_url).await?.context("the account")?;
        assert_eq!(account.url, None, "nothing was opened");
    }
    Ok(())
}

async fn scripted() -> Result<(Scripted, Harness)> {
    let authority = Scripted::start().await?;
    let settings = AcmeSettings::new(&authority.directory_url);
    let harness = Harness::with_probe(settings, Arc::new(SharedProbe::seeing_everything()))?;
    Ok((authority, harness))
}

#[tokio::test]
async fn the_key_is_stored_before_the_authority_hears_of_it() -> Result<()> {
    let (authority, harness) = scripted().await?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    authority.script(Endpoint::NewAccount, [Reply::Lose]);
    harness.issuer()?.advance(&id).await.unwrap_err();
    let find = async || harness.store.find(&harness.settings.directory_url).await;
    let before = find().await?.context("the account")?;
    assert_eq!(before.url, None);
    harness.until_issued_by_many(&id).await?;
    let after = find().await?.context("the account")?;
    assert_eq!(after.key, before.key, "asked again with the same key, the authority gives the same account");
    assert!(after.url.is_some());
    Ok(())
}

#[tokio::test]
async fn an_account_is_opened_once_for_all_issuances_and_processes() -> Result<()> {
    let (authority, harness) = scripted().await?;
    for id in ["one", "two", "three"] {
        let id = harness.open(id, &request(KeyType::P256, &["a.example"])).await?;
        harness.until_issued_by_many(&id).await?;
    }
    assert_eq!(authority.asked(Endpoint::NewAccount), 1);
    Ok(())
}

#[tokio::test]
async fn one_process_reads_the_directory_once() -> Result<()> {
    let (authority, harness) = scripted().await?;
    let issuer = harness.issuer()?;
    let first = harness.open("first", &request(KeyType::P256, &["a.example"])).await?;
    harness.until_issued(&issuer, &first).await?;
    let read = authority.asked(Endpoint::Directory);
    let second = harness.open("second", &request(KeyType::P256, &["b.example"])).await?;
    harness.until_issued(&issuer, &second).await?;
    assert_eq!(authority.asked(Endpoint::Directory), read);
    Ok(())
}

#[tokio::test]
async fn an_account_that_the_authority_has_forgotten_is_an_alarm_and_never_replaced() -> Result<()> {
    let (authority, harness) = scripted().await?;
    let first = harness.open("first", &request(KeyType::P256, &["a.example"])).await?;
    harness.until_issued_by_many(&first).await?;
    let second = harness.open("second", &request(KeyType::P256, &["b.example"])).await?;
    let unknown = || Reply::problem(400, "accountDoesNotExist", "Account is not found");
    authority.script(Endpoint::NewOrder, [unknown(), unknown()]);
    for _ in 0..2 {
        let error = harness.issuer()?.advance(&second).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::AwaitOperator, "{error}");
        assert!(error.to_string().contains("Account is not found"), "{error}");
    }
    assert_eq!(authority.asked(Endpoint::NewAccount), 1);
    Ok(())
}
