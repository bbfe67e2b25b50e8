use std::sync::Arc;

use async_trait::async_trait;
use contract::testing::conformance;
use contract::{ManagedZone, PortResult, Remedy};
use sandbox::aws::{FaultKind, FaultMoment};

use super::account::{Account, ZONE, is_retry, remedy};

const OWNER: &str = "_acme-challenge.label.managed.example.net.";

/// The records of the zone as its owner sees them at the console.
struct Records(Account);

impl Records {
    fn of(&self, owner: &str, kind: &str) -> Vec<String> {
        let zones = self.0.local.state().hosted_zones;
        let records = zones.iter().flat_map(|zone| &zone.records);
        let mut own = records.filter(|set| set.name.trim_end_matches('.') == owner.trim_end_matches('.'));
        own.find(|set| set.kind == kind).map(|set| set.values.clone()).unwrap_or_default()
    }
}

#[async_trait]
impl conformance::zone::Reader for Records {
    async fn values(&self, owner: &str) -> Vec<String> {
        let quoted = self.of(owner, "TXT");
        let mut values: Vec<String> = quoted.iter().map(|value| value.trim_matches('"').to_owned()).collect();
        values.sort_unstable();
        values
    }

    async fn target(&self, owner: &str) -> Option<String> {
        self.of(owner, "CNAME").first().map(|target| target.trim_end_matches('.').to_owned())
    }
}

async fn zone(account: &Account) -> Arc<dyn ManagedZone> {
    Arc::new(account.process().await.zone.unwrap())
}

#[tokio::test]
async fn the_zone_keeps_the_promises_of_its_port() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let reader = Records(account.clone());
    let subject = conformance::zone::Subject::new(zone(&account).await, reader, format!("run.{ZONE}."));
    conformance::zone::run(&subject).await;
    Ok(())
}

#[tokio::test]
async fn values_are_quoted_and_escaped() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let zone = zone(&account).await;
    let long = "x".repeat(300);
    for value in ["plain", "two words", r#"a "quoted" \ one"#, "\u{e4}", &long] {
        zone.add_txt(OWNER, value).await?;
        zone.add_txt(OWNER, value).await?;
    }
    let records = Records(account.clone());
    let split = format!("\"{}\" \"{}\"", &long[..255], &long[255..]);
    let written = ["\"plain\"", "\"two words\"", r#""a \"quoted\" \\ one""#, r#""\303\244""#, &split];
    assert_eq!(records.of(OWNER, "TXT"), written);
    zone.remove_txt(OWNER, r#"a "quoted" \ one"#).await?;
    zone.remove_txt(OWNER, &long).await?;
    assert_eq!(records.of(OWNER, "TXT"), ["\"plain\"", "\"two words\"", r#""\303\244""#]);
    Ok(())
}

#[tokio::test]
async fn eight_writers_of_one_label_lose_nothing() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        writers.spawn(write(zone(&account).await, writer));
    }
    for done in writers.join_all().await {
        done?;
    }
    let mut expected: Vec<String> =
        (0..8).flat_map(|writer| [1, 3].map(|round| format!("\"{writer}-{round}\""))).collect();
    let mut found = Records(account.clone()).of(OWNER, "TXT");
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    let refused =
        account.calls("ChangeResourceRecordSets").iter().filter(|call| call.error.is_some()).count();
    assert!(refused > 0, "nobody was ever in somebody's way");
    Ok(())
}

/// Adds four values, and takes the first and the third away again.
async fn write(zone: Arc<dyn ManagedZone>, writer: u32) -> PortResult<()> {
    for round in 0..4 {
        let value = format!("{writer}-{round}");
        while is_beaten(zone.add_txt(OWNER, &value).await)? {}
        if round % 2 == 0 {
            while is_beaten(zone.remove_txt(OWNER, &value).await)? {}
        }
    }
    Ok(())
}

/// Whether somebody else kept being faster: the worker calls again then.
fn is_beaten(answer: PortResult<()>) -> PortResult<bool> {
    match answer {
        Ok(()) => Ok(false),
        Err(error) if matches!(error.remedy(), Remedy::Retry { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

#[tokio::test]
async fn a_change_that_comes_in_between_is_not_lost() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (ours, theirs) = (zone(&account).await, zone(&account).await);
    ours.add_txt(OWNER, "first").await?;
    account.strike("ListResourceRecordSets", FaultMoment::After, FaultKind::Hold);
    let meanwhile = async {
        account.local.faults().reached().await;
        let added = theirs.add_txt(OWNER, "theirs").await;
        account.local.faults().release();
        added
    };
    let (added, meanwhile) = tokio::join!(ours.add_txt(OWNER, "ours"), meanwhile);
    meanwhile?;
    added?;
    assert_eq!(Records(account.clone()).of(OWNER, "TXT"), ["\"first\"", "\"theirs\"", "\"ours\""]);
    let errors: Vec<_> =
        account.calls("ChangeResourceRecordSets").into_iter().filter_map(|c| c.error).collect();
    assert_eq!(errors, ["InvalidChangeBatch"]);
    Ok(())
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_one_change() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let zone = zone(&account).await;
    for value in ["one", "two"] {
        account.lose_the_answer_of("ChangeResourceRecordSets");
        assert!(is_retry(zone.add_txt(OWNER, value).await));
        zone.add_txt(OWNER, value).await?;
    }
    assert_eq!(account.effects("ChangeResourceRecordSets"), 2);
    account.lose_the_answer_of("ChangeResourceRecordSets");
    assert!(is_retry(zone.point("label.managed.example.net.", "d1.cloudfront.net").await));
    zone.point("label.managed.example.net.", "d1.cloudfront.net").await?;
    account.lose_the_answer_of("ChangeResourceRecordSets");
    assert!(is_retry(zone.release("label.managed.example.net.").await));
    zone.release("label.managed.example.net.").await?;
    assert_eq!(Records(account.clone()).of("label.managed.example.net.", "CNAME"), Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_name_outside_the_zone_reaches_nobody() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let zone = zone(&account).await;
    for owner in [
        "label.example.org.",
        "managed.example.net.",
        "label.managed.example.net",
        "labelmanaged.example.net.",
        "Label.managed.example.net.",
        "a..managed.example.net.",
        "*.managed.example.net.",
        "a.*.managed.example.net.",
        "",
    ] {
        assert_eq!(remedy(zone.add_txt(owner, "value").await), Some(Remedy::GiveUp), "{owner}");
        assert_eq!(remedy(zone.point(owner, "d1.cloudfront.net").await), Some(Remedy::GiveUp), "{owner}");
        assert_eq!(remedy(zone.release(owner).await), Some(Remedy::GiveUp), "{owner}");
    }
    assert!(account.local.journal().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_only_the_operator_can_mend_is_theirs() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let unknown = account.process_with_zone("ZUNKNOWN").await.zone.unwrap();
    let refused = unknown.add_txt(OWNER, "value").await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::AwaitOperator);
    assert!(refused.request_id().is_some() && refused.to_string().contains("NoSuchHostedZone"), "{refused}");
    // A record of another type is where only one can be: somebody else's doing, which no repetition undoes.
    let zone = zone(&account).await;
    zone.add_txt(OWNER, "value").await?;
    let refused = zone.point(OWNER, "d1.cloudfront.net").await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::AwaitOperator, "{refused}");
    assert!(refused.request_id().is_some());
    zone.point("label.managed.example.net.", "d1.cloudfront.net").await?;
    let refused = zone.add_txt("label.managed.example.net.", "value").await;
    assert_eq!(remedy(refused), Some(Remedy::AwaitOperator));
    Ok(())
}

#[tokio::test]
async fn throttling_is_for_later() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let zone = zone(&account).await;
    for op in ["ListResourceRecordSets", "ChangeResourceRecordSets"] {
        account.strike(op, FaultMoment::Before, FaultKind::Throttle);
        assert!(is_retry(zone.add_txt(OWNER, "value").await), "{op}");
    }
    zone.add_txt(OWNER, "value").await?;
    Ok(())
}
