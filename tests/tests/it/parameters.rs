//! What a user asks for is what CloudFront does, and what the platform is shown.

use anyhow::ensure;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::house::{House, PLAN_ID, SERVICE_ID};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000003";

fn asked() -> Value {
    json!({
        "domain": "www.example.gov", "forward_cookies": "theme, session", "forward_headers": ["x-tenant"],
        "default_ttl": 0, "error_responses": {"404": "/errors/404.html", "503": "/busy.html"}, "compress": true,
        "hsts": true, "price_class": "PriceClass_All", "minimum_tls": "TLSv1.3_2025", "path": null,
    })
}

/// D36: a TTL of zero is zero in the database, at CloudFront, and in what is shown.
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_asked_for_is_shown_and_done() -> anyhow::Result<()> {
    let house = House::start().await?;
    let accepted = house.provision(ID, asked()).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;

    let shown = house.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
    let expected = json!({
        "domain": "www.example.gov", "origin": sandbox::DEFAULT_ORIGIN, "path": "", "insecure_origin": false,
        "cookies": ["session", "theme"], "headers": ["Host", "X-Tenant"], "default_ttl": 0,
        "error_responses": {"404": "/errors/404.html", "503": "/busy.html"}, "compress": true, "hsts": true,
        "price_class": "PriceClass_All", "minimum_tls": "TLSv1.3_2025", "logging": false,
    });
    assert_eq!(shown.body["parameters"], expected);

    let config = config(&house).await?;
    for part in [
        "<Items><Name>session</Name><Name>theme</Name></Items>",
        "<Items><Name>Host</Name><Name>X-Tenant</Name></Items>",
        "<DefaultTTL>0</DefaultTTL>",
        "<ResponsePagePath>/errors/404.html</ResponsePagePath>",
        "<ResponseCode>503</ResponseCode>",
        "<Compress>true</Compress>",
        "<ResponseHeadersPolicyId>67f7725c-6f97-4210-82d7-5512b31e9d03</ResponseHeadersPolicyId>",
        "<PriceClass>PriceClass_All</PriceClass>",
        "<MinimumProtocolVersion>TLSv1.3_2025</MinimumProtocolVersion>",
    ] {
        assert!(config.contains(part), "{part} is not in {config}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_purges_once() -> anyhow::Result<()> {
    let house = House::start().await?;
    ensure!(house.provision(ID, asked()).await?.status == 202);
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    let before = house.successes("UpdateDistribution");
    let change = json!({
        "default_ttl": null, "hsts": false, "price_class": null, "error_responses": {"404": "/gone.html"},
        "invalidate": ["/*", "/index.html"],
    });
    let body = json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": change});
    let path = format!("/v2/service_instances/{ID}");
    let accepted = house.call(Method::PATCH, &format!("{path}?accepts_incomplete=true"), Some(&body)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    house.until_succeeded(ID).await?;
    assert_eq!(house.successes("UpdateDistribution"), before + 1);
    assert_eq!(house.successes("CreateInvalidation"), 1);
    let shown = house.call(Method::GET, &path, None).await?.body["parameters"].clone();
    let config = config(&house).await?;
    for (name, value, part) in [
        ("default_ttl", json!(86_400), "<DefaultTTL>86400</DefaultTTL>"),
        ("price_class", json!("PriceClass_100"), "<PriceClass>PriceClass_100</PriceClass>"),
        ("error_responses", json!({"404": "/gone.html"}), "<ResponsePagePath>/gone.html</ResponsePagePath>"),
        ("compress", json!(true), "<Compress>true</Compress>"),
    ] {
        assert_eq!(shown[name], value);
        assert!(config.contains(part), "{part} is not in {config}");
    }
    assert!(!config.contains("ResponseHeadersPolicyId>6") && !config.contains("/busy.html"), "{config}");
    assert!(shown.get("invalidate").is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_policy_serves_the_default_origin() -> anyhow::Result<()> {
    let house = House::start().await?;
    let asked = json!({"domain": "www.example.gov", "cache_policy": "Managed-CachingDisabled"});
    ensure!(house.provision(ID, asked).await?.status == 202);
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;
    let target = house.sandbox.aws().state().distributions[0].domain.clone();
    house.sandbox.dns().set_cname("www.example.gov", &target)?;
    let visit = house.sandbox.visit("www.example.gov", "/hello").await?;
    assert_eq!(visit.status, 200);
    let page = String::from_utf8_lossy(&visit.body).into_owned();
    assert!(page.contains("www.example.gov"), "the router was told which domain was asked for: {page}");
    let shown = house.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
    let parameters = &shown.body["parameters"];
    assert_eq!(parameters["cache_policy"], "CachingDisabled");
    assert_eq!(parameters["origin_request_policy"], "HostHeaderOnly");
    assert!(parameters.get("cookies").is_none() && parameters.get("headers").is_none(), "{parameters}");
    Ok(())
}

/// The configuration of the only distribution, as its owner sees it.
async fn config(house: &House) -> anyhow::Result<String> {
    let aws = house.sandbox.aws();
    let id = &aws.state().distributions[0].id;
    let scope = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/cloudfront/aws4_request";
    let request = Request::get(format!("{}/2020-05-31/distribution/{id}/config", aws.url()))
        .header("authorization", scope)
        .body(Full::default())?;
    let answer = sandbox::Client::trusting("")?.send(request).await?;
    Ok(std::str::from_utf8(answer.body())?.to_owned())
}
