use std::net::{IpAddr, Ipv4Addr};

use cloudfront_core::{PolicySettings, bucket_policy};
use contract::{ChallengeSite, InstanceId};
use http::Request;
use http_body_util::Full;
use sandbox::Client;
use sandbox::aws::ACCOUNT;
use sandbox::edge::{Edge, EdgeSettings, OriginMap};

use super::account::{Account, BUCKET};

/// The whole way of an HTTP-01 answer: bucket policy, access control, origin path and behaviour have to fit.
#[tokio::test]
async fn an_answer_is_served_by_the_instances_distribution_and_by_no_other() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let edge = edge(&account).await?;
    let policy = PolicySettings {
        account: ACCOUNT.to_owned(),
        bucket: BUCKET.to_owned(),
        zone: None,
        log_bucket: None,
        principal: None,
        iam_path_prefix: "letsencrypt".to_owned(),
    };
    let put = Request::put(account.url(&format!("/{BUCKET}?policy")));
    assert_eq!(account.send("s3", put, &bucket_policy(&policy).to_string()).await?.status(), 204);

    let (one, _) = account.distribution("one").await?;
    let (other, _) = account.distribution("other").await?;
    let site = account.process().await.site;
    site.present(&InstanceId::new("one"), "token", "token.thumbprint").await?;

    assert_eq!(ask(&edge, &one.domain).await?, (200, "token.thumbprint".to_owned()));
    assert_eq!(ask(&edge, &other.domain).await?.0, 403);
    Ok(())
}

async fn edge(account: &Account) -> anyhow::Result<Edge> {
    let settings = EdgeSettings {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        http_port: 0,
        https_port: 0,
        origins: OriginMap::default(),
        origin_roots_pem: Vec::new(),
    };
    Edge::start(&account.local, settings).await
}

/// Asks as a certificate authority would: over plain HTTP.
async fn ask(edge: &Edge, host: &str) -> anyhow::Result<(u16, String)> {
    let url = format!("http://{}/.well-known/acme-challenge/token", edge.http());
    let answer =
        Client::trusting("")?.send(Request::get(url).header("host", host).body(Full::default())?).await?;
    Ok((answer.status().as_u16(), String::from_utf8(answer.into_body().to_vec())?))
}
