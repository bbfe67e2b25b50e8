use std::time::Duration;

use anyhow::Context;
use cloudfront_core::{Contract, Progress};
use sandbox::aws::{Adjustment, FaultKind, Outage, Rule};

use super::laboratory::Laboratory;

/// Each rule that the cloud changes, and the name of the assumption that is red then, alone.
const CHANGES: [(Rule, Contract, &str); 24] = [
    (Rule::CertificateFromTheStart, Contract::CloudFront, "create-without-names"),
    (Rule::ReferencesReplay, Contract::CloudFront, "reference-is-unique"),
    (Rule::NamesWithoutCertificate, Contract::CloudFront, "name-needs-certificate"),
    (Rule::NamesAfterCertificate, Contract::CloudFront, "name-with-certificate"),
    (Rule::ShortCertificates, Contract::CloudFront, "name-with-certificate"),
    (Rule::StaleTagsPass, Contract::CloudFront, "stale-tag-is-refused"),
    (Rule::InvalidationsNeedTag, Contract::CloudFront, "invalidation-without-tag"),
    (Rule::UnknownHostsServed, Contract::CloudFront, "unknown-host-is-refused"),
    (Rule::OwnCertificateOnly, Contract::CloudFront, "edge-presents-certificate"),
    (Rule::DeletesAnything, Contract::CloudFront, "delete-needs-disabled"),
    (Rule::UpdatesDisableNothing, Contract::CloudFront, "disable"),
    (Rule::DeletesEarly, Contract::CloudFront, "delete-needs-deployed"),
    (Rule::DeletesLate, Contract::CloudFront, "delete"),
    (Rule::UploadsRefused, Contract::Iam, "upload"),
    (Rule::CertificatesGarbled, Contract::Iam, "read-back"),
    (Rule::EnabledFromTheStart, Contract::Iam, "create-disabled"),
    (Rule::CertificatesStay, Contract::Iam, "detach"),
    (Rule::UploadsReplace, Contract::Iam, "name-is-unique"),
    (Rule::PathsIgnored, Contract::Iam, "list-by-path"),
    (Rule::DeletesWhatIsUsed, Contract::Iam, "used-certificate-is-kept"),
    (Rule::ObjectsNeedTag, Contract::S3, "put"),
    (Rule::HeadersForgotten, Contract::S3, "headers"),
    (Rule::ListsLag, Contract::S3, "list"),
    (Rule::RemovalsKept, Contract::S3, "remove"),
];

/// What is red for another reason than a rule of the cloud: its delays, the bucket's policy. Tests of their own show them.
const OTHERWISE: [&str; 4] = ["deployment", "propagation", "release", "cloudfront-reads"];

#[tokio::test]
async fn the_assumption_that_names_a_rule_is_red_when_the_rule_changes() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    for (rule, contract, assumption) in CHANGES {
        laboratory.set_rules(&[rule]);
        let walked = laboratory.walk(contract).await?;
        assert_eq!(walked.broken(), [assumption], "{rule:?}: {walked:#?}");
        let known = contract.assumptions().into_iter().find(|one| one.name == assumption);
        let relies = format!("What relies on it: {}", known.context(assumption)?.relied_on);
        let says_all = |told: &String| told.contains(&format!("({assumption})")) && told.ends_with(&relies);
        assert!(!walked.told.is_empty() && walked.told.iter().all(says_all), "{walked:#?}");
        laboratory.set_rules(&[]);
        let walked = laboratory.walk(contract).await?;
        assert_eq!(walked.broken(), Vec::<&str>::new(), "{rule:?} is gone again: {walked:#?}");
        assert_eq!(laboratory.litter(), Vec::<String>::new(), "{rule:?}");
    }
    Ok(())
}

/// No step without a test that sees it red.
#[test]
fn every_assumption_is_seen_red() {
    for contract in Contract::ALL {
        for one in contract.assumptions() {
            let is_changed = CHANGES.iter().any(|(_, of, name)| (*of, *name) == (contract, one.name));
            let of_another = CHANGES.iter().any(|(_, of, name)| *of != contract && *name == one.name);
            assert!(
                is_changed || of_another || OTHERWISE.contains(&one.name),
                "{} {} is not seen red by any test",
                contract.name(),
                one.name
            );
        }
    }
}

/// The first look tells it, and what is told says all that an operator has to know.
#[tokio::test]
async fn what_is_told_says_the_rule_the_answer_and_what_relies_on_it() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    laboratory.set_rules(&[Rule::NamesAfterCertificate]);
    let walked = laboratory.walk(Contract::CloudFront).await?;
    let told = walked.told.first().map(String::as_str).unwrap_or_default();
    for part in [
        "AWS has changed a rule (name-with-certificate).",
        "It was: CloudFront takes a name and a certificate that covers it in one update.",
        "InvalidViewerCertificate: To add an alternate domain name",
        "(request ",
        "What relies on it: Every provision, and every update that adds a domain",
    ] {
        assert!(told.contains(part), "{part} is not in: {told}");
    }
    assert_eq!(walked.told.len(), 3, "it is looked at three times: {walked:#?}");
    Ok(())
}

#[tokio::test]
async fn a_change_that_is_taken_back_at_once_is_no_broken_rule() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    laboratory.set_rules(&[Rule::ObjectsNeedTag]);
    let check = laboratory.check(Contract::S3).await;
    assert!(matches!(check.go_on().await?, Progress::Found(_)));
    laboratory.set_rules(&[]);
    let Progress::Ended(verdict) = check.go_on().await? else { anyhow::bail!("the walk goes on to its end") };
    assert_eq!(verdict.broken, vec![]);
    Ok(())
}

#[tokio::test]
async fn what_takes_too_long_is_red() -> anyhow::Result<()> {
    let long = |change: Adjustment| change;
    let day = Some(u64::try_from(Duration::from_hours(24).as_millis())?);
    for (contract, change, assumption) in [
        (Contract::CloudFront, long(Adjustment { deploy_ms: day, ..Adjustment::default() }), "deployment"),
        (Contract::Iam, long(Adjustment { iam_propagation_ms: day, ..Adjustment::default() }), "propagation"),
        (Contract::Iam, long(Adjustment { iam_release_ms: day, ..Adjustment::default() }), "release"),
    ] {
        let laboratory = Laboratory::open().await?;
        laboratory.house.sandbox.aws().adjust(&change);
        let walked = laboratory.walk(contract).await?;
        assert!(walked.broken().contains(&assumption), "{assumption}: {walked:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn cloudfront_that_may_not_read_the_bucket_is_red() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    laboratory.let_cloudfront_read(false).await?;
    assert_eq!(laboratory.walk(Contract::S3).await?.broken(), ["cloudfront-reads"]);
    assert_eq!(laboratory.litter(), Vec::<String>::new());
    Ok(())
}

/// What says nothing about a rule breaks none: it is an error of the run.
#[tokio::test]
async fn a_permission_that_is_missing_and_a_throttle_break_no_rule() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    for kind in [FaultKind::AccessDenied, FaultKind::Throttle, FaultKind::Unavailable, FaultKind::Reset] {
        let faults = laboratory.house.sandbox.aws().faults();
        faults.break_down(Outage { op: "*".to_owned(), kind });
        for contract in Contract::ALL {
            let told = laboratory.check(contract).await.go_on().await;
            assert!(told.is_err(), "{kind:?} {}: {told:?}", contract.name());
        }
        faults.heal();
    }
    for contract in Contract::ALL {
        assert_eq!(laboratory.walk(contract).await?.broken(), Vec::<&str>::new(), "{}", contract.name());
    }
    Ok(())
}
