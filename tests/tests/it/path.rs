//! The main job, from `cf create-service` to HTTPS on the user's own domain, and back to nothing.

use anyhow::{Context, ensure};
use http::Method;
use sandbox::Client;
use serde_json::json;

use crate::house::{House, names_never_without_certificate, nothing_left};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn from_a_new_instance_to_https_and_back_to_nothing() -> anyhow::Result<()> {
    let house = House::start().await?;
    let domains = ["www.example.gov", "docs.example.gov"];
    house.provisioned(ID, &domains).await?;
    let target = house.sandbox.aws().state().distributions[0].domain.clone();
    for domain in domains {
        house.sandbox.dns().set_cname(domain, &target)?;
        let visit = house.sandbox.visit(domain, "/hello").await?;
        assert_eq!(visit.status, 200);
        assert!(visit.certificate.names.iter().any(|name| name == domain), "{visit:?}");
        assert!(String::from_utf8_lossy(&visit.body).contains(domain), "the origin sees the Host header");
    }
    names_never_without_certificate(&house)?;
    assert_eq!(house.successes("UploadServerCertificate"), 1);
    assert_eq!(house.successes("CreateDistributionWithTags"), 1);
    assert_eq!(house.sandbox.authority().failed_challenges()?, 0);

    let fetched = house.call(Method::GET, &format!("/v2/service_instances/{ID}"), None).await?;
    assert_eq!(fetched.body["parameters"]["domain"], domains.join(","));

    assert_eq!(house.deprovision(ID).await?.status, 202);
    house.until_succeeded(ID).await?;
    nothing_left(&house.sandbox.aws().state())?;
    assert_eq!(house.deprovision(ID).await?.status, 410);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internationalised_wildcard_and_the_users_own_settings() -> anyhow::Result<()> {
    let house = House::start().await?;
    let parameters = json!({
        "domains": ["BÜCHER.example.", "*.bücher.example"], "origin": sandbox::OWN_ORIGIN, "path": "/shop",
        "insecure_origin": true, "cookies": ["session"], "headers": ["X-Tenant"],
    });
    let accepted = house.provision(ID, parameters).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let records = house.records(ID, 2).await?;
    let (label, _) = &records[0];
    assert_eq!(label, "_acme-challenge.xn--bcher-kva.example.");
    assert_eq!(label, &records[1].0, "apex and wildcard share one label");
    house.sandbox.dns().set_txt(label, records.iter().map(|(_, value)| value.clone()).collect())?;
    house.until_succeeded(ID).await?;
    let target = house.sandbox.aws().state().distributions[0].domain.clone();
    house.sandbox.dns().set_cname("fiction.xn--bcher-kva.example", &target)?;
    let visit = house.sandbox.visit("fiction.xn--bcher-kva.example", "/new?page=2").await?;
    let page = String::from_utf8_lossy(&visit.body).into_owned();
    assert!(page.contains("/shop/new?page=2"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn challenge_answers_reach_the_world_through_the_cdn_once_the_name_is_live() -> anyhow::Result<()> {
    let house = House::start().await?;
    house.provisioned(ID, &["www.example.gov"]).await?;
    let state = house.sandbox.aws().state();
    let aws = cloudfront_core::connect(&cloudfront_core::AwsSettings {
        endpoint: Some(cloudfront_core::Endpoint {
            url: house.sandbox.aws().url(),
            access_key_id: "AKIDSANDBOX".to_owned(),
            secret_access_key: contract::Secret::new("sandbox"),
        }),
        region: Some("us-east-1".to_owned()),
        ..cloudfront_core::AwsSettings::new(sandbox::BUCKET)
    })
    .await;
    contract::ChallengeSite::present(&aws.site, &contract::InstanceId::new(ID), "token", "token.thumbprint")
        .await?;
    let client = Client::trusting("")?;
    let edge = house.sandbox.edge().http();
    let answer = |host: String| {
        let request = http::Request::get(format!("http://{edge}/.well-known/acme-challenge/token"))
            .header("host", host)
            .body(http_body_util::Full::default());
        let client = client.clone();
        async move { client.send(request?).await }
    };
    let served = answer("www.example.gov".to_owned()).await?;
    assert_eq!((served.status().as_u16(), &served.body()[..]), (200, &b"token.thumbprint"[..]));
    // The rule of April 2019: a name that is on no distribution is refused, on port 80 too.
    assert_eq!(answer("new.example.gov".to_owned()).await?.status(), 403);
    assert_eq!(state.origin_access_controls.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_while_the_owner_has_not_acted_leaves_nothing() -> anyhow::Result<()> {
    let house = House::start().await?;
    house.provision(ID, json!({"domain": "www.example.gov"})).await?;
    house.records(ID, 1).await?;
    assert_eq!(house.deprovision(ID).await?.status, 202);
    house.until_succeeded(ID).await?;
    nothing_left(&house.sandbox.aws().state())?;
    assert_eq!(house.times("UploadServerCertificate"), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_record_costs_no_attempt_and_the_text_says_what_is_seen() -> anyhow::Result<()> {
    let house = House::start().await?;
    house.provision(ID, json!({"domain": "www.example.gov"})).await?;
    let (name, value) = house.records(ID, 1).await?.remove(0);
    house.sandbox.dns().set_txt(&name, vec!["not-what-was-asked-for".to_owned()])?;
    sandbox::wait_for("the text to say what is seen", crate::house::BOUND, || async {
        let poll = house.poll(ID).await?;
        Ok(poll.text("description").contains("not-what-was-asked-for").then_some(()))
    })
    .await?;
    let log = house.sandbox.authority().log()?;
    assert!(!log.contains("Pulled a task from the Tasks queue"), "the authority was asked to look:\n{log}");
    // A second value beside the wrong one is enough (D13).
    house.sandbox.dns().set_txt(&name, vec!["not-what-was-asked-for".to_owned(), value])?;
    house.until_succeeded(ID).await.context("with both values")?;
    Ok(())
}
