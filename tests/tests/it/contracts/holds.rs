use std::time::Duration;

use cloudfront_core::Contract;

use super::laboratory::Laboratory;

#[tokio::test]
async fn every_rule_holds_in_a_cloud_that_keeps_them_and_nothing_is_left() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    for contract in Contract::ALL {
        let walked = laboratory.walk(contract).await?;
        assert_eq!(walked.told, Vec::<String>::new(), "{}", contract.name());
        assert_eq!((walked.broken(), walked.left_out()), (vec![], vec![]), "{}", contract.name());
        assert_eq!(laboratory.litter(), Vec::<String>::new(), "{}", contract.name());
    }
    Ok(())
}

#[tokio::test]
async fn what_takes_its_time_is_measured() -> anyhow::Result<()> {
    let laboratory = Laboratory::open().await?;
    let walked = laboratory.walk(Contract::CloudFront).await?;
    for what in ["first-deployment", "deployment", "disabling"] {
        let took = walked.took(what).unwrap_or_default();
        assert!(took >= Duration::from_mins(5) && took < Duration::from_mins(6), "{what} took {took:?}");
    }
    let walked = laboratory.walk(Contract::Iam).await?;
    let took = walked.took("propagation").unwrap_or_default();
    assert!(took >= Duration::from_secs(20) && took < Duration::from_mins(1), "{took:?}");
    assert!(walked.took("release").unwrap_or_default() >= Duration::from_mins(10), "{walked:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_canary_what_needs_none_is_looked_at() -> anyhow::Result<()> {
    let laboratory = Laboratory::without_canary().await?;
    for (contract, left_out) in [
        (Contract::CloudFront, vec!["name-with-certificate", "deployment", "edge-presents-certificate"]),
        (Contract::Iam, vec![]),
        (Contract::S3, vec!["cloudfront-reads", "headers"]),
    ] {
        let walked = laboratory.walk(contract).await?;
        assert_eq!((walked.broken(), walked.left_out()), (vec![], left_out), "{}", contract.name());
        assert_eq!(laboratory.litter(), Vec::<String>::new(), "{}", contract.name());
    }
    Ok(())
}

/// docs/CHECKS.md names every rule, as a class of the contract that it belongs to.
#[test]
fn every_rule_is_documented() {
    let page = include_str!("../../../../docs/CHECKS.md");
    let (_, table) = page.split_once("| check | class | the rule |").unwrap();
    for contract in Contract::ALL {
        assert!(table.contains(&format!("| `{}` |", contract.name())), "{}", contract.name());
        for one in contract.assumptions() {
            assert!(table.contains(&format!("`{}`", one.name)), "{} {}", contract.name(), one.name);
        }
    }
}
