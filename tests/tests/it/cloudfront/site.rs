use contract::testing::conformance::site::Reader;
use contract::{ChallengeSite, InstanceId, Remedy};
use http::Request;
use sandbox::aws::{AwsSettings, FaultKind, FaultMoment};

use super::account::{Account, BUCKET, is_retry, remedy, settings};

#[tokio::test]
async fn an_answer_is_plain_bytes_that_nobody_may_cache() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let instance = InstanceId::new("9a3f2b10-0c1d-4e5f-8a9b-0123456789ab");
    account.process().await.site.present(&instance, "token", "token.thumbprint").await?;
    let answer = account.reader().object(&instance, "token").await?;
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let keys = &account.local.state().buckets[0].keys;
    assert_eq!(*keys, ["9a3f2b10-0c1d-4e5f-8a9b-0123456789ab/.well-known/acme-challenge/token"]);
    Ok(())
}

#[tokio::test]
async fn clearing_goes_through_every_page() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (site, instance) = (account.process().await.site, InstanceId::new("one"));
    let folder = cloudfront_core::folder(&instance);
    // More than the thousand keys of one page.
    for number in 0..1001 {
        let path = format!("/{BUCKET}/{folder}/.well-known/acme-challenge/token-{number}");
        let put = account.send("s3", Request::put(account.url(&path)), "answer").await?;
        assert_eq!(put.status(), 200);
    }
    site.clear(&instance).await?;
    assert!(account.local.state().buckets[0].keys.is_empty());
    Ok(())
}

#[tokio::test]
async fn an_interrupted_clearing_is_finished_by_the_next() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (site, instance) = (account.process().await.site, InstanceId::new("one"));
    for token in ["token-1", "token-2"] {
        site.present(&instance, token, "answer").await?;
    }
    account.strike("DeleteObject", FaultMoment::After, FaultKind::Reset);
    assert!(is_retry(site.clear(&instance).await));
    site.clear(&instance).await?;
    assert_eq!(account.reader().read(&instance, "token-2").await, None);
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_none_reaches_nobody() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let refused =
        account.process().await.site.present(&InstanceId::new("one"), "../two/token", "answer").await;
    assert_eq!(remedy(refused), Some(Remedy::GiveUp));
    assert!(account.local.journal().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_missing_bucket_is_the_operators() -> anyhow::Result<()> {
    let account = Account::with(AwsSettings { buckets: Vec::new(), ..settings() }).await?;
    let refused = account.process().await.site.present(&InstanceId::new("one"), "token", "answer").await;
    assert_eq!(remedy(refused), Some(Remedy::AwaitOperator));
    Ok(())
}
