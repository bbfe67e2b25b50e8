//! The ports of `cloudfront-core` through the real AWS SDKs, against the sandbox's AWS with the real rules.

mod account;
mod cdn;
mod controls;
mod edge;
mod pace;
mod parameters;
mod site;
mod vault;
mod zone;

use std::sync::Arc;

use account::Account;
use contract::testing::conformance;

#[tokio::test]
async fn the_cdn_keeps_the_promises_of_its_port() -> anyhow::Result<()> {
    conformance::cdn::run(&subject(&Account::open().await?)).await;
    Ok(())
}

#[tokio::test]
async fn the_vault_keeps_the_promises_of_its_port() -> anyhow::Result<()> {
    conformance::vault::run(&subject(&Account::open().await?)).await;
    Ok(())
}

#[tokio::test]
async fn the_site_keeps_the_promises_of_its_port() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let site = Arc::new(account.process().await.site);
    conformance::site::run(&conformance::site::Subject::new(site, account.reader(), "run")).await;
    Ok(())
}

fn subject(account: &Account) -> conformance::cdn::Subject {
    let minting = account.clone();
    let mint = Arc::new(move |names: &[_]| minting.bundle(names));
    let (cdn, vault) = (Arc::clone(&account.cdn), Arc::clone(&account.vault));
    conformance::cdn::Subject::new(cdn, vault, account.clone(), mint, "run")
}
