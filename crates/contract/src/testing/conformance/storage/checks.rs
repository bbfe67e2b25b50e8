//! The promises of [`CheckStore`](crate::CheckStore).

use std::time::Duration;

use super::{ODD_TEXT, Subject, at_once};
use crate::storage::RUNS_KEPT;
use crate::{CheckFailure, CheckOutcome, CheckRecord, CheckRun, InstanceId, PortResult, Side, StepTime};

/// A check is stored once, and changed only by who has seen it as it is.
pub async fn a_check_is_kept_once(subject: &Subject) -> PortResult<()> {
    let (now, checks) = (subject.checks.now().await?, &subject.checks);
    let first = CheckRecord::new(subject.fresh("check"), now);
    assert_eq!(checks.ensure(&first).await?, first);
    let other = CheckRecord { failures: 9, ..first.clone() };
    assert_eq!(checks.ensure(&other).await?, first);
    let next = CheckRecord {
        next_at: now + Duration::from_hours(1),
        leased_until: Some(now),
        runs: 7,
        failures: 2,
        failing_since: Some(now),
        told: true,
        ..first.clone()
    };
    let kept = CheckRecord { version: 2, ..next.clone() };
    assert_eq!(checks.change(&first, &next).await?.as_ref(), Some(&kept));
    assert_eq!(checks.change(&first, &first).await?, None, "it is not as it was");
    assert!(!checks.finish(&first, &first, &run(&first, 8)).await?, "it is not as it was");
    assert_eq!(checks.history(&first.name, 10).await?, []);
    assert!(checks.all().await?.contains(&kept));
    let back = CheckRecord { version: 3, ..first.clone() };
    assert_eq!(checks.change(&kept, &first).await?, Some(back));
    Ok(())
}

/// Of many who want to run a check one gets it.
pub async fn of_many_at_once_one_runs_a_check(subject: &Subject) -> PortResult<()> {
    let now = subject.checks.now().await?;
    let check = subject.checks.ensure(&CheckRecord::new(subject.fresh("check"), now)).await?;
    let taken = at_once(|| {
        let (checks, check) = (subject.checks.clone(), check.clone());
        async move { checks.change(&check, &CheckRecord { leased_until: Some(now), ..check.clone() }).await }
    });
    assert_eq!(taken.await?.into_iter().flatten().count(), 1);
    Ok(())
}

/// Runs come back as they were kept, the newest first; the oldest are forgotten.
pub async fn the_latest_runs_of_a_check_are_kept(subject: &Subject) -> PortResult<()> {
    let now = subject.checks.now().await?;
    let mut check = subject.checks.ensure(&CheckRecord::new(subject.fresh("check"), now)).await?;
    let other = subject.checks.ensure(&CheckRecord::new(subject.fresh("check"), now)).await?;
    assert!(subject.checks.finish(&other, &other, &run(&other, 1)).await?);
    for number in 1..=RUNS_KEPT + 2 {
        let next = CheckRecord { runs: number, ..check.clone() };
        assert!(subject.checks.finish(&check, &next, &run(&check, number)).await?);
        check = CheckRecord { version: check.version + 1, ..next };
    }
    let kept = subject.checks.history(&check.name, 10_000).await?;
    let numbers: Vec<i32> = kept.iter().map(|run| run.number).collect();
    assert_eq!(numbers, (3..=RUNS_KEPT + 2).rev().collect::<Vec<_>>());
    assert_eq!(kept.first(), Some(&run(&check, RUNS_KEPT + 2)));
    assert_eq!(subject.checks.history(&check.name, 2).await?.len(), 2);
    assert_eq!(subject.checks.history(&other.name, 2).await?, [run(&other, 1)]);
    Ok(())
}

/// What is remembered is there until something else is.
pub async fn a_check_remembers(subject: &Subject) -> PortResult<()> {
    let (key, checks) = (subject.fresh("check"), &subject.checks);
    assert_eq!(checks.recall(&key).await?, None);
    checks.remember(&key, ODD_TEXT).await?;
    assert_eq!(checks.recall(&key).await?.as_deref(), Some(ODD_TEXT));
    checks.remember(&key, "").await?;
    assert_eq!(checks.recall(&key).await?.as_deref(), Some(""));
    let remembered = at_once(|| {
        let (checks, key) = (checks.clone(), subject.fresh("check"));
        async move { checks.remember(&key, "once").await }
    });
    remembered.await?;
    Ok(())
}

/// Every third fails, every third is skipped.
fn run(check: &CheckRecord, number: i32) -> CheckRun {
    let outcome = match number % 3 {
        0 => CheckOutcome::Ok,
        1 => CheckOutcome::Skipped { why: ODD_TEXT.to_owned() },
        _ => CheckOutcome::Failing(CheckFailure {
            affected: vec![InstanceId::new("one"), InstanceId::new("two")],
            ..CheckFailure::new(Side::Dns, "class", ODD_TEXT, "all of it")
        }),
    };
    let steps = vec![StepTime { name: ODD_TEXT.to_owned(), millis: 12, ended: number % 2 == 0 }];
    let took = Duration::from_millis(number.unsigned_abs().into());
    CheckRun { check: check.name.clone(), number, began: check.next_at, took, outcome, steps }
}
