//! One request to whoever answers for a name.

use acme_core::Probe;
use anyhow::Result;
use contract::{PortResult, Remedy, VisitAnswer, VisitQuestion, Visitor};

use crate::support::{Answer, DnsWorld, Page, WebServer, probe_settings};

fn question(host: &str, secure: bool) -> VisitQuestion {
    VisitQuestion { at: "edge.example.gov".into(), host: host.into(), path: "/page?x=1".into(), secure }
}

async fn ask(world: &DnsWorld, web: &WebServer, question: &VisitQuestion) -> Result<PortResult<VisitAnswer>> {
    let mut settings = probe_settings(world.resolver.address);
    settings.http_port = web.address.port();
    settings.https_port = web.address.port();
    Ok(Probe::new(&settings)?.ask(question).await)
}

async fn world() -> Result<DnsWorld> {
    let world = DnsWorld::start(&[("example.gov.", 1)]).await?;
    world.set("edge.example.gov.", &Answer::at(&["127.0.0.1"]));
    Ok(world)
}

#[tokio::test]
async fn an_edge_is_asked_for_another_name_than_its_own() -> Result<()> {
    let (world, web) = (world().await?, WebServer::start().await?);
    let page = Page::Answer(403, vec![("Server", "Edge".into())], "no".into());
    web.set("other.example/page?x=1", page);
    let answer = ask(&world, &web, &question("other.example", false)).await??;
    assert_eq!((answer.status, answer.body.as_slice()), (403, b"no".as_slice()));
    assert_eq!(answer.headers.get("server").map(String::as_str), Some("Edge"));
    assert_eq!(answer.certificate, None);
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() -> Result<()> {
    let (world, web) = (world().await?, WebServer::start().await?);
    web.set("other.example/page?x=1", Page::redirect(301, "https://other.example/"));
    let answer = ask(&world, &web, &question("other.example", false)).await??;
    assert_eq!(answer.status, 301);
    assert_eq!(web.asked().len(), 1);
    Ok(())
}

#[tokio::test]
async fn any_certificate_is_taken_and_told() -> Result<()> {
    let (world, web) = (world().await?, WebServer::start_tls(rustls::DEFAULT_VERSIONS).await?);
    web.set("other.example/page?x=1", Page::ok("yes"));
    let answer = ask(&world, &web, &question("other.example", true)).await??;
    let names: Vec<String> =
        answer.certificate.iter().flat_map(|facts| &facts.names).map(ToString::to_string).collect();
    assert_eq!((answer.status, names), (200, vec!["other.invalid".to_owned()]));
    Ok(())
}

#[tokio::test]
async fn silence_is_retried_and_nonsense_is_not() -> Result<()> {
    let (world, web) = (world().await?, WebServer::start().await?);
    let nowhere = VisitQuestion { at: "nowhere.example.gov".into(), ..question("other.example", false) };
    let error = ask(&world, &web, &nowhere).await?.unwrap_err();
    assert_eq!(error.remedy(), Remedy::Retry { after: None });
    assert!(error.to_string().contains("nowhere.example.gov"), "{error}");
    let crooked = VisitQuestion { path: "page".into(), ..question("other.example", false) };
    assert_eq!(ask(&world, &web, &crooked).await?.unwrap_err().remedy(), Remedy::GiveUp);
    Ok(())
}
