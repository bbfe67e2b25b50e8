//! Which distribution answers.

use super::fixture::Scene;
use crate::aws::fixture::{config, replaced, with_aliases, with_certificate};

const NAME: &str = "www.example.org";

#[tokio::test]
async fn an_unknown_host_is_403_with_cloudfronts_page() {
    let scene = Scene::start().await.unwrap();
    let answer = scene.plain("GET", "nobody.example.org", "/.well-known/acme-challenge/x").await.unwrap();
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("ERROR: The request could not be satisfied"));
    assert_eq!((answer.header("server"), answer.header("x-cache")), ("CloudFront", "Error from cloudfront"));
    let known = scene.site("one", &[NAME]).await.unwrap();
    for host in [NAME, "WWW.EXAMPLE.ORG", "www.example.org:8080", "www.example.org.", &known] {
        assert_eq!(scene.plain("GET", host, "/").await.unwrap().status, 301, "{host}");
    }
}

#[tokio::test]
async fn viewers_see_a_new_distribution_when_it_is_deployed() {
    let scene = Scene::start().await.unwrap();
    let made = scene.cloud.made(&config("one")).await.unwrap();
    assert_eq!(scene.plain("GET", &made.domain, "/").await.unwrap().status, 403);
    scene.later();
    assert_eq!(scene.plain("GET", &made.domain, "/").await.unwrap().status, 301);
}

#[tokio::test]
async fn viewers_see_a_change_when_it_is_deployed() {
    let scene = Scene::start().await.unwrap();
    let domain = scene.deployed(&config("one")).await.unwrap();
    let certificate = scene.cloud.certificate("late", &[NAME]).await.unwrap();
    let wanted = with_aliases(&with_certificate(&config("one"), &certificate), &[NAME]);
    scene.change(&domain, &wanted).await.unwrap();
    assert_eq!(scene.plain("GET", NAME, "/").await.unwrap().status, 403);
    assert_eq!(
        scene.plain("GET", &domain, "/").await.unwrap().status,
        301,
        "the former state is still served"
    );
    scene.later();
    assert_eq!(scene.secure(NAME, "/").await.unwrap().answer.status, 200);
}

#[tokio::test]
async fn a_disabled_distribution_keeps_its_names_and_refuses() {
    let scene = Scene::start().await.unwrap();
    let certificate = scene.cloud.certificate("both", &["*.example.org"]).await.unwrap();
    let wanted = |reference: &str, alias: &str| {
        with_aliases(&with_certificate(&config(reference), &certificate), &[alias])
    };
    scene.deployed(&wanted("wildcard", "*.example.org")).await.unwrap();
    let exact = scene.deployed(&wanted("exact", NAME)).await.unwrap();
    let disabled = wanted("exact", NAME).replace("<Enabled>true", "<Enabled>false");
    scene.change(&exact, &disabled).await.unwrap();
    assert_eq!(scene.plain("GET", NAME, "/").await.unwrap().status, 301, "not deployed yet");
    scene.later();
    assert_eq!(scene.plain("GET", NAME, "/").await.unwrap().status, 403, "the wildcard does not step in");
    assert_eq!(scene.plain("GET", "other.example.org", "/").await.unwrap().status, 301);
}

#[tokio::test]
async fn an_exact_alias_goes_before_a_wildcard() {
    let scene = Scene::start().await.unwrap();
    let certificate = scene.cloud.certificate("both", &["*.example.org"]).await.unwrap();
    let wanted = |reference: &str, alias: &str, path: &str| {
        let config = with_aliases(&with_certificate(&config(reference), &certificate), &[alias]);
        replaced(&config, "OriginPath", &format!("<OriginPath>{path}</OriginPath>"))
    };
    scene.deployed(&wanted("wildcard", "*.example.org", "/wildcard")).await.unwrap();
    scene.deployed(&wanted("exact", NAME, "/exact")).await.unwrap();
    for (host, path) in [(NAME, "path: /exact/x\n"), ("other.example.org", "path: /wildcard/x\n")] {
        let seen = scene.secure(host, "/x").await.unwrap();
        assert!(seen.answer.body.contains(path), "{host}: {}", seen.answer.body);
    }
    assert_eq!(scene.plain("GET", "a.b.example.org", "/").await.unwrap().status, 403, "one level only");
}
