//! The promises of [`BreakerStore`](crate::BreakerStore), and of [`WorkQueue`](crate::WorkQueue) about what waits.

use std::time::Duration;

use super::{LEASE, ODD_TEXT, Subject, at_once, unmoved};
use crate::{Breaker, Cursor, Operation, OperationKind, PortResult, Timestamp};

fn breaker(scope: String, since: Timestamp) -> Breaker {
    Breaker {
        scope,
        since,
        cause: ODD_TEXT.to_owned(),
        probe_at: since + LEASE,
        probes: 0,
        waited: 0,
        gone_since: None,
        told: false,
        tell_at: Some(since),
        version: 1,
    }
}

async fn stored(subject: &Subject, scope: &str) -> PortResult<Option<Breaker>> {
    Ok(subject.breakers.all().await?.into_iter().find(|one| one.scope == scope))
}

/// A breaker is opened once, changed and closed only by who has seen it as it is, and may come again.
pub async fn a_breaker_is_kept_once_per_scope(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let (first, other) = (breaker(subject.fresh("vault"), now), breaker(subject.fresh("cdn"), now));
    assert!(subject.breakers.open(&first).await?);
    assert!(!subject.breakers.open(&Breaker { cause: "another".into(), ..first.clone() }).await?);
    assert!(subject.breakers.open(&other).await?);
    assert_eq!(stored(subject, &first.scope).await?.as_ref(), Some(&first));
    let next = Breaker {
        probe_at: now + LEASE * 2,
        probes: 3,
        waited: 20,
        gone_since: Some(now + LEASE),
        told: true,
        tell_at: None,
        ..first.clone()
    };
    assert!(subject.breakers.change(&first, &next).await?);
    let kept = Breaker { version: 2, ..next };
    assert_eq!(stored(subject, &first.scope).await?.as_ref(), Some(&kept));
    assert!(!subject.breakers.change(&first, &first).await?, "it is not as it was");
    assert!(!subject.breakers.close(&first).await?, "it is not as it was");
    assert!(subject.breakers.close(&kept).await?);
    assert!(!subject.breakers.close(&kept).await?, "it is gone");
    assert!(!subject.breakers.change(&kept, &kept).await?, "it is gone");
    assert_eq!(stored(subject, &first.scope).await?, None);
    let again = Breaker { since: now + LEASE, ..first };
    assert!(subject.breakers.open(&again).await?);
    assert!(subject.breakers.close(&again).await? && subject.breakers.close(&other).await?);
    Ok(())
}

/// Of many who meet the same thing one opens, and of many who want to try one may.
pub async fn of_many_at_once_one_opens_and_one_changes(subject: &Subject) -> PortResult<()> {
    let one = breaker(subject.fresh("vault"), subject.time.now().await);
    let opened = at_once(|| {
        let (subject, one) = (subject.clone(), one.clone());
        async move { subject.breakers.open(&one).await }
    });
    assert_eq!(opened.await?.into_iter().filter(|opened| *opened).count(), 1);
    let changed = at_once(|| {
        let (subject, one) = (subject.clone(), one.clone());
        async move { subject.breakers.change(&one, &Breaker { probes: one.probes + 1, ..one.clone() }).await }
    });
    assert_eq!(changed.await?.into_iter().filter(|changed| *changed).count(), 1);
    let left = stored(subject, &one.scope).await?.unwrap_or(one);
    assert_eq!((left.probes, left.version), (1, 2));
    assert!(subject.breakers.close(&left).await?);
    Ok(())
}

/// `wake` makes due what waits for that scope and runs, and nothing else; none later than it would have been.
pub async fn what_waits_goes_on_when_it_gives_way(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let now = subject.time.now().await;
    let (scope, hour) = (subject.fresh("vault"), Duration::from_hours(1));
    let late = parked(subject, Some(&scope), now + hour * 24).await?;
    let soon = parked(subject, Some(&scope), now).await?;
    let elsewhere = parked(subject, Some("elsewhere"), now + hour).await?;
    let free = parked(subject, None, now + hour).await?;
    let ended = parked(subject, Some(&scope), now + hour).await?;
    subject.deprovisioning(&ended.instance).await?;
    assert_eq!(subject.queue.wake(&scope, now, hour).await?, 2);
    let went_on = subject.stored_operation(&late).await?.unwrap_or_else(|| late.clone());
    assert!((now..now + hour).contains(&went_on.next_at), "{went_on:?}");
    let saved = late.next_at.since(went_on.next_at);
    assert_eq!(went_on.step_since, late.step_since - saved, "what it need not wait is taken off");
    for untouched in [&soon, &elsewhere, &free] {
        assert_eq!(subject.stored_operation(untouched).await?.as_ref(), Some(untouched));
    }
    assert_eq!(subject.queue.wake(&subject.fresh("unknown"), now, hour).await?, 0);
    Ok(())
}

/// An operation that runs, is due at `next_at`, and waits for `scope`.
async fn parked(subject: &Subject, scope: Option<&str>, next_at: Timestamp) -> PortResult<Operation> {
    let (_, operation) = subject.provisioning().await?;
    debug_assert_eq!(operation.kind, OperationKind::Provision);
    let claim = subject.claim_of(&operation).await?;
    let waits_for = scope.map(str::to_owned);
    let cursor = Cursor { next_at, step_since: next_at, waits_for: waits_for.clone(), ..unmoved(&operation) };
    assert!(subject.queue.save(&claim, &cursor, LEASE).await?);
    // The lease is kept, so that what is due already is not claimed instead of the next one.
    Ok(Operation { next_at, step_since: next_at, waits_for, ..operation })
}
