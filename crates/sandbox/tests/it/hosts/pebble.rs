//! Pebble validates HTTP-01 challenges, with nothing but DNS and Host to find its way.

use std::collections::BTreeSet;

use sandbox::hosts::SiteRule;
use sandbox::{BROKER_HOST, CHALLENGE_HOST};

use super::acme::Acme;
use super::fixture::Scene;

const NAME: &str = "www.example.gov";
const LABEL: &str = "mfrggzdfmztwq2lknnwg23tpoa";

#[tokio::test]
async fn a_name_that_points_at_the_challenge_host_is_validated() {
    let scene = Scene::start().await.unwrap();
    let dns = scene.sandbox.dns();
    // As with a managed name: two aliases in a row.
    dns.set_cname(NAME, "label.managed.example.org").unwrap();
    dns.set_cname("label.managed.example.org", CHALLENGE_HOST).unwrap();
    let acme = Acme::register(scene.sandbox.authority()).await.unwrap();
    let challenge = acme.http_01(NAME).await.unwrap();
    scene.broker.present(NAME, &challenge.token, &challenge.key_authorization);
    assert_eq!(acme.answer(&challenge).await.unwrap(), ("valid".to_owned(), String::new()));
    let path = format!("/.well-known/acme-challenge/{NAME}/{}", challenge.token);
    let port = scene.sandbox.ports().http;
    assert!(scene.broker.asked().contains(&format!("http {BROKER_HOST}:{port}{path}")));
}

#[tokio::test]
async fn a_site_that_redirects_is_validated_by_every_kind_of_redirect_over_http_and_https() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(NAME).await.unwrap();
    let acme = Acme::register(scene.sandbox.authority()).await.unwrap();
    let (plain, secure) = (scene.sandbox.challenge_url(), scene.sandbox.secure_challenge_url());
    for (status, url, scheme) in
        [(301, &plain, "http"), (302, &secure, "https"), (307, &secure, "https"), (308, &plain, "http")]
    {
        site.set_rules(vec![SiteRule::challenges_to(status, &format!("{url}/{LABEL}"))]).unwrap();
        // A name of its own each time, or an authorization that is still valid would be used again.
        let name = format!("{status}.example.gov");
        scene.sandbox.dns().set_a(&name, vec![site.address()]).unwrap();
        let challenge = acme.http_01(&name).await.unwrap();
        scene.broker.present(LABEL, &challenge.token, &challenge.key_authorization);
        let (ended, why) = acme.answer(&challenge).await.unwrap();
        assert_eq!(ended, "valid", "{status} to {url}: {why}");
        let asked = scene.broker.asked();
        assert!(asked.last().is_some_and(|asked| asked.starts_with(scheme)), "{asked:?}");
    }
    // Pebble looks several times for each, as an authority does from several places.
    let statuses: BTreeSet<_> = site.hits().iter().map(|hit| hit.status).collect();
    assert_eq!(statuses, BTreeSet::from([301, 302, 307, 308]));
    assert_eq!(scene.sandbox.authority().failed_challenges().unwrap(), 0);
}

#[tokio::test]
async fn a_name_that_points_at_the_platforms_router_is_not_found() {
    let scene = Scene::start().await.unwrap();
    scene.sandbox.dns().set_cname(NAME, BROKER_HOST).unwrap();
    let acme = Acme::register(scene.sandbox.authority()).await.unwrap();
    let challenge = acme.http_01(NAME).await.unwrap();
    scene.broker.present(NAME, &challenge.token, &challenge.key_authorization);
    let (ended, why) = acme.answer(&challenge).await.unwrap();
    assert_eq!(ended, "invalid");
    assert!(why.contains("404"), "{why}");
    assert!(scene.broker.asked().is_empty());
}

#[tokio::test]
async fn a_site_that_knows_nothing_of_it_fails_the_challenge() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(NAME).await.unwrap();
    let acme = Acme::register(scene.sandbox.authority()).await.unwrap();
    let challenge = acme.http_01(NAME).await.unwrap();
    let (ended, why) = acme.answer(&challenge).await.unwrap();
    assert_eq!(ended, "invalid", "{why}");
    assert_eq!(site.hits()[0].path, format!("/.well-known/acme-challenge/{}", challenge.token));
    assert_eq!(scene.sandbox.authority().failed_challenges().unwrap(), 1);
}
