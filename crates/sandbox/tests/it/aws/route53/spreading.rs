//! What the name servers say of a zone, and when.

use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use sandbox::dns::{Dns, NameServer};

use super::{ZONE, accepted, change, set};
use crate::aws::fixture::Cloud;
use crate::dns::client::{answers, at, code, over_udp, start};

const NAME: &str = "x.managed.example.net";

async fn served() -> anyhow::Result<(Cloud, String, Arc<Dns>)> {
    let (cloud, dns) = (Cloud::start().await?, Arc::new(start().await?));
    cloud.aws.serve_zones(&dns)?;
    let zone = cloud.aws.host_zone(ZONE)?;
    Ok((cloud, zone, dns))
}

#[tokio::test]
async fn a_change_is_answered_when_it_is_in_sync() {
    let (cloud, zone, dns) = served().await.unwrap();
    let txt = |server| at(&dns, server, NAME, RecordType::TXT);
    accepted(&cloud, &zone, &[change("CREATE", NAME, "TXT", &["\"a\"", "\"b c\" \"d\""])]).await.unwrap();
    assert_eq!(code(&txt(NameServer::First).await.unwrap()), ResponseCode::NXDomain, "pending");
    cloud.aws.advance(Duration::from_secs(30));
    for server in NameServer::ALL {
        let seen = txt(server).await.unwrap();
        assert_eq!(answers(&seen), ["TXT a", "TXT b cd"], "{server:?}");
        assert!(seen.answers.iter().all(|record| record.ttl == 60));
    }
    accepted(&cloud, &zone, &[change("UPSERT", NAME, "TXT", &["\"e\""])]).await.unwrap();
    assert_eq!(txt(NameServer::Second).await.unwrap().answers.len(), 2, "the former values");
    cloud.aws.advance(Duration::from_secs(30));
    assert_eq!(answers(&txt(NameServer::Second).await.unwrap()), ["TXT e"]);
    accepted(&cloud, &zone, &[change("DELETE", NAME, "TXT", &["\"e\""])]).await.unwrap();
    cloud.aws.advance(Duration::from_secs(30));
    assert_eq!(code(&txt(NameServer::Resolver).await.unwrap()), ResponseCode::NXDomain);
}

#[tokio::test]
async fn changes_take_effect_in_their_order() {
    let (cloud, zone, dns) = served().await.unwrap();
    for value in ["\"1\"", "\"2\"", "\"3\""] {
        accepted(&cloud, &zone, &[change("UPSERT", NAME, "TXT", &[value])]).await.unwrap();
    }
    cloud.aws.advance(Duration::from_mins(1));
    assert_eq!(answers(&over_udp(&dns, NAME, RecordType::TXT).await.unwrap()), ["TXT 3"]);
}

#[tokio::test]
async fn aliases_and_wildcards_of_a_zone_lead_on() {
    let (cloud, zone, dns) = served().await.unwrap();
    dns.set_a("d1.cloudfront.net", vec![[127, 0, 0, 9].into()]).unwrap();
    let alias = "<AliasTarget><HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>d1.cloudfront.net.</DNSName>\
        <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>";
    let changes = [
        change("CREATE", NAME, "CNAME", &["d1.cloudfront.net"]),
        change("CREATE", "*.managed.example.net", "CNAME", &["d1.cloudfront.net."]),
        set("CREATE", ZONE, "A", alias),
    ];
    accepted(&cloud, &zone, &changes).await.unwrap();
    cloud.aws.advance(Duration::from_mins(1));
    for name in [NAME, "any.managed.example.net", ZONE] {
        assert_eq!(dns.look_up(name).await.unwrap(), [std::net::IpAddr::from([127, 0, 0, 9])], "{name}");
    }
    accepted(&cloud, &zone, &[set("DELETE", ZONE, "A", alias)]).await.unwrap();
    cloud.aws.advance(Duration::from_mins(1));
    assert!(dns.look_up(ZONE).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_zones_servers_are_those_of_the_sandbox() {
    let (_cloud, _zone, dns) = served().await.unwrap();
    let servers = over_udp(&dns, ZONE, RecordType::NS).await.unwrap();
    assert_eq!(answers(&servers), ["NS ns-0.awsdns-00.com.", "NS ns-512.awsdns-00.net."]);
    for (name, server) in
        [("ns-0.awsdns-00.com", NameServer::First), ("ns-512.awsdns-00.net", NameServer::Second)]
    {
        assert_eq!(dns.look_up(name).await.unwrap(), [dns.server(server).ip()]);
    }
}
