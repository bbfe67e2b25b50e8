//! What the resolver says about what is set.

use std::net::IpAddr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};
use sandbox::dns::NameServer;

use super::client::{answers, at, code, over_tcp, over_udp, soa_of, start};

#[tokio::test]
async fn txt_records_are_answered_over_udp_and_over_tcp_whatever_the_case() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    dns.set_txt("_acme-challenge.www.example.gov", vec!["one".to_owned(), "two".to_owned()]).unwrap();
    let asked = "_ACME-challenge.WWW.example.GOV.";
    for answer in [
        over_udp(&dns, asked, RecordType::TXT).await.unwrap(),
        over_tcp(dns.address(), asked, RecordType::TXT).await.unwrap(),
    ] {
        assert_eq!(answers(&answer), ["TXT one", "TXT two"]);
        assert!(answer.metadata.recursion_available && !answer.metadata.authoritative, "a resolver");
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
        assert_eq!(code(&answer), ResponseCode::NoError, "{existing}");
        assert!(answer.answers.is_empty());
        assert_eq!(soa_of(&answer), ["example.gov."]);
    }
    let absent = over_udp(&dns, "docs.example.gov.", RecordType::A).await.unwrap();
    assert_eq!((code(&absent), soa_of(&absent)), (ResponseCode::NXDomain, vec!["example.gov.".to_owned()]));
    let unknown = over_udp(&dns, "www.nobody.test.", RecordType::TXT).await.unwrap();
    assert_eq!((code(&unknown), soa_of(&unknown)), (ResponseCode::NXDomain, vec![".".to_owned()]));
}

#[tokio::test]
async fn a_cleared_name_is_gone_at_once() {
    let dns = start().await.unwrap();
    dns.set_txt("www.example.gov", vec!["one".to_owned()]).unwrap();
    dns.clear("www.example.gov").unwrap();
    let answer = over_udp(&dns, "www.example.gov.", RecordType::TXT).await.unwrap();
    assert_eq!(code(&answer), ResponseCode::NXDomain);
}

#[tokio::test]
async fn values_of_one_name_come_and_go_one_by_one() {
    let dns = start().await.unwrap();
    let name = "_acme-challenge.example.gov";
    for value in ["apex", "wildcard", "apex"] {
        dns.add_txt(name, value).unwrap();
    }
    assert_eq!(
        answers(&over_udp(&dns, name, RecordType::TXT).await.unwrap()),
        ["TXT apex", "TXT wildcard"],
        "no value is repeated"
    );
    dns.everywhere().remove_txt(name, "apex").unwrap();
    assert_eq!(answers(&over_udp(&dns, name, RecordType::TXT).await.unwrap()), ["TXT wildcard"]);
    dns.everywhere().remove_txt(name, "wildcard").unwrap();
    assert_eq!(code(&over_udp(&dns, name, RecordType::TXT).await.unwrap()), ResponseCode::NXDomain);
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
    assert_eq!(code(&dangling), ResponseCode::NXDomain, "RFC 2308, 2.1: of the last name");
    assert_eq!(answers(&dangling), ["CNAME nowhere.example.gov."]);
}

#[tokio::test]
async fn a_circle_of_aliases_is_shown_by_its_servers_and_fails_at_the_resolver() {
    let dns = start().await.unwrap();
    dns.set_cname("a.example.gov", "b.example.gov").unwrap();
    dns.set_cname("b.example.gov", "a.example.gov").unwrap();
    let answer = at(&dns, NameServer::First, "a.example.gov.", RecordType::A).await.unwrap();
    assert_eq!(code(&answer), ResponseCode::NoError);
    assert!(answer.answers.iter().all(|record| record.record_type() == RecordType::CNAME));
    let resolved = over_udp(&dns, "a.example.gov.", RecordType::A).await.unwrap();
    assert_eq!((code(&resolved), resolved.answers.len()), (ResponseCode::ServFail, 0));
}

#[tokio::test]
async fn a_flattened_alias_follows_its_target() {
    let dns = start().await.unwrap();
    dns.zone("example.gov").unwrap();
    dns.set_cname("managed.example.net", "d1.cloudfront.net").unwrap();
    dns.everywhere().set_flattened("example.gov", "managed.example.net").unwrap();
    for address in [[127, 0, 0, 7], [127, 0, 0, 8]] {
        dns.set_a("d1.cloudfront.net", vec![address.into()]).unwrap();
        let answer = at(&dns, NameServer::Second, "example.gov.", RecordType::A).await.unwrap();
        assert_eq!(answers(&answer), [format!("A {}", IpAddr::from(address))]);
    }
    let soa = over_udp(&dns, "example.gov.", RecordType::SOA).await.unwrap();
    assert_eq!(soa.answers.len(), 1, "the apex keeps its own records");
}

#[tokio::test]
async fn caa_records_are_said_as_they_are_written() {
    let dns = start().await.unwrap();
    let records = [
        r#"0 issue "letsencrypt.org; accounturi=https://acme.example/1; validationmethods=dns-01""#,
        r#"0 issuewild ";""#,
        r#"128 tbs "unknown""#,
    ];
    dns.everywhere().set_caa("example.gov", &records).unwrap();
    let answer = over_udp(&dns, "example.gov.", RecordType::CAA).await.unwrap();
    let caa = answer.answers.iter().map(|record| match &record.data {
        RData::CAA(caa) => (caa.flags(), caa.tag.clone(), String::from_utf8_lossy(&caa.value).into_owned()),
        other => panic!("{other}"),
    });
    let (issue, wild) = ("issue".to_owned(), "issuewild".to_owned());
    let hardened = "letsencrypt.org; accounturi=https://acme.example/1; validationmethods=dns-01".to_owned();
    assert_eq!(
        caa.collect::<Vec<_>>(),
        [(0, issue, hardened), (0, wild, ";".to_owned()), (128, "tbs".to_owned(), "unknown".to_owned())]
    );
    for wrong in ["", "issue letsencrypt.org", "0 issue"] {
        assert!(dns.everywhere().set_caa("example.gov", &[wrong]).is_err(), "{wrong}");
    }
    assert_eq!(over_udp(&dns, "example.gov.", RecordType::CAA).await.unwrap().answers.len(), 3);
}

#[tokio::test]
async fn what_is_too_long_for_a_datagram_is_cut_over_udp_and_whole_over_tcp() {
    let dns = start().await.unwrap();
    let long = "x".repeat(700);
    dns.set_txt("www.example.gov", vec![long.clone()]).unwrap();
    let cut = over_udp(&dns, "www.example.gov.", RecordType::TXT).await.unwrap();
    assert!(cut.metadata.truncation);
    assert!(cut.answers.is_empty());
    let whole = over_tcp(dns.address(), "www.example.gov.", RecordType::TXT).await.unwrap();
    let RData::TXT(txt) = &whole.answers[0].data else { panic!("{whole}") };
    assert_eq!(txt.txt_data.concat(), long.into_bytes(), "several strings, one value");
}
