//! `ListResourceRecordSets`, `GetHostedZone` and the lists of zones.

use super::{accepted, change, zone};
use crate::aws::fixture::{Answer, Cloud};

/// The texts of every element of that name, in order.
fn all<'a>(answer: &'a Answer, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = answer.body.split(open.as_str()).skip(1);
    parts.filter_map(|part| part.split_once(close.as_str()).map(|(text, _)| text)).collect()
}

async fn filled() -> anyhow::Result<(Cloud, String)> {
    let (cloud, zone) = zone().await?;
    let changes = [
        change("CREATE", "b.managed.example.net", "A", &["192.0.2.1"]),
        change("CREATE", "z.a.managed.example.net", "TXT", &["\"v\""]),
        change("CREATE", "*.managed.example.net", "CNAME", &["d1.cloudfront.net"]),
        change("CREATE", "b.managed.example.net", "TXT", &["\"w\"", "\"x &amp; y\""]),
    ];
    accepted(&cloud, &zone, &changes).await?;
    Ok((cloud, zone))
}

async fn list(cloud: &Cloud, zone: &str, query: &str) -> anyhow::Result<Answer> {
    cloud.route53("GET", &format!("hostedzone/{zone}/rrset?{query}"), "").await
}

#[tokio::test]
async fn record_sets_come_in_the_order_of_reversed_labels() {
    let (cloud, zone) = filled().await.unwrap();
    let listed = list(&cloud, &zone, "").await.unwrap();
    assert!(listed.body.contains(
        "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">"
    ));
    assert_eq!(
        all(&listed, "Name"),
        [
            "managed.example.net.",
            "managed.example.net.",
            r"\052.managed.example.net.",
            "z.a.managed.example.net.",
            "b.managed.example.net.",
            "b.managed.example.net.",
        ]
    );
    assert_eq!(all(&listed, "Type"), ["NS", "SOA", "CNAME", "TXT", "A", "TXT"]);
    let values = all(&listed, "Value");
    assert_eq!(values[values.len() - 2..], ["\"w\"", "\"x &amp; y\""], "texts as they were sent");
    assert_eq!((listed.text("IsTruncated"), listed.text("MaxItems")), ("false", "300"));
}

#[tokio::test]
async fn a_page_says_where_the_next_one_begins() {
    let (cloud, zone) = filled().await.unwrap();
    let mut query = "maxitems=2".to_owned();
    let mut types = Vec::new();
    loop {
        let page = list(&cloud, &zone, &query).await.unwrap();
        types.extend(all(&page, "Type").into_iter().map(str::to_owned));
        if page.text("IsTruncated") == "false" {
            assert_eq!(page.text("NextRecordName"), "");
            break;
        }
        let (name, kind) = (page.text("NextRecordName"), page.text("NextRecordType"));
        query = format!("maxitems=2&name={}&type={kind}", name.replace('\\', "%5C"));
    }
    assert_eq!(types, ["NS", "SOA", "CNAME", "TXT", "A", "TXT"]);
    let from = list(&cloud, &zone, "name=b.managed.example.net&type=TXT").await.unwrap();
    assert_eq!(all(&from, "Type"), ["TXT"]);
    let past = list(&cloud, &zone, "name=c.managed.example.net").await.unwrap();
    assert!(all(&past, "Type").is_empty());
    for wrong in ["type=TXT", "identifier=x&name=b.managed.example.net", "maxitems=0", "maxitems=many"] {
        assert_eq!(list(&cloud, &zone, wrong).await.unwrap().refusal(), (400, "InvalidInput"), "{wrong}");
    }
}

#[tokio::test]
async fn a_zone_says_its_name_its_size_and_its_servers() {
    let (cloud, zone) = filled().await.unwrap();
    let seen = cloud.route53("GET", &format!("hostedzone/{zone}"), "").await.unwrap();
    assert_eq!(
        (seen.text("Id"), seen.text("Name")),
        (format!("/hostedzone/{zone}").as_str(), "managed.example.net.")
    );
    assert_eq!(seen.text("ResourceRecordSetCount"), "6");
    assert_eq!(all(&seen, "NameServer"), ["ns-0.awsdns-00.com", "ns-512.awsdns-00.net"]);
    let none = cloud.route53("GET", "hostedzone/ZNONE", "").await.unwrap();
    assert_eq!(none.refusal(), (404, "NoSuchHostedZone"));
}

#[tokio::test]
async fn zones_are_found_by_name_in_pages() {
    let (cloud, _) = zone().await.unwrap();
    for name in ["example.org", "a.example.net"] {
        cloud.aws.host_zone(name).unwrap();
    }
    let page = |query: &'static str| cloud_page(&cloud, query);
    let all_names = page("").await.unwrap();
    assert_eq!(all(&all_names, "Name"), ["a.example.net.", "managed.example.net.", "example.org."]);
    let first = page("maxitems=1").await.unwrap();
    assert_eq!((all(&first, "Name").len(), first.text("NextDNSName")), (1, "managed.example.net."));
    let found = page("dnsname=managed.example.net&maxitems=1").await.unwrap();
    assert_eq!((found.text("Name"), found.text("DNSName")), ("managed.example.net.", "managed.example.net."));
    assert_eq!(page("hostedzoneid=Z1").await.unwrap().refusal(), (400, "InvalidInput"));
    let by_id = cloud.route53("GET", "hostedzone?maxitems=2", "").await.unwrap();
    assert_eq!((all(&by_id, "Name").len(), by_id.text("IsTruncated")), (2, "true"));
}

async fn cloud_page(cloud: &Cloud, query: &str) -> anyhow::Result<Answer> {
    cloud.route53("GET", &format!("hostedzonesbyname?{query}"), "").await
}
