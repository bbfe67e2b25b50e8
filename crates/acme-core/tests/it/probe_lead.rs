//! Where names lead, as visitors find it.

use acme_core::{EdgeMark, Probe, ProbeSettings};
use anyhow::Result;
use contract::{Lead, LeadEnd, LeadQuestion, NameProbe};
use hickory_proto::rr::RecordType;

use crate::support::{Answer, DnsWorld, Page, WebServer, names, probe_settings};

const TARGET: &str = "d1.cdn.example";

/// Somebody's zone with two name servers, and the CDN's, in which the target has two addresses.
async fn world() -> Result<DnsWorld> {
    let world = DnsWorld::start(&[("example.gov.", 2), ("cdn.example.", 1)]).await?;
    world.set("d1.cdn.example.", &Answer::at(&["127.0.0.31", "127.0.0.32"]));
    Ok(world)
}

async fn look_at(world: &DnsWorld, name: &str) -> Result<Lead> {
    look_with(world, name, |_| {}).await
}

async fn look_with(world: &DnsWorld, name: &str, change: impl FnOnce(&mut ProbeSettings)) -> Result<Lead> {
    let mut settings = probe_settings(world.resolver.address);
    change(&mut settings);
    let question = LeadQuestion { name: names(&[name]).remove(0), target: TARGET.to_owned() };
    Ok(Probe::new(&settings)?.lead(&question).await?)
}

fn alias(to: &str) -> Answer {
    Answer::Cname(format!("{to}."))
}

fn unclear(lead: Lead) -> Result<String> {
    match lead.end {
        LeadEnd::Unclear { saw } => Ok(saw),
        end => anyhow::bail!("{end:?}"),
    }
}

#[tokio::test]
async fn a_cname_to_the_target_is_right_however_long_the_way() -> Result<()> {
    let world = world().await?;
    world.set("www.example.gov.", &alias("D1.CDN.example"));
    assert_eq!(
        look_at(&world, "www.example.gov").await?,
        Lead { aliases: vec![TARGET.into()], end: LeadEnd::Target }
    );
    world.set("www.example.gov.", &alias("label.cdn.example"));
    world.set("label.cdn.example.", &alias(TARGET));
    let lead = look_at(&world, "www.example.gov").await?;
    assert_eq!((lead.is_right(), lead.aliases), (true, vec!["label.cdn.example".into(), TARGET.into()]));
    Ok(())
}

#[tokio::test]
async fn an_address_of_the_target_is_right_without_a_cname() -> Result<()> {
    let world = world().await?;
    world.set("example.gov.", &Answer::at(&["127.0.0.32"]));
    assert_eq!(look_at(&world, "example.gov").await?, Lead { aliases: vec![], end: LeadEnd::Target });
    world.set("example.gov.", &Answer::at(&["127.0.0.33", "::1"]));
    let addresses = vec!["::1".parse()?, "127.0.0.33".parse()?];
    assert_eq!(look_at(&world, "example.gov").await?.end, LeadEnd::Elsewhere { addresses });
    Ok(())
}

/// Whoever flattens a CNAME may have other addresses of the same CDN.
#[tokio::test]
async fn an_edge_of_the_cdn_is_right_whatever_its_address() -> Result<()> {
    let (world, web) = (world().await?, WebServer::start().await?);
    world.set("example.gov.", &Answer::at(&["127.0.0.1"]));
    let port = web.address.port();
    let marks = vec![EdgeMark { header: "server".into(), value: Some("Edge".into()) }];
    let look = || {
        look_with(&world, "example.gov", |settings| {
            settings.http_port = port;
            settings.edge_marks = marks.clone();
        })
    };
    let elsewhere = LeadEnd::Elsewhere { addresses: vec!["127.0.0.1".parse()?] };
    assert_eq!(look().await?.end, elsewhere, "nobody there knows the name");
    for (server, is_right) in [("nginx", false), ("edge", true)] {
        let page = Page::Answer(301, vec![("server", server.to_owned())], String::new());
        web.set("example.gov/", page);
        assert_eq!(look().await?.is_right(), is_right, "{server}");
    }
    let private = look_with(&world, "example.gov", |settings| {
        settings.http_port = port;
        settings.edge_marks = marks.clone();
        settings.allow_private_addresses = false;
    });
    assert!(!private.await?.is_right(), "nobody may be sent to a private address");
    Ok(())
}

#[tokio::test]
async fn elsewhere_nowhere_and_no_address_are_told_apart() -> Result<()> {
    let world = world().await?;
    assert_eq!(look_at(&world, "www.example.gov").await?, Lead { aliases: vec![], end: LeadEnd::NoName });
    world.set("www.example.gov.", &Answer::Nothing);
    assert_eq!(look_at(&world, "www.example.gov").await?.end, LeadEnd::NoAddress);
    world.set("www.example.gov.", &alias("old.example.gov"));
    let gone = Lead { aliases: vec!["old.example.gov".into()], end: LeadEnd::NoName };
    assert_eq!(look_at(&world, "www.example.gov").await?, gone);
    world.set("old.example.gov.", &Answer::at(&["127.0.0.9"]));
    let addresses = vec!["127.0.0.9".parse()?];
    assert_eq!(look_at(&world, "www.example.gov").await?.end, LeadEnd::Elsewhere { addresses });
    Ok(())
}

#[tokio::test]
async fn a_wildcard_is_the_record_of_that_name() -> Result<()> {
    let world = world().await?;
    assert_eq!(look_at(&world, "*.example.gov").await?.end, LeadEnd::NoName);
    world.set("*.example.gov.", &alias(TARGET));
    assert!(look_at(&world, "*.example.gov").await?.is_right());
    Ok(())
}

#[tokio::test]
async fn what_not_everybody_can_follow_is_said() -> Result<()> {
    let world = world().await?;
    world.set("www.example.gov.", &alias("a.example.gov"));
    world.set("a.example.gov.", &alias("www.example.gov"));
    let saw = unclear(look_at(&world, "www.example.gov").await?)?;
    assert!(saw.starts_with("The CNAMEs go round in a circle"), "{saw}");

    world.servers("example.gov.")[0].set("www.example.gov.", alias(TARGET));
    let saw = unclear(look_at(&world, "www.example.gov").await?)?;
    assert!(saw.starts_with("The name servers of `www.example.gov` do not agree about it yet"), "{saw}");

    world.set("www.example.gov.", &Answer::ServFail);
    let saw = unclear(look_at(&world, "www.example.gov").await?)?;
    assert!(saw.contains("SERVFAIL"), "{saw}");

    world.set("www.example.gov.", &alias(TARGET));
    world.set("d1.cdn.example.", &Answer::ServFail);
    let saw = unclear(look_at(&world, "www.example.gov").await?)?;
    assert!(saw.contains("resolvers fail to find it (SERVFAIL)"), "{saw}");

    // Only whoever validates sees that the signatures are wrong.
    world.set("d1.cdn.example.", &Answer::at(&["127.0.0.31"]));
    let bogus = Answer::Bogus(Box::new(alias(TARGET)));
    world.resolver.set_for("www.example.gov.", RecordType::A, bogus);
    let saw = unclear(look_at(&world, "www.example.gov").await?)?;
    assert!(saw.starts_with("The record is there, but the DNSSEC of `www.example.gov` is broken"), "{saw}");
    Ok(())
}

/// Otherwise it would remember for an hour that a name is not there which its owner is about to make.
#[tokio::test]
async fn no_resolver_is_asked_about_a_name_that_does_not_exist() -> Result<()> {
    let world = world().await?;
    look_at(&world, "www.example.gov").await?;
    for kind in [RecordType::A, RecordType::AAAA, RecordType::NS] {
        assert_eq!(world.resolver.asked("www.example.gov.", kind), 0, "{kind}");
    }
    Ok(())
}
