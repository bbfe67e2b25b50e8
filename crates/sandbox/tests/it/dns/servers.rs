//! Several servers: the way from a name to all of them, and what they say differently.

use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};
use sandbox::dns::{Asked, Dns, NameServer};

use super::client::{answers, at, code, over_udp, question, send, soa_of, start};

const AUTHORITATIVE: [NameServer; 2] = [NameServer::First, NameServer::Second];

/// Walks as a probe does: the zone by its SOA, its name servers, their addresses, and there on the port of the resolver.
async fn walk(dns: &Dns, name: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let zone = soa_of(&over_udp(dns, name, RecordType::NS).await?).remove(0);
    let servers = over_udp(dns, &zone, RecordType::NS).await?;
    let mut found = Vec::new();
    for record in &servers.answers {
        let RData::NS(server) = &record.data else { continue };
        let addresses = over_udp(dns, &server.0.to_ascii(), RecordType::A).await?;
        let addresses = addresses.answers.iter().filter_map(|record| record.data.ip_addr());
        found.extend(addresses.map(|address| SocketAddr::new(address, dns.address().port())));
    }
    Ok(found)
}

#[tokio::test]
async fn a_client_finds_every_authoritative_server_of_a_name_and_asks_it() {
    let dns = start().await.unwrap();
    dns.zone("deep.example.gov").unwrap();
    dns.set_txt("_acme-challenge.www.deep.example.gov", vec!["v".to_owned()]).unwrap();
    dns.set_txt("_acme-challenge.example.gov", vec!["w".to_owned()]).unwrap();
    let both = AUTHORITATIVE.map(|server| dns.server(server));
    assert_ne!(both[0].ip(), both[1].ip());
    for (name, value) in
        [("_acme-challenge.www.deep.example.gov.", "v"), ("_acme-challenge.example.gov.", "w")]
    {
        assert_eq!(walk(&dns, name).await.unwrap(), both, "{name}");
        for server in both {
            let answer = send(server, &question(name, RecordType::TXT).unwrap()).await.unwrap();
            assert_eq!(answers(&answer), [format!("TXT {value}")]);
            assert!(answer.metadata.authoritative && !answer.metadata.recursion_available);
        }
    }
}

#[tokio::test]
async fn name_servers_come_with_their_addresses_up_to_the_root() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    for (zone, names) in [
        ("example.gov.", ["ns1.example.gov.", "ns2.example.gov."]),
        (".", ["a.root-servers.net.", "b.root-servers.net."]),
    ] {
        let servers = over_udp(&dns, zone, RecordType::NS).await.unwrap();
        assert_eq!(answers(&servers), names.map(|name| format!("NS {name}")));
        let glue: Vec<_> = servers.additionals.iter().filter_map(|record| record.data.ip_addr()).collect();
        assert_eq!(glue, AUTHORITATIVE.map(|server| dns.server(server).ip()), "{zone}");
    }
    let apex = dns.set_cname("example.gov", "elsewhere.test").unwrap_err();
    assert!(apex.to_string().contains("apex"), "{apex}");
}

#[tokio::test]
async fn the_names_of_a_zones_servers_can_be_wrong() {
    let dns = start().await.unwrap();
    dns.set_name_servers("example.gov", &["ns1.nowhere.test", "ns9.example.gov"]).unwrap();
    dns.set_a("ns9.example.gov", vec![IpAddr::from([127, 0, 0, 9])]).unwrap();
    let servers = over_udp(&dns, "example.gov.", RecordType::NS).await.unwrap();
    assert_eq!(answers(&servers), ["NS ns1.nowhere.test.", "NS ns9.example.gov."]);
    let absent = over_udp(&dns, "ns1.nowhere.test.", RecordType::A).await.unwrap();
    assert_eq!(code(&absent), ResponseCode::NXDomain);
    let port = dns.address().port();
    assert_eq!(walk(&dns, "www.example.gov").await.unwrap(), [SocketAddr::from(([127, 0, 0, 9], port))]);
}

#[tokio::test]
async fn a_record_may_be_at_one_server_only_until_they_agree() {
    let dns = start().await.unwrap();
    let name = "_acme-challenge.www.example.gov";
    dns.zone("example.gov").unwrap();
    dns.at(NameServer::First).add_txt(name, "new").unwrap();
    let txt = |server| at(&dns, server, name, RecordType::TXT);
    assert_eq!(answers(&txt(NameServer::First).await.unwrap()), ["TXT new"]);
    for server in [NameServer::Second, NameServer::Resolver] {
        assert_eq!(code(&txt(server).await.unwrap()), ResponseCode::NXDomain, "{server:?}");
    }

    dns.add_txt(name, "new").unwrap();
    dns.at(NameServer::Second).set_txt(name, vec!["old".to_owned()]).unwrap();
    assert_eq!(answers(&txt(NameServer::Second).await.unwrap()), ["TXT old"]);
    dns.at(NameServer::Second).clear(name).unwrap();
    assert_eq!(code(&txt(NameServer::Second).await.unwrap()), ResponseCode::NXDomain);

    dns.agree(name).unwrap();
    for server in NameServer::ALL {
        assert_eq!(answers(&txt(server).await.unwrap()), ["TXT new"], "{server:?}");
    }
}

#[tokio::test]
async fn a_difference_begins_with_what_all_say() {
    let dns = start().await.unwrap();
    dns.add_txt("www.example.gov", "one").unwrap();
    dns.at(NameServer::Resolver).add_txt("www.example.gov", "two").unwrap();
    let lying = over_udp(&dns, "www.example.gov", RecordType::TXT).await.unwrap();
    assert_eq!(answers(&lying), ["TXT one", "TXT two"]);
    let honest = at(&dns, NameServer::First, "www.example.gov", RecordType::TXT).await.unwrap();
    assert_eq!(answers(&honest), ["TXT one"]);
}

#[tokio::test]
async fn every_question_is_written_down_with_the_server_it_was_for() {
    let dns = start().await.unwrap();
    at(&dns, NameServer::Second, "WWW.example.gov.", RecordType::CAA).await.unwrap();
    over_udp(&dns, "www.example.gov.", RecordType::A).await.unwrap();
    let asked =
        |server, kind: &str| Asked { server, name: "www.example.gov".to_owned(), kind: kind.to_owned() };
    assert_eq!(dns.asked(), [asked(NameServer::Second, "CAA"), asked(NameServer::Resolver, "A")]);
}

#[tokio::test]
async fn many_systems_run_side_by_side() {
    let all = start_many().await.unwrap();
    let addresses: std::collections::HashSet<_> =
        all.iter().flat_map(|dns| NameServer::ALL.map(|server| dns.server(server))).collect();
    assert_eq!(addresses.len(), 3 * all.len());
    for (number, dns) in all.iter().enumerate() {
        dns.add_txt("example.gov", &number.to_string()).unwrap();
    }
    for (number, dns) in all.iter().enumerate() {
        let answer = at(dns, NameServer::First, "example.gov", RecordType::TXT).await.unwrap();
        assert_eq!(answers(&answer), [format!("TXT {number}")]);
    }
}

async fn start_many() -> anyhow::Result<Vec<Dns>> {
    let mut starting = tokio::task::JoinSet::new();
    (0..20).for_each(|_| drop(starting.spawn(start())));
    starting.join_all().await.into_iter().collect()
}
