use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use sandbox::dns::{Dns, DnsAdmin};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::web;

async fn start() -> anyhow::Result<Dns> {
    Dns::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
}

fn question(name: &str, kind: RecordType) -> anyhow::Result<Vec<u8>> {
    let mut message = Message::query();
    message.add_query(Query::query(Name::from_ascii(name)?, kind));
    Ok(message.to_vec()?)
}

async fn over_udp(dns: &Dns, name: &str, kind: RecordType) -> anyhow::Result<Message> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    socket.send_to(&question(name, kind)?, dns.address()).await?;
    let mut buffer = vec![0; 65_535];
    let length = socket.recv(&mut buffer).await?;
    Ok(Message::from_vec(&buffer[..length])?)
}

async fn over_tcp(dns: &Dns, name: &str, kind: RecordType) -> anyhow::Result<Message> {
    let mut stream = TcpStream::connect(dns.address()).await?;
    let question = question(name, kind)?;
    stream.write_u16(u16::try_from(question.len())?).await?;
    stream.write_all(&question).await?;
    let mut buffer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut buffer).await?;
    Ok(Message::from_vec(&buffer)?)
}

/// Each record as type and data, in order.
fn answers(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| format!("{} {}", record.record_type(), record.data)).collect()
}

fn soa_of(message: &Message) -> Vec<String> {
    let soa = message.authorities.iter().filter(|record| matches!(record.data, RData::SOA(_)));
    soa.map(|record| record.name.to_ascii()).collect()
}

#[tokio::test]
async fn txt_records_are_answered_over_udp_and_over_tcp_whatever_the_case() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    dns.set_txt("_acme-challenge.www.example.gov", vec!["one".to_owned(), "two".to_owned()]).unwrap();
    let asked = "_ACME-challenge.WWW.example.GOV.";
    for answer in [
        over_udp(&dns, asked, RecordType::TXT).await.unwrap(),
        over_tcp(&dns, asked, RecordType::TXT).await.unwrap(),
    ] {
        assert_eq!(answers(&answer), ["TXT one", "TXT two"]);
        assert!(answer.metadata.authoritative);
        assert!(answer.answers.iter().all(|record| record.ttl == 0), "nothing is to be cached");
        assert_eq!(answer.answers[0].name.to_ascii(), asked, "the name as it was asked");
    }
}

#[tokio::test]
async fn a_name_without_the_type_is_not_a_name_that_does_not_exist() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    dns.set_txt("_acme-challenge.www.example.gov", vec!["one".to_owned()]).unwrap();
    for existing in ["_acme-challenge.www.example.gov.", "www.example.gov.", "example.gov."] {
        let answer = over_udp(&dns, existing, RecordType::A).await.unwrap();
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError, "{existing}");
        assert!(answer.answers.is_empty());
        assert_eq!(soa_of(&answer), ["example.gov."]);
    }
    let absent = over_udp(&dns, "docs.example.gov.", RecordType::A).await.unwrap();
    assert_eq!(absent.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(soa_of(&absent), ["example.gov."]);
    let unknown = over_udp(&dns, "www.nobody.test.", RecordType::TXT).await.unwrap();
    assert_eq!(unknown.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(soa_of(&unknown), ["."]);
}

#[tokio::test]
async fn a_cleared_name_is_gone_at_once() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    dns.set_txt("www.example.gov", vec!["one".to_owned()]).unwrap();
    dns.clear("www.example.gov").unwrap();
    let answer = over_udp(&dns, "www.example.gov.", RecordType::TXT).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn aliases_are_followed_across_zones_and_wildcards() {
    let dns = start().await.unwrap();
    dns.set_a("*.cloudfront.net", vec![IpAddr::from([127, 0, 0, 7])]).unwrap();
    dns.set_cname("www.example.gov", "d111.cloudfront.net").unwrap();
    let answer = over_udp(&dns, "www.example.gov.", RecordType::A).await.unwrap();
    assert_eq!(answers(&answer), ["CNAME d111.cloudfront.net.", "A 127.0.0.7"]);
    assert_eq!(dns.look_up("www.example.gov").await.unwrap(), [IpAddr::from([127, 0, 0, 7])]);

    let alias = over_udp(&dns, "www.example.gov.", RecordType::CNAME).await.unwrap();
    assert_eq!(answers(&alias), ["CNAME d111.cloudfront.net."]);

    dns.set_cname("lost.example.gov", "nowhere.example.gov").unwrap();
    let dangling = over_udp(&dns, "lost.example.gov.", RecordType::TXT).await.unwrap();
    assert_eq!(dangling.metadata.response_code, ResponseCode::NXDomain, "RFC 2308, 2.1: of the last name");
    assert_eq!(answers(&dangling), ["CNAME nowhere.example.gov."]);
}

#[tokio::test]
async fn a_circle_of_aliases_is_answered_and_ends() {
    let dns = start().await.unwrap();
    dns.set_cname("a.example.gov", "b.example.gov").unwrap();
    dns.set_cname("b.example.gov", "a.example.gov").unwrap();
    let answer = over_udp(&dns, "a.example.gov.", RecordType::A).await.unwrap();
    assert!(answer.answers.iter().all(|record| record.record_type() == RecordType::CNAME));
}

#[tokio::test]
async fn a_zone_names_a_server_that_is_this_one() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    let servers = over_udp(&dns, "example.gov.", RecordType::NS).await.unwrap();
    assert_eq!(answers(&servers), ["NS ns1.example.gov."]);
    assert_eq!(dns.look_up("ns1.example.gov").await.unwrap(), [dns.address().ip()]);
    let apex = dns.set_cname("example.gov", "elsewhere.test").unwrap_err();
    assert!(apex.to_string().contains("apex"), "{apex}");
}

#[tokio::test]
async fn what_is_too_long_for_a_datagram_is_cut_over_udp_and_whole_over_tcp() {
    let dns = start().await.unwrap();
    let long = "x".repeat(700);
    dns.set_txt("www.example.gov", vec![long.clone()]).unwrap();
    let cut = over_udp(&dns, "www.example.gov.", RecordType::TXT).await.unwrap();
    assert!(cut.metadata.truncation);
    assert!(cut.answers.is_empty());
    let whole = over_tcp(&dns, "www.example.gov.", RecordType::TXT).await.unwrap();
    let RData::TXT(txt) = &whole.answers[0].data else { panic!("{whole}") };
    assert_eq!(txt.txt_data.concat(), long.into_bytes(), "several strings, one value");
}

#[tokio::test]
async fn records_are_changed_over_http() {
    let dns = Arc::new(start().await.unwrap());
    let admin = DnsAdmin::start(Arc::clone(&dns), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let roots = "";
    let changes = [
        ("/set-txt", json!({ "host": "_acme-challenge.example.gov.", "value": "one" })),
        ("/set-txt", json!({ "host": "_acme-challenge.example.gov.", "value": "two" })),
        ("/set-cname", json!({ "host": "www.example.gov", "target": "d1.cloudfront.net" })),
        ("/set-a", json!({ "host": "docs.example.gov", "addresses": ["127.0.0.9"] })),
        ("/set-a", json!({ "host": "gone.example.gov", "addresses": ["127.0.0.9"] })),
        ("/clear", json!({ "host": "gone.example.gov" })),
    ];
    for (path, body) in changes {
        let answer = web::post(roots, &format!("{}{path}", admin.url()), &body.to_string()).await.unwrap();
        assert_eq!(answer.status(), 200, "{path} {body}");
    }
    let answer = web::get(roots, &format!("{}/records", admin.url())).await.unwrap();
    let all: Value = serde_json::from_slice(answer.body()).unwrap();
    let own: Vec<_> = all["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|set| !set["name"].as_str().unwrap().starts_with("ns1"))
        .collect();
    assert_eq!(
        json!(own),
        json!([
            { "name": "_acme-challenge.example.gov", "txt": ["one", "two"] },
            { "name": "docs.example.gov", "addresses": ["127.0.0.9"] },
            { "name": "www.example.gov", "cname": "d1.cloudfront.net" },
        ])
    );

    let clear = json!({ "host": "_acme-challenge.example.gov" }).to_string();
    web::post(roots, &format!("{}/clear-txt", admin.url()), &clear).await.unwrap();
    let answer = over_udp(&dns, "_acme-challenge.example.gov.", RecordType::TXT).await.unwrap();
    assert!(answer.answers.is_empty());
}

#[tokio::test]
async fn a_mistake_over_http_is_named() {
    let dns = Arc::new(start().await.unwrap());
    let admin = DnsAdmin::start(dns, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    for (path, body, status, word) in [
        ("/set-txt", r#"{"host":"www.example.gov"}"#, 400, "value"),
        ("/set-txt", "host=www", 400, "JSON"),
        ("/set-a", r#"{"host":"..","addresses":[]}"#, 400, "not a DNS name"),
        ("/set-mx", r#"{"host":"www.example.gov"}"#, 404, "/set-mx"),
    ] {
        let answer = web::post("", &format!("{}{path}", admin.url()), body).await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
        assert!(String::from_utf8_lossy(answer.body()).contains(word), "{path} {body}");
    }
}
