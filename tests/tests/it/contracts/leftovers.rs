use std::time::Duration;

use cloudfront_core::{Contract, Progress};
use sandbox::aws::{Fault, FaultKind, FaultMoment, Rule};

use super::laboratory::Laboratory;

/// The calls that change something.
const WRITES: [(Contract, &str, u32); 9] = [
    (Contract::CloudFront, "CreateDistributionWithTags", 1),
    (Contract::CloudFront, "UpdateDistribution", 2),
    (Contract::CloudFront, "CreateInvalidation", 1),
    (Contract::CloudFront, "DeleteDistribution", 3),
    (Contract::Iam, "UploadServerCertificate", 1),
    (Contract::Iam, "CreateDistributionWithTags", 1),
    (Contract::Iam, "DeleteServerCertificate", 2),
    (Contract::S3, "PutObject", 1),
    (Contract::S3, "DeleteObject", 1),
];

/// The process dies after a call has taken effect and before it has heard of it; the next one goes on.
#[tokio::test]
async fn a_walk_whose_answers_are_lost_makes_nothing_twice_and_leaves_nothing() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    for (contract, op, nth) in WRITES {
        let before = laboratory.effects("CreateDistributionWithTags");
        laboratory.house.sandbox.aws().faults().add(Fault {
            op: op.to_owned(),
            nth,
            when: FaultMoment::After,
            kind: FaultKind::Reset,
        });
        let walked = laboratory.walk(contract).await?;
        assert_eq!(walked.broken(), Vec::<&str>::new(), "{op}: {walked:#?}");
        let made = laboratory.effects("CreateDistributionWithTags") - before;
        assert!(made <= 1, "{op}: {made} distributions");
        assert_eq!(laboratory.litter(), Vec::<String>::new(), "{op}");
    }
    Ok(())
}

/// Every walk is gone on with by another process as it is; here the one that began it is gone for two days as well.
#[tokio::test]
async fn what_a_killed_run_has_left_is_used_and_removed_by_the_next() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    assert!(matches!(laboratory.check(Contract::CloudFront).await.go_on().await?, Progress::Going { .. }));
    let left = laboratory.litter();
    assert_eq!(left.len(), 2, "a distribution, and the record that leads to it: {left:?}");
    laboratory.pass(Duration::from_hours(48));
    let walked = laboratory.walk(Contract::CloudFront).await?;
    assert_eq!((walked.broken(), laboratory.litter()), (vec![], vec![]));
    assert_eq!(laboratory.effects("DeleteDistribution"), 1);
    assert_eq!(walked.took("first-deployment"), None, "two days say nothing about CloudFront");
    Ok(())
}

#[tokio::test]
async fn what_would_not_go_is_kept_in_mind_until_it_does() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    laboratory.set_rules(&[Rule::DeletesWhatIsUsed]);
    laboratory.walk(Contract::Iam).await?;
    laboratory.set_rules(&[]);
    let aws = laboratory.house.sandbox.aws();
    let day = Some(u64::try_from(Duration::from_hours(24).as_millis())?);
    aws.adjust(&sandbox::aws::Adjustment { iam_release_ms: day, ..sandbox::aws::Adjustment::default() });
    assert_eq!(laboratory.walk(Contract::Iam).await?.broken(), ["release"]);
    assert_eq!(laboratory.litter().len(), 1);
    laboratory.pass(Duration::from_hours(48));
    laboratory.check(Contract::Iam).await.go_on().await?;
    let kept = laboratory.kept(Contract::Iam).await?;
    assert_eq!(kept["leftovers"], serde_json::json!([]));
    assert!(
        !laboratory
            .litter()
            .iter()
            .any(|one| kept["walk"]["id"].as_str().is_some_and(|id| !one.contains(id)))
    );
    Ok(())
}

/// The comparison of store and account says nothing of canaries, and touches none, however old they are.
#[tokio::test]
async fn reconcile_leaves_canaries_alone() -> anyhow::Result<()> {
    let laboratory = Laboratory::without_canary().await?;
    for contract in [Contract::CloudFront, Contract::Iam] {
        let check = laboratory.check(contract).await;
        laboratory.set_rules(&[Rule::PathsIgnored]);
        drop(check.go_on().await?);
        laboratory.set_rules(&[]);
    }
    let left = laboratory.litter();
    assert_eq!(left.len(), 2, "a distribution and a certificate: {left:?}");
    laboratory.house.sandbox.aws().make_older(Duration::from_hours(30 * 24));
    let settings = laboratory.house.settings()?;
    for arguments in [&["reconcile", "--json"][..], &["reconcile", "--fix", "--yes", "--json"]] {
        let report = laboratory.house.command(&settings, arguments).await?.json()?;
        assert!(!report.to_string().contains("canary"), "{report}");
    }
    assert_eq!(laboratory.litter(), left);
    Ok(())
}
