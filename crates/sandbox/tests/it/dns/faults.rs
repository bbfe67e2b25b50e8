//! Servers that misbehave.

use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{RData, RecordType};
use sandbox::dns::{Dns, DnsFault, DnsFaultKind, NameServer};
use tokio::net::UdpSocket;

use super::client::{answers, at, code, over_tcp, over_udp, question, send, soa_of, start, with_edns};

const NAME: &str = "www.example.gov";

fn fault(servers: &[NameServer], fault: DnsFaultKind) -> DnsFault {
    DnsFault { name: NAME.to_owned(), kind: None, servers: servers.into(), fault }
}

async fn with_record() -> anyhow::Result<Dns> {
    let dns = start().await?;
    dns.add_txt(NAME, "value")?;
    Ok(dns)
}

async fn txt(dns: &Dns, server: NameServer) -> anyhow::Result<Message> {
    at(dns, server, NAME, RecordType::TXT).await
}

#[tokio::test]
async fn failures_have_their_codes_and_end() {
    let dns = with_record().await.unwrap();
    for (kind, expected) in [
        (DnsFaultKind::ServFail, ResponseCode::ServFail),
        (DnsFaultKind::Refused, ResponseCode::Refused),
        (DnsFaultKind::NxDomain, ResponseCode::NXDomain),
        (DnsFaultKind::NoData, ResponseCode::NoError),
    ] {
        dns.fail(fault(&[], kind)).unwrap();
        for server in NameServer::ALL {
            let answer = txt(&dns, server).await.unwrap();
            assert_eq!((code(&answer), answer.answers.len()), (expected, 0), "{kind:?} at {server:?}");
        }
        let absence = matches!(kind, DnsFaultKind::NxDomain | DnsFaultKind::NoData);
        let soa = soa_of(&txt(&dns, NameServer::First).await.unwrap());
        assert_eq!(soa, if absence { vec!["example.gov."] } else { vec![] }, "{kind:?}");
        dns.heal();
        assert_eq!(answers(&txt(&dns, NameServer::First).await.unwrap()), ["TXT value"]);
    }
}

#[tokio::test]
async fn a_fault_may_be_for_one_server_and_one_type() {
    let dns = with_record().await.unwrap();
    let only =
        DnsFault { kind: Some("CAA".to_owned()), ..fault(&[NameServer::Second], DnsFaultKind::ServFail) };
    dns.fail(only).unwrap();
    let caa = |server| at(&dns, server, NAME, RecordType::CAA);
    assert_eq!(code(&caa(NameServer::Second).await.unwrap()), ResponseCode::ServFail);
    assert_eq!(code(&caa(NameServer::First).await.unwrap()), ResponseCode::NoError);
    assert_eq!(answers(&txt(&dns, NameServer::Second).await.unwrap()), ["TXT value"]);
}

#[tokio::test]
async fn a_silent_server_says_nothing_and_goes_on_with_other_names() {
    let dns = with_record().await.unwrap();
    dns.fail(fault(&[NameServer::First], DnsFaultKind::Silent)).unwrap();
    let server = dns.server(NameServer::First);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    let silenced = question(NAME, RecordType::TXT).unwrap();
    let other = question("other.example.gov", RecordType::TXT).unwrap();
    for message in [&silenced, &other] {
        socket.send(&message.to_vec().unwrap()).await.unwrap();
    }
    let mut buffer = [0; 512];
    let length = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer)).await;
    let answer = Message::from_vec(&buffer[..length.unwrap().unwrap()]).unwrap();
    assert_eq!(
        answer.metadata.id, other.metadata.id,
        "the later question is answered, the earlier one is not"
    );
    assert_eq!(answers(&txt(&dns, NameServer::Second).await.unwrap()), ["TXT value"]);
}

#[tokio::test]
async fn a_lame_server_points_elsewhere_without_authority() {
    let dns = with_record().await.unwrap();
    dns.fail(fault(&[NameServer::Second], DnsFaultKind::Lame)).unwrap();
    let lame = txt(&dns, NameServer::Second).await.unwrap();
    assert_eq!((code(&lame), lame.answers.len()), (ResponseCode::NoError, 0));
    assert!(!lame.metadata.authoritative && soa_of(&lame).is_empty());
    assert!(lame.authorities.iter().all(|record| matches!(record.data, RData::NS(_))));
    assert_eq!(lame.authorities.len(), 2);
}

#[tokio::test]
async fn wrong_signatures_fail_unless_checking_is_disabled() {
    let dns = with_record().await.unwrap();
    dns.fail(fault(&[NameServer::Resolver], DnsFaultKind::Bogus)).unwrap();
    let mut asked = with_edns(question(NAME, RecordType::TXT).unwrap());
    let bogus = send(dns.address(), &asked).await.unwrap();
    assert_eq!(code(&bogus), ResponseCode::ServFail);
    let reason = bogus.edns.as_ref().and_then(|edns| edns.option(EdnsCode::Unknown(15)));
    assert_eq!(reason, Some(&EdnsOption::Unknown(15, vec![0, 6])), "RFC 8914: DNSSEC bogus");
    asked.metadata.checking_disabled = true;
    assert_eq!(answers(&send(dns.address(), &asked).await.unwrap()), ["TXT value"]);
}

#[tokio::test]
async fn an_answer_may_be_had_over_tcp_only() {
    let dns = with_record().await.unwrap();
    dns.fail(fault(&[], DnsFaultKind::Truncated)).unwrap();
    let cut = over_udp(&dns, NAME, RecordType::TXT).await.unwrap();
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    assert_eq!(answers(&over_tcp(dns.address(), NAME, RecordType::TXT).await.unwrap()), ["TXT value"]);
}

#[tokio::test]
async fn trouble_further_down_a_chain_of_aliases_is_the_resolvers_trouble() {
    let dns = with_record().await.unwrap();
    dns.set_cname("alias.example.gov", NAME).unwrap();
    dns.fail(fault(&[], DnsFaultKind::Refused)).unwrap();
    let resolved = over_udp(&dns, "alias.example.gov", RecordType::TXT).await.unwrap();
    assert_eq!((code(&resolved), resolved.answers.len()), (ResponseCode::ServFail, 0));
    let served = at(&dns, NameServer::First, "alias.example.gov", RecordType::TXT).await.unwrap();
    assert_eq!(answers(&served), [format!("CNAME {NAME}.")]);
}

#[tokio::test]
async fn what_is_no_fault_is_refused() {
    let dns = start().await.unwrap();
    let unnamed = DnsFault { name: "a..b".to_owned(), ..fault(&[], DnsFaultKind::Silent) };
    assert!(dns.fail(unnamed).is_err());
    let untyped = DnsFault { kind: Some("NONSENSE".to_owned()), ..fault(&[], DnsFaultKind::Silent) };
    assert!(dns.fail(untyped).is_err());
}
