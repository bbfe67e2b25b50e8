//! `ChangeResourceRecordSets` and `GetChange`.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::aws::{AwsSettings, Fault, FaultKind, FaultMoment};

use super::{ZONE, accepted, batch, change, records, send, set, zone};
use crate::aws::fixture::Cloud;

const NAME: &str = "x.managed.example.net";

#[tokio::test]
async fn a_change_is_pending_and_then_in_sync() {
    let (cloud, zone) = zone().await.unwrap();
    let made = accepted(&cloud, &zone, &[change("CREATE", NAME, "A", &["192.0.2.1"])]).await.unwrap();
    assert_eq!((made.text("Status"), made.text("Comment")), ("PENDING", "why"));
    let id = made.text("Id").strip_prefix("/change/C").map(|_| made.text("Id").to_owned()).unwrap();
    let look = || async { cloud.route53("GET", id.trim_start_matches('/'), "").await };
    assert_eq!(look().await.unwrap().text("Status"), "PENDING");
    cloud.aws.advance(Duration::from_secs(30));
    let seen = look().await.unwrap();
    assert_eq!((seen.text("Status"), seen.text("Id")), ("INSYNC", id.as_str()));
    assert_eq!(seen.text("SubmittedAt"), made.text("SubmittedAt"));
    assert_eq!(cloud.route53("GET", "change/CNONE", "").await.unwrap().refusal(), (404, "NoSuchChange"));
}

#[tokio::test]
async fn sets_are_created_replaced_and_deleted() {
    let (cloud, zone) = zone().await.unwrap();
    accepted(&cloud, &zone, &[change("CREATE", NAME, "TXT", &["\"a\"", "\"b\""])]).await.unwrap();
    assert_eq!(records(&cloud), [format!("{NAME} TXT \"a\" \"b\"")]);
    accepted(&cloud, &zone, &[change("UPSERT", "X.Managed.example.net.", "TXT", &["\"c\""])]).await.unwrap();
    assert_eq!(records(&cloud), [format!("{NAME} TXT \"c\"")]);
    accepted(&cloud, &zone, &[change("DELETE", NAME, "TXT", &["\"c\""])]).await.unwrap();
    assert!(records(&cloud).is_empty());
    let journal = cloud.aws.journal();
    assert_eq!(journal[0].changes, [format!("CREATE {NAME} TXT \"a\" \"b\"")]);
    assert_eq!((journal[0].op.as_str(), &journal[0].resource), ("ChangeResourceRecordSets", &zone));
}

#[tokio::test]
async fn a_refused_batch_changes_nothing_and_names_every_reason() {
    let (cloud, zone) = zone().await.unwrap();
    accepted(&cloud, &zone, &[change("CREATE", NAME, "A", &["192.0.2.1"])]).await.unwrap();
    let changes = [
        change("CREATE", "new.managed.example.net", "A", &["192.0.2.2"]),
        change("CREATE", NAME, "A", &["192.0.2.3"]),
        change("DELETE", "y.managed.example.net", "TXT", &["\"v\""]),
    ];
    let refused = send(&cloud, &zone, &changes).await.unwrap();
    assert_eq!(refused.refusal(), (400, "InvalidChangeBatch"));
    assert_eq!(
        refused.text("Message"),
        "[Tried to create resource record set [name='x.managed.example.net.', type='A'] but it already exists, \
         Tried to delete resource record set [name='y.managed.example.net.', type='TXT'] but it was not found]"
    );
    assert_eq!(records(&cloud), [format!("{NAME} A 192.0.2.1")]);
    let form =
        "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>";
    assert!(refused.body.contains(form), "{}", refused.body);
}

#[tokio::test]
async fn a_set_is_deleted_by_exactly_what_it_holds() {
    let (cloud, zone) = zone().await.unwrap();
    accepted(&cloud, &zone, &[change("CREATE", NAME, "TXT", &["\"a\"", "\"b\""])]).await.unwrap();
    let other_ttl = change("DELETE", NAME, "TXT", &["\"a\"", "\"b\""]).replace("<TTL>60", "<TTL>61");
    for wrong in [change("DELETE", NAME, "TXT", &["\"a\""]), other_ttl] {
        let refused = send(&cloud, &zone, &[wrong]).await.unwrap();
        assert_eq!(
            refused.text("Message"),
            "[Tried to delete resource record set [name='x.managed.example.net.', type='TXT'] but the values provided \
             do not match the current values]"
        );
    }
    let swapped = change("DELETE", NAME, "TXT", &["\"b\"", "\"a\""]);
    let replaced = change("CREATE", NAME, "TXT", &["\"c\""]);
    accepted(&cloud, &zone, &[swapped, replaced]).await.unwrap();
    assert_eq!(records(&cloud), [format!("{NAME} TXT \"c\"")], "each change sees those before it");
}

#[tokio::test]
async fn an_alias_and_other_records_exclude_each_other() {
    let (cloud, zone) = zone().await.unwrap();
    accepted(&cloud, &zone, &[change("CREATE", NAME, "CNAME", &["d1.cloudfront.net"])]).await.unwrap();
    let beside = send(&cloud, &zone, &[change("UPSERT", NAME, "TXT", &["\"v\""])]).await.unwrap();
    assert_eq!(
        beside.text("Message"),
        "[RRSet of type TXT with DNS name x.managed.example.net. is not permitted because a conflicting RRSet of type \
         CNAME with the same DNS name already exists in zone managed.example.net.]"
    );
    let txt = "t.managed.example.net";
    accepted(&cloud, &zone, &[change("CREATE", txt, "TXT", &["\"v\""])]).await.unwrap();
    let over = send(&cloud, &zone, &[change("UPSERT", txt, "CNAME", &["d1.cloudfront.net"])]).await.unwrap();
    assert_eq!(
        over.text("Message"),
        "[RRSet of type CNAME with DNS name t.managed.example.net. is not permitted as it conflicts with other records \
         with the same DNS name in zone managed.example.net.]"
    );
    let apex = send(&cloud, &zone, &[change("UPSERT", ZONE, "CNAME", &["d1.cloudfront.net"])]).await.unwrap();
    assert_eq!(
        apex.text("Message"),
        "[RRSet of type CNAME with DNS name managed.example.net. is not permitted at apex in zone managed.example.net.]"
    );
    let below = change("CREATE", "deep.x.managed.example.net", "TXT", &["\"v\""]);
    accepted(&cloud, &zone, &[below]).await.unwrap();
}

#[tokio::test]
async fn names_and_values_are_checked() {
    let (cloud, zone) = zone().await.unwrap();
    for (changes, word) in [
        (
            vec![change("CREATE", "www.example.gov", "A", &["192.0.2.1"])],
            "is not permitted in zone managed.example.net.",
        ),
        (vec![change("CREATE", "xmanaged.example.net", "A", &["192.0.2.1"])], "is not permitted in zone"),
        (
            vec![change("CREATE", NAME, "TXT", &["unquoted"])],
            "InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'unquoted'",
        ),
        (vec![change("CREATE", NAME, "A", &["192.0.2"])], "ARRDATAIllegalIPv4Address"),
        (
            vec![change("CREATE", NAME, "A", &["192.0.2.1", "192.0.2.1"])],
            "Duplicate Resource Record: '192.0.2.1'",
        ),
        (vec![change("CREATE", "a..managed.example.net", "A", &["192.0.2.1"])], "DomainLabelEmpty"),
        (
            vec![change("UPSERT", NAME, "A", &["192.0.2.1"]), change("UPSERT", NAME, "A", &["192.0.2.2"])],
            "The request contains an invalid set of changes for a resource record set 'A x.managed.example.net.'",
        ),
        (
            vec![
                change(
                    "DELETE",
                    ZONE,
                    "SOA",
                    &["ns-0.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"],
                )
                .replace("<TTL>60", "<TTL>900"),
            ],
            "A HostedZone must contain exactly one SOA record.",
        ),
    ] {
        let refused = send(&cloud, &zone, &changes).await.unwrap();
        assert_eq!(refused.refusal(), (400, "InvalidChangeBatch"), "{word}: {}", refused.body);
        let said = refused.text("Message");
        assert!(said.contains(word) && said.starts_with('['), "{said}");
    }
    assert!(records(&cloud).is_empty());
}

#[tokio::test]
async fn the_form_of_a_batch_is_checked() {
    let (cloud, zone) = zone().await.unwrap();
    let no_ttl = change("CREATE", NAME, "A", &["192.0.2.1"]).replace("<TTL>60</TTL>", "");
    for (body, word) in [
        (String::new(), "Invalid XML"),
        ("<ChangeBatch/>".to_owned(), "no ChangeBatch"),
        (batch(&[]), "at least one Change"),
        (batch(&[change("REPLACE", NAME, "A", &["192.0.2.1"])]), "Value 'REPLACE'"),
        (batch(&[change("CREATE", NAME, "B", &["192.0.2.1"])]), "Value 'B'"),
        (
            batch(&[no_ttl]),
            "Missing field 'TTL' in Change with [Action=CREATE, Name=x.managed.example.net, Type=A, SetIdentifier=null]",
        ),
        (batch(&[set("UPSERT", NAME, "A", "")]), "but found none"),
        (batch(&[change("CREATE", NAME, "A", &["192.0.2.1"]).replace("<TTL>60", "<TTL>-1")]), "TTL"),
        (
            batch(&[set("UPSERT", NAME, "A", "<SetIdentifier>one</SetIdentifier>")]),
            "routing policies are not emulated",
        ),
    ] {
        let refused = cloud.route53("POST", &format!("hostedzone/{zone}/rrset/"), &body).await.unwrap();
        assert_eq!(refused.refusal(), (400, "InvalidInput"), "{body}: {}", refused.body);
        assert!(refused.text("Message").contains(word), "{word}: {}", refused.body);
    }
}

#[tokio::test]
async fn a_batch_has_quotas_and_an_upsert_counts_twice() {
    let (cloud, zone) = zone().await.unwrap();
    let many = |action: &str, count: u32| -> Vec<String> {
        (0..count)
            .map(|n| change(action, &format!("n{n}.managed.example.net"), "A", &["192.0.2.1"]))
            .collect()
    };
    accepted(&cloud, &zone, &many("UPSERT", 500)).await.unwrap();
    let too_many = send(&cloud, &zone, &many("UPSERT", 501)).await.unwrap();
    assert_eq!(too_many.text("Message"), "[Number of records limit of 1000 exceeded.]");
    let long = format!("\"{}\" \"{}\"", "x".repeat(255), "y".repeat(255));
    let wide: Vec<String> =
        (0..63).map(|n| change("CREATE", &format!("w{n}.managed.example.net"), "TXT", &[&long])).collect();
    let too_wide = send(&cloud, &zone, &wide).await.unwrap();
    assert_eq!(too_wide.text("Message"), "[RDATA character limit of 32000 exceeded.]");
    let values: Vec<String> = (0..401).map(|n| format!("\"{n}\"")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let full = send(&cloud, &zone, &[change("CREATE", NAME, "TXT", &values)]).await.unwrap();
    assert_eq!(full.text("Message"), "[Cannot have more than 400 records in a RRSet.]");
    accepted(&cloud, &zone, &[change("CREATE", NAME, "TXT", &values[..400])]).await.unwrap();
}

#[tokio::test]
async fn faults_meet_changes_before_and_after_their_effect() {
    let (cloud, zone) = zone().await.unwrap();
    let op = || "ChangeResourceRecordSets".to_owned();
    let one = [change("UPSERT", NAME, "A", &["192.0.2.1"])];
    for (kind, refusal) in [
        (FaultKind::Conflict, (400, "PriorRequestNotComplete")),
        (FaultKind::Throttle, (400, "Throttling")),
        (FaultKind::Unavailable, (503, "ServiceUnavailable")),
    ] {
        cloud.aws.faults().add(Fault { op: op(), nth: 1, when: FaultMoment::Before, kind });
        assert_eq!(send(&cloud, &zone, &one).await.unwrap().refusal(), refusal);
        assert!(records(&cloud).is_empty());
    }
    cloud.aws.faults().add(Fault { op: op(), nth: 1, when: FaultMoment::After, kind: FaultKind::Reset });
    assert!(send(&cloud, &zone, &one).await.is_err());
    assert_eq!(records(&cloud), [format!("{NAME} A 192.0.2.1")]);
}

#[tokio::test]
async fn another_account_sees_no_zone_of_this_one() {
    let accounts = BTreeMap::from([("AKIATEST".to_owned(), "222222222222".to_owned())]);
    let cloud = Cloud::with(AwsSettings { accounts, ..AwsSettings::default() }).await.unwrap();
    let foreign = cloud.aws.host_zone(ZONE).unwrap();
    let own = cloud.aws.host_zone_of("222222222222", ZONE).unwrap();
    let refused = send(&cloud, &foreign, &[change("CREATE", NAME, "A", &["192.0.2.1"])]).await.unwrap();
    assert_eq!(refused.refusal(), (404, "NoSuchHostedZone"));
    assert_eq!(refused.text("Message"), format!("No hosted zone found with ID: {foreign}"));
    accepted(&cloud, &own, &[change("CREATE", NAME, "A", &["192.0.2.1"])]).await.unwrap();
    let zones = cloud.route53("GET", "hostedzonesbyname", "").await.unwrap();
    assert!(zones.body.contains(&own) && !zones.body.contains(&foreign), "{}", zones.body);
    assert_eq!(cloud.aws.journal()[0].account, "222222222222");
}
