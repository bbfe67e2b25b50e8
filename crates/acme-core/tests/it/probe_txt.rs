//! TXT records as an authority sees them: at every server of the zone, along CNAMEs, and what is told instead.

use acme_core::{Probe, ProbeSettings};
use anyhow::Result;
use contract::{Hop, ProofProbe, Sighting, TxtQuestion, Verdict};
use hickory_proto::rr::rdata::{CNAME, TXT};
use hickory_proto::rr::{Name, RData, RecordType};

use crate::support::{Answer, DnsWorld, NameServer, probe_settings};

const NAME: &str = "_acme-challenge.www.example.gov.";
const VALUE: &str = "gfj9Xq-Rg85nM";

async fn world() -> Result<DnsWorld> {
    DnsWorld::start(&[("example.gov.", 2), ("zone.example.", 1)]).await
}

async fn look(world: &DnsWorld) -> Result<Sighting> {
    ask(&world.resolver, NAME).await
}

async fn ask(resolver: &NameServer, name: &str) -> Result<Sighting> {
    let question = TxtQuestion { name: name.into(), value: VALUE.into() };
    Ok(Probe::new(&probe_settings(resolver.address))?.txt(&question).await?)
}

/// What is told when all servers of the zone answer like this.
async fn saw(answer: &Answer) -> Result<String> {
    let world = world().await?;
    world.set(NAME, answer);
    told(look(&world).await?)
}

fn told(sighting: Sighting) -> Result<String> {
    match sighting.verdict {
        Verdict::Seen => anyhow::bail!("seen"),
        Verdict::NotYet { saw } => Ok(saw),
    }
}

fn cname(from: &str, to: &str) -> Hop {
    Hop::Cname { from: from.into(), to: to.into() }
}

#[tokio::test]
async fn any_matching_value_is_enough() -> Result<()> {
    let split = Answer::Txt(vec![vec![VALUE[..4].into(), VALUE[4..].into()]]);
    for answer in [Answer::txt(&[VALUE]), Answer::txt(&["wrong", VALUE]), split] {
        let world = world().await?;
        world.set(NAME, &answer);
        assert_eq!(look(&world).await?, Sighting::seen(vec![]), "{answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn nxdomain_and_nodata_are_told_apart() -> Result<()> {
    let name = "`_acme-challenge.www.example.gov`";
    assert_eq!(told(look(&world().await?).await?)?, format!("{name} does not exist yet (NXDOMAIN)."));
    assert_eq!(saw(&Answer::Nothing).await?, format!("{name} exists, but has no TXT record yet."));
    Ok(())
}

#[tokio::test]
async fn servfail_refused_and_timeouts_are_told_apart() -> Result<()> {
    assert_eq!(
        saw(&Answer::ServFail).await?,
        "DNS fails for `_acme-challenge.www.example.gov`: the name servers of `example.gov` say SERVFAIL."
    );
    assert_eq!(
        saw(&Answer::Refused).await?,
        "DNS refuses to answer for `_acme-challenge.www.example.gov`: the name servers of `example.gov` say REFUSED, \
         as if the zone were not set up there."
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_value_is_quoted_beside_the_one_we_need() -> Result<()> {
    assert_eq!(
        saw(&Answer::txt(&["abc"])).await?,
        "`_acme-challenge.www.example.gov` answers TXT `abc`, but we need `gfj9Xq-Rg85nM`. To delegate with a CNAME, \
         remove the TXT record."
    );
    Ok(())
}

#[tokio::test]
async fn foreign_values_are_quoted_briefly_and_in_ascii() -> Result<()> {
    let long = format!("f\u{fc}r\n`{}", "x".repeat(80));
    let saw = saw(&Answer::txt(&[&long, "b", "c", "d"])).await?;
    assert!(saw.is_ascii(), "{saw}");
    assert!(saw.contains(&format!("answers TXT `f?r??{}...`, `b` and 2 more, but", "x".repeat(45))), "{saw}");
    Ok(())
}

#[tokio::test]
async fn a_value_that_is_almost_right_is_recognised() -> Result<()> {
    for (value, hint) in [
        (format!("\"{VALUE}\""), "with quotation marks as part of it: leave them out"),
        (format!(" {VALUE}"), "with white space around it: remove it"),
        (VALUE.to_lowercase(), "in other capital and small letters: copy it as it is"),
    ] {
        assert_eq!(
            saw(&Answer::txt(&[&value])).await?,
            format!("`_acme-challenge.www.example.gov` has the right TXT value, but {hint}.")
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_value_at_the_wrong_name_is_recognised() -> Result<()> {
    for place in [
        "www.example.gov.",
        "_acme-challenge.www.example.gov.example.gov.",
        "_acme-challenge.www.example.gov.www.example.gov.",
    ] {
        let world = world().await?;
        world.set(place, &Answer::txt(&[VALUE]));
        assert_eq!(
            told(look(&world).await?)?,
            format!(
                "The TXT value is at `{}`, but it belongs at `_acme-challenge.www.example.gov`.",
                place.trim_end_matches('.')
            )
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_txt_record_that_hides_a_delegating_cname_is_recognised() -> Result<()> {
    let world = world().await?;
    let alias = RData::CNAME(CNAME(Name::from_ascii("_acme-challenge.label.zone.example.")?));
    let both = vec![RData::TXT(TXT::new(vec!["old".into()])), alias];
    world.set(NAME, &Answer::Records(both));
    assert_eq!(
        told(look(&world).await?)?,
        "`_acme-challenge.www.example.gov` has a TXT record that hides its CNAME to \
         `_acme-challenge.label.zone.example`: remove the TXT record."
    );
    Ok(())
}

#[tokio::test]
async fn every_authoritative_server_must_have_it() -> Result<()> {
    let world = world().await?;
    world.servers(NAME)[1].set(NAME, Answer::txt(&[VALUE]));
    assert_eq!(
        told(look(&world).await?)?,
        "1 of 2 name servers of `_acme-challenge.www.example.gov` have the TXT record; `ns1.example.gov` not yet."
    );
    world.servers(NAME)[0].set(NAME, Answer::txt(&["old", VALUE]));
    assert_eq!(look(&world).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn one_dead_server_of_several_does_not_block() -> Result<()> {
    for dead in [Answer::Silence, Answer::ServFail, Answer::Refused] {
        let world = world().await?;
        world.servers(NAME)[0].set(NAME, dead);
        world.servers(NAME)[1].set(NAME, Answer::txt(&[VALUE]));
        world.resolver.set(NAME, Answer::txt(&[VALUE]));
        assert_eq!(look(&world).await?, Sighting::seen(vec![]));
        world.servers(NAME)[1].set(NAME, Answer::txt(&["wrong"]));
        assert!(told(look(&world).await?)?.contains("answers TXT `wrong`"));
    }
    Ok(())
}

#[tokio::test]
async fn a_zone_whose_servers_are_all_silent_is_told() -> Result<()> {
    let world = world().await?;
    let probe = Probe::new(&probe_settings(world.resolver.address))?;
    let question = |name: &str| TxtQuestion { name: name.into(), value: VALUE.into() };
    // Somebody else's server answers, so that this network is not to blame; what a resolver remembers does not count.
    probe.txt(&question("_acme-challenge.label.zone.example.")).await?;
    world.set(NAME, &Answer::Silence);
    world.resolver.set(NAME, Answer::txt(&[VALUE]));
    assert_eq!(
        told(probe.txt(&question(NAME)).await?)?,
        "DNS gives no answer for `_acme-challenge.www.example.gov`: the name servers of `example.gov` are silent \
         (`ns1.example.gov`, `ns2.example.gov`)."
    );
    Ok(())
}

#[tokio::test]
async fn where_no_authoritative_server_can_be_reached_the_resolvers_alone_are_asked() -> Result<()> {
    let world = world().await?;
    let nobody_there = ProbeSettings { dns_port: 1, ..probe_settings(world.resolver.address) };
    let probe = Probe::new(&nobody_there)?;
    let question = TxtQuestion { name: NAME.into(), value: VALUE.into() };
    assert!(told(probe.txt(&question).await?)?.contains("does not exist yet"));
    world.set(NAME, &Answer::txt(&[VALUE]));
    assert_eq!(probe.txt(&question).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn resolvers_that_know_no_name_servers_are_asked_alone() -> Result<()> {
    let resolver = NameServer::start().await?;
    assert!(told(ask(&resolver, NAME).await?)?.contains("does not exist yet"));
    resolver.set(NAME, Answer::txt(&[VALUE]));
    assert_eq!(ask(&resolver, NAME).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn a_resolver_that_hangs_is_told() -> Result<()> {
    let resolver = NameServer::start().await?;
    for name in ["www.example.gov.", "example.gov.", "gov.", "."] {
        resolver.set(name, Answer::Silence);
    }
    assert_eq!(
        told(ask(&resolver, NAME).await?)?,
        "DNS gives no answer for `_acme-challenge.www.example.gov`: the name servers of `www.example.gov`, or the \
         broker's own resolvers, are silent."
    );
    Ok(())
}

#[tokio::test]
async fn a_resolver_that_fails_is_told() -> Result<()> {
    let resolver = NameServer::start().await?;
    resolver.set("www.example.gov.", Answer::ServFail);
    assert_eq!(
        told(ask(&resolver, NAME).await?)?,
        "DNS fails for `_acme-challenge.www.example.gov` (SERVFAIL): the name servers of `www.example.gov` do not \
         answer properly."
    );
    Ok(())
}

#[tokio::test]
async fn a_resolver_that_lies_is_not_believed() -> Result<()> {
    let world = world().await?;
    world.resolver.set(NAME, Answer::txt(&[VALUE]));
    assert!(told(look(&world).await?)?.contains("does not exist yet"));
    world.set(NAME, &Answer::txt(&[VALUE]));
    world.resolver.set(NAME, Answer::txt(&["what it remembers"]));
    assert_eq!(look(&world).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn bogus_dnssec_is_told_apart_from_absence() -> Result<()> {
    let world = world().await?;
    world.set(NAME, &Answer::txt(&[VALUE]));
    world.resolver.set(NAME, Answer::Bogus(Box::new(Answer::txt(&[VALUE]))));
    assert_eq!(
        told(look(&world).await?)?,
        "The TXT record is there, but the DNSSEC of `_acme-challenge.www.example.gov` is broken: whoever validates it \
         refuses the answer (SERVFAIL). Repair the signatures of its zone, or remove the zone's DS record."
    );
    world.resolver.set(NAME, Answer::ServFail);
    assert!(told(look(&world).await?)?.contains("resolvers fail to find it (SERVFAIL)"));
    Ok(())
}

#[tokio::test]
async fn bogus_dnssec_of_the_zone_itself_is_told() -> Result<()> {
    let world = world().await?;
    world.resolver.set_for("www.example.gov.", RecordType::NS, Answer::Bogus(Box::new(Answer::Nothing)));
    let saw = told(look(&world).await?)?;
    assert!(saw.starts_with("The DNSSEC of `www.example.gov` is broken"), "{saw}");
    Ok(())
}

#[tokio::test]
async fn cnames_are_followed_across_zones_and_the_way_is_told() -> Result<()> {
    let world = world().await?;
    world.set(NAME, &Answer::Cname("_acme-challenge.label.zone.example.".into()));
    let way = vec![cname("_acme-challenge.www.example.gov", "_acme-challenge.label.zone.example")];
    let absent = look(&world).await?;
    assert_eq!(absent.route, way);
    assert_eq!(
        told(absent)?,
        "The CNAME `_acme-challenge.www.example.gov` -> `_acme-challenge.label.zone.example` was followed: \
         `_acme-challenge.label.zone.example` does not exist yet (NXDOMAIN)."
    );
    world.set("_acme-challenge.label.zone.example.", &Answer::txt(&[VALUE]));
    assert_eq!(look(&world).await?, Sighting::seen(way));
    Ok(())
}

#[tokio::test]
async fn a_cname_target_without_its_final_dot_is_recognised() -> Result<()> {
    let world = world().await?;
    world.set(NAME, &Answer::Cname("_acme-challenge.label.zone.example.example.gov.".into()));
    let saw = told(look(&world).await?)?;
    assert!(
        saw.ends_with("Was `_acme-challenge.label.zone.example.` meant, with a dot at its end?"),
        "{saw}"
    );
    Ok(())
}

#[tokio::test]
async fn a_cname_loop_is_told() -> Result<()> {
    let world = world().await?;
    world.set(NAME, &Answer::Cname("a.zone.example.".into()));
    world.set("a.zone.example.", &Answer::Cname(NAME.into()));
    let circle = look(&world).await?;
    assert_eq!(circle.route.len(), 2);
    assert_eq!(
        told(circle)?,
        "The CNAMEs go round in a circle: `_acme-challenge.www.example.gov` -> `a.zone.example` -> \
         `_acme-challenge.www.example.gov`."
    );
    Ok(())
}

#[tokio::test]
async fn too_many_cnames_are_told_and_ten_are_followed() -> Result<()> {
    let world = world().await?;
    world.set(NAME, &Answer::Cname("c1.zone.example.".into()));
    for n in 1..10 {
        world.set(&format!("c{n}.zone.example."), &Answer::Cname(format!("c{}.zone.example.", n + 1)));
    }
    world.set("c10.zone.example.", &Answer::txt(&[VALUE]));
    let ten = look(&world).await?;
    assert!(ten.is_seen(), "{ten:?}");
    assert_eq!(ten.route.len(), 10);
    world.set("c10.zone.example.", &Answer::Cname("c11.zone.example.".into()));
    assert_eq!(
        told(look(&world).await?)?,
        "More than 10 CNAMEs follow each other: `_acme-challenge.www.example.gov` -> `c1.zone.example` -> ... -> \
         `c11.zone.example`."
    );
    Ok(())
}

#[tokio::test]
async fn servers_that_do_not_agree_about_a_cname_are_told() -> Result<()> {
    let world = world().await?;
    world.servers(NAME)[0].set(NAME, Answer::txt(&["old"]));
    world.servers(NAME)[1].set(NAME, Answer::Cname("a.zone.example.".into()));
    assert_eq!(
        told(look(&world).await?)?,
        "The name servers of `_acme-challenge.www.example.gov` do not agree about it yet: other records at \
         `ns1.example.gov`, a CNAME to `a.zone.example` at `ns2.example.gov`."
    );
    Ok(())
}

#[tokio::test]
async fn a_name_that_is_delegated_as_a_zone_of_its_own_is_found() -> Result<()> {
    let world = DnsWorld::start(&[("example.gov.", 1), (NAME, 2)]).await?;
    world.set(NAME, &Answer::txt(&[VALUE]));
    for server in world.servers(NAME) {
        server.set_for(NAME, RecordType::TXT, Answer::txt(&[VALUE]));
    }
    assert_eq!(look(&world).await?, Sighting::seen(vec![]));
    assert!(world.servers(NAME)[1].asked(NAME, RecordType::TXT) > 0);
    Ok(())
}

#[tokio::test]
async fn an_answer_too_large_for_udp_comes_over_tcp() -> Result<()> {
    let mut values: Vec<_> = (0..30).map(|n| vec![format!("{n}{}", "x".repeat(200))]).collect();
    values.push(vec![VALUE.into()]);
    let world = world().await?;
    world.set(NAME, &Answer::OverTcp(values));
    assert_eq!(look(&world).await?, Sighting::seen(vec![]));
    Ok(())
}

#[tokio::test]
async fn nothing_is_remembered_from_one_look_to_the_next() -> Result<()> {
    let world = world().await?;
    let probe = Probe::new(&probe_settings(world.resolver.address))?;
    let question = TxtQuestion { name: NAME.into(), value: VALUE.into() };
    assert!(!probe.txt(&question).await?.is_seen());
    world.set(NAME, &Answer::txt(&[VALUE]));
    assert!(probe.txt(&question).await?.is_seen());
    world.set(NAME, &Answer::txt(&["wrong"]));
    assert!(!probe.txt(&question).await?.is_seen());
    Ok(())
}

#[tokio::test]
async fn a_resolver_is_never_asked_for_what_is_not_there_yet() -> Result<()> {
    let world = world().await?;
    look(&world).await?;
    for kind in [RecordType::TXT, RecordType::NS, RecordType::CNAME] {
        assert_eq!(world.resolver.asked(NAME, kind), 0, "{kind}");
    }
    world.set(NAME, &Answer::txt(&[VALUE]));
    look(&world).await?;
    assert_eq!(world.resolver.asked(NAME, RecordType::TXT), 1);
    Ok(())
}

#[tokio::test]
async fn the_name_servers_of_a_zone_are_asked_for_once_for_many_looks() -> Result<()> {
    let world = world().await?;
    let probe = Probe::new(&probe_settings(world.resolver.address))?;
    for _ in 0..5 {
        probe.txt(&TxtQuestion { name: NAME.into(), value: VALUE.into() }).await?;
    }
    assert_eq!(world.resolver.asked("example.gov.", RecordType::NS), 1);
    Ok(())
}

#[tokio::test]
async fn name_servers_at_private_addresses_are_not_asked() -> Result<()> {
    let world = world().await?;
    world.set(NAME, &Answer::txt(&[VALUE]));
    let careful = ProbeSettings { allow_private_addresses: false, ..probe_settings(world.resolver.address) };
    let question = TxtQuestion { name: NAME.into(), value: VALUE.into() };
    assert_eq!(
        told(Probe::new(&careful)?.txt(&question).await?)?,
        "The name servers of `example.gov` have no public address, so nobody can ask them."
    );
    assert_eq!(world.servers(NAME)[0].asked(NAME, RecordType::TXT), 0);
    Ok(())
}
