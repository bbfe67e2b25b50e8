//! The users' present sites.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use sandbox::Client;
use sandbox::hosts::{Hit, SiteAnswer, SiteRule};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::fixture::Scene;
use crate::web;

const HOST: &str = "www.example.gov";
const CHALLENGE: &str = "/.well-known/acme-challenge/token-1";

fn below(path: &str, answer: SiteAnswer) -> SiteRule {
    SiteRule { path: path.to_owned(), answer }
}

#[tokio::test]
async fn each_site_has_an_address_and_the_dns_decides() {
    let scene = Scene::start().await.unwrap();
    let (one, other) =
        (scene.sandbox.site(HOST).await.unwrap(), scene.sandbox.site("b.example.gov").await.unwrap());
    assert_ne!(one.address(), other.address());
    assert_eq!(one.http().port(), scene.sandbox.edge().http().port());
    assert_eq!(one.https().port(), scene.sandbox.edge().https().port());
    let page = scene.get(HOST, "/a?b=c").await.unwrap();
    assert_eq!(
        (page.status.as_u16(), page.body.as_str()),
        (200, "<h1>The present site of www.example.gov</h1>")
    );
    assert_eq!(scene.get(HOST, CHALLENGE).await.unwrap().status, 404);
    let hit =
        |path: &str, status| Hit { scheme: "http", host: HOST.to_owned(), path: path.to_owned(), status };
    assert_eq!(one.hits(), [hit("/a?b=c", 200), hit(CHALLENGE, 404)]);
    assert!(other.hits().is_empty());
    assert_eq!(scene.sandbox.site(HOST).await.unwrap().address(), one.address(), "opened once");
}

#[tokio::test]
async fn a_rule_redirects_below_its_path_and_the_site_serves_everything_else() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(HOST).await.unwrap();
    for status in [301, 302, 307, 308] {
        site.set_rules(vec![SiteRule::challenges_to(status, "https://elsewhere.test/x/LABEL")]).unwrap();
        let answer = scene.get(HOST, CHALLENGE).await.unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("location"), "https://elsewhere.test/x/LABEL/token-1");
        assert_eq!(scene.get(HOST, "/other").await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_site_may_answer_anything() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(HOST).await.unwrap();
    site.set_rules(Vec::new()).unwrap();
    let soft = scene.get(HOST, CHALLENGE).await.unwrap();
    assert_eq!((soft.status.as_u16(), soft.header("content-type")), (200, "text/html; charset=utf-8"));
    let to = format!("http://{HOST}{CHALLENGE}");
    site.set_rules(vec![
        below("/loop", SiteAnswer::RedirectTo { status: 302, to: to.clone() }),
        below("/huge", SiteAnswer::Huge { bytes: 1 << 20 }),
        below("/", SiteAnswer::Page { status: 503, body: "later".to_owned() }),
    ])
    .unwrap();
    assert_eq!(scene.get(HOST, "/loop/x").await.unwrap().header("location"), to);
    assert_eq!(scene.get(HOST, "/huge").await.unwrap().body.len(), 1 << 20);
    assert_eq!(scene.get(HOST, "/any").await.unwrap().status, 503);
}

#[tokio::test]
async fn a_site_that_hangs_is_asked_and_says_nothing() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(HOST).await.unwrap();
    site.set_rules(vec![below("/", SiteAnswer::Hang)]).unwrap();
    let seen = sandbox::wait_for("the hit", Duration::from_secs(10), || async { Ok(site.hits().pop()) });
    tokio::select! {
        answer = scene.get(HOST, "/") => panic!("{answer:?}"),
        hit = seen => assert_eq!(hit.unwrap().status, 0),
    }
}

#[tokio::test]
async fn rules_that_cannot_be_followed_are_refused() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(HOST).await.unwrap();
    for wrong in [
        SiteRule::challenges_to(200, "http://elsewhere.test"),
        below("/", SiteAnswer::Page { status: 1000, body: String::new() }),
        below("x", SiteAnswer::Hang),
    ] {
        assert!(site.set_rules(vec![wrong.clone()]).is_err(), "{wrong:?}");
    }
    assert_eq!(scene.get(HOST, "/").await.unwrap().status, 200, "nothing has changed");
}

#[tokio::test]
async fn its_certificate_is_its_own_and_nobody_trusts_it() {
    let scene = Scene::start().await.unwrap();
    let site = scene.sandbox.site(HOST).await.unwrap();
    let roots = std::fs::read_to_string(scene.sandbox.authority().root_file()).unwrap();
    let connector = TlsConnector::from(Arc::new(sandbox::pki::client_config(&roots).unwrap()));
    let stream = TcpStream::connect(site.https()).await.unwrap();
    let refused = connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    assert!(scene.sandbox.visit(HOST, "/").await.is_err(), "as a browser sees it");
}

#[tokio::test]
async fn sites_are_opened_and_asked_over_http() {
    let scene = Scene::start().await.unwrap();
    let admin = scene.sandbox.sites_admin().url();
    let to = "http://elsewhere.test/";
    let rules = json!([{
        "path": "/.well-known/acme-challenge/",
        "answer": { "redirect": { "status": 301, "to": to } },
    }]);
    let body = json!({ "host": HOST, "rules": rules }).to_string();
    let opened = web::post("", &format!("{admin}/open"), &body).await.unwrap();
    assert_eq!(opened.status(), 200, "{:?}", opened.body());
    let opened: Value = serde_json::from_slice(opened.body()).unwrap();
    assert_eq!(opened["address"], scene.sandbox.site(HOST).await.unwrap().address().to_string());
    assert_eq!(scene.get(HOST, CHALLENGE).await.unwrap().header("location"), format!("{to}token-1"));
    let hits = Client::trusting("").unwrap().get(&format!("{admin}/hits?host={HOST}")).await.unwrap();
    let hits: Value = serde_json::from_slice(hits.body()).unwrap();
    assert_eq!(hits["hits"], json!([{ "scheme": "http", "host": HOST, "path": CHALLENGE, "status": 301 }]));
    for (path, body) in [
        ("open", r#"{"rules":[]}"#.to_owned()),
        ("open", json!({ "host": HOST, "rules": [{ "path": "/", "answer": "sulk" }] }).to_string()),
    ] {
        let wrong = web::post("", &format!("{admin}/{path}"), &body).await.unwrap();
        assert_eq!(wrong.status(), 400, "{body}");
    }
    assert_eq!(web::get("", &format!("{admin}/hits?host=unknown.test")).await.unwrap().status(), 400);
}
