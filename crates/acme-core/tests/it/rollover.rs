//! The key of the account is replaced (RFC 8555, section 7.3.5) while brokers use it, at Pebble, and whoever does it dies at
//! any moment.

use std::sync::Arc;

use acme_core::AcmeSettings;
use anyhow::{Context, Result};
use contract::testing::{MemoryStore, Outcome, until_crash};
use contract::{
    AccountRecord, AccountStanding, AccountStore, AuthorityAccount, AuthorityAccounts, CertificateIssuer,
    IssuanceId, KeyType, Remedy,
};

use crate::support::{Harness, NameServer, Pebble, PebbleOptions, request};

async fn laboratory() -> Result<(NameServer, Pebble)> {
    let dns = NameServer::start().await?;
    let pebble = Pebble::start(dns.address, PebbleOptions::default()).await?;
    Ok((dns, pebble))
}

/// A broker with a database of its own, and so with an account of its own.
fn broker(pebble: &Pebble, dns: &NameServer) -> Result<Harness> {
    let settings = AcmeSettings {
        root_certificates_pem: Some(pebble.root_pem.clone()),
        contact_email: Some("operator@example.gov".to_owned()),
        ..AcmeSettings::new(&pebble.directory_url)
    };
    Harness::new(settings, dns.address)
}

async fn record(harness: &Harness) -> Result<AccountRecord> {
    harness.store.find(&harness.settings.directory_url).await?.context("the account")
}

async fn shown(harness: &Harness) -> Result<AuthorityAccount> {
    harness.issuer()?.accounts().await?.pop().context("no account")
}

fn is_valid(account: &AuthorityAccount) -> bool {
    matches!(&account.at_authority, AccountStanding::Known { status, .. } if status == "valid")
}

/// Whether the authority still knows the account by this key.
async fn is_known_by(harness: &Harness, account: &AccountRecord) -> Result<bool> {
    let stranger = Harness { store: MemoryStore::new(harness.clock.clone()), ..broker_like(harness)? };
    stranger.store.ensure(&AccountRecord { next_key: None, ..account.clone() }).await?;
    Ok(is_valid(&shown(&stranger).await?))
}

fn broker_like(harness: &Harness) -> Result<Harness> {
    Harness::with_probe(harness.settings.clone(), Arc::clone(&harness.probe))
}

/// An issuance that waits for its user.
async fn waiting(harness: &Harness, id: &str, name: &str) -> Result<IssuanceId> {
    let id = harness.open(id, &request(KeyType::P256, &[name])).await?;
    harness.issuer()?.advance(&id).await?;
    Ok(id)
}

#[tokio::test]
async fn a_key_is_replaced_beside_a_broker_that_goes_on() -> Result<()> {
    let (dns, pebble) = laboratory().await?;
    let harness = broker(&pebble, &dns)?;
    let beside = harness.issuer()?;
    let id = harness.open("i-1", &request(KeyType::P256, &["a.example"])).await?;
    beside.advance(&id).await?;
    // Its user has done what was shown then.
    harness.set_records(&id, &dns).await?;
    let (old, before) = (record(&harness).await?, shown(&harness).await?);
    assert!(is_valid(&before), "{before:?}");
    let AccountStanding::Known { contact, .. } = &before.at_authority else { anyhow::bail!("{before:?}") };
    assert_eq!(contact, &["mailto:operator@example.gov"]);

    let rotated = harness.issuer()?.rotate_key().await?;
    let new = record(&harness).await?;
    assert!(is_valid(&rotated) && rotated.thumbprint != before.thumbprint, "{rotated:?}");
    assert!(new.key != old.key && new.next_key.is_none() && new.url == old.url);
    assert!(is_known_by(&harness, &new).await? && !is_known_by(&harness, &old).await?);

    // What is to be proven depends on the key: the broker shows other values, and the order is the same.
    let stale = harness.record(&id).await?;
    beside.advance(&id).await?;
    let fresh = harness.record(&id).await?;
    assert_ne!(stale.authorizations[0].dns, fresh.authorizations[0].dns);
    assert_eq!((stale.order_url, 1), (fresh.order_url, fresh.orders_placed));
    harness.set_records(&id, &dns).await?;
    harness.until_issued(&beside, &id).await?;
    // And once more, now that everything was used with the second key.
    let again = harness.issuer()?.rotate_key().await?;
    assert_ne!(again.thumbprint, rotated.thumbprint);
    let id = waiting(&harness, "i-2", "b.example").await?;
    harness.set_records(&id, &dns).await?;
    harness.until_issued(&beside, &id).await?;
    Ok(())
}

#[tokio::test]
async fn there_is_nothing_to_replace_before_there_is_an_account() -> Result<()> {
    let (dns, pebble) = laboratory().await?;
    let harness = broker(&pebble, &dns)?;
    assert_eq!(harness.issuer()?.accounts().await?, []);
    let error = harness.issuer()?.rotate_key().await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::GiveUp);
    assert!(error.to_string().contains("there is no account"), "{error}");
    assert_eq!(pebble.requests("/sign-me-up"), 0, "none is opened for that");
    Ok(())
}

/// How many points a rotation passes that nothing disturbs.
async fn points(pebble: &Pebble, dns: &NameServer) -> Result<u64> {
    let harness = broker(pebble, dns)?;
    waiting(&harness, "i-1", "a.example").await?;
    let before = harness.plan.points_passed();
    harness.issuer()?.rotate_key().await?;
    Ok(harness.plan.points_passed() - before)
}

#[tokio::test]
async fn whoever_replaces_a_key_may_die_at_any_point() -> Result<()> {
    let (dns, pebble) = laboratory().await?;
    let points = points(&pebble, &dns).await?;
    assert!(points >= 6, "find, propose and adopt, before and after each: {points}");
    for point in 1..=points {
        let harness = broker(&pebble, &dns)?;
        let beside = harness.issuer()?;
        let id = harness.open("i-1", &request(KeyType::P256, &[&format!("p{point}.example")])).await?;
        beside.advance(&id).await?;
        let before = record(&harness).await?;
        harness.plan.crash_at(harness.plan.points_passed() + point);
        let rotating = harness.issuer()?;
        let outcome = until_crash(&harness.plan, rotating.rotate_key()).await;
        assert!(matches!(outcome, Outcome::Crashed), "point {point} was not reached");
        drop(rotating);
        let died = harness.plan.died_at();

        // The broker that runs goes on, and so does one that starts; whichever key counts.
        beside.advance(&id).await.with_context(|| format!("{died:?}"))?;
        harness.set_records(&id, &dns).await?;
        harness.until_issued(&beside, &id).await.with_context(|| format!("{died:?}"))?;
        assert!(is_valid(&shown(&harness).await?), "{died:?}");
        waiting(&harness, "i-2", "b.example").await.with_context(|| format!("{died:?}"))?;

        // A second run brings it to its end.
        let rotated = harness.issuer()?.rotate_key().await.with_context(|| format!("{died:?}"))?;
        let after = record(&harness).await?;
        assert!(is_valid(&rotated) && after.next_key.is_none(), "{died:?}");
        assert!(after.key != before.key && after.url == before.url, "{died:?}");
        assert!(!is_known_by(&harness, &before).await?, "{died:?}");
    }
    Ok(())
}

#[tokio::test]
async fn of_several_who_replace_a_key_at_once_all_end_with_the_same() -> Result<()> {
    let (dns, pebble) = laboratory().await?;
    let harness = broker(&pebble, &dns)?;
    waiting(&harness, "i-1", "a.example").await?;
    let (one, two) = (harness.issuer()?, harness.issuer()?);
    let (one, two) = tokio::join!(one.rotate_key(), two.rotate_key());
    for done in [&one, &two] {
        // Who comes too late to have a say is told to try again, which would be another change.
        assert!(
            done.as_ref().map_or_else(|error| matches!(error.remedy(), Remedy::Retry { .. }), is_valid),
            "{done:?}"
        );
    }
    let account = record(&harness).await?;
    assert!(account.next_key.is_none() && is_known_by(&harness, &account).await?);
    Ok(())
}
