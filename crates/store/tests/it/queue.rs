use std::collections::BTreeSet;
use std::time::Duration;

use contract::{Claim, Clock, Cursor, InstanceId, InstanceState, OperationState, OperationStore, WorkQueue};
use store::Store;

use crate::support::{deprovision, fresh, provisioning, state, token};

const LEASE: Duration = Duration::from_mins(1);

fn cursor_of(claim: &Claim, next_at: contract::Timestamp) -> Cursor {
    Cursor {
        state: OperationState::Running,
        step: "second-step".into(),
        attempt: 0,
        next_at,
        step_since: claim.operation.step_since,
        sentence: None,
        error: None,
        instance_state: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_claim_sixty_operations_once_each() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    for number in 0..60 {
        provisioning(&fresh.store, &format!("instance-{number}"), fresh.clock.now()).await?;
    }
    let workers = [0, 1, 2, 3, 4, 5, 6, 7].map(|worker| tokio::spawn(claim_all(fresh.store.clone(), worker)));
    let mut claims = Vec::new();
    for worker in workers {
        claims.extend(worker.await??);
    }
    assert_eq!(claims.len(), 60);
    assert_eq!(claims.iter().collect::<BTreeSet<_>>().len(), 60, "no operation was claimed twice");
    Ok(())
}

/// Claims until there is nothing left. Every error, a locked database too, ends the test.
async fn claim_all(store: Store, worker: usize) -> anyhow::Result<Vec<String>> {
    let mut claimed = Vec::new();
    while let Some(claim) = store.claim(&token(format!("{worker}-{}", claimed.len())), LEASE).await? {
        claimed.push(claim.operation.id.to_string());
    }
    Ok(claimed)
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_save_and_release_never_hold_an_operation_together() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    for number in 0..10 {
        provisioning(&fresh.store, &format!("instance-{number}"), fresh.clock.now()).await?;
    }
    let workers = [0, 1, 2, 3].map(|worker| tokio::spawn(run_all(fresh.store.clone(), worker)));
    let mut steps = 0;
    for worker in workers {
        steps += worker.await??;
    }
    assert_eq!(steps, 30, "three steps of each of ten operations, none of them twice");
    assert_eq!(fresh.store.next_due().await?, None);
    Ok(())
}

/// Works on everything that is due: an operation ends when its attempt counter has reached three.
async fn run_all(store: Store, worker: usize) -> anyhow::Result<i32> {
    let mut steps = 0;
    loop {
        let Some(claim) = store.claim(&token(format!("{worker}-{steps}")), LEASE).await? else {
            // Others may still hold something that they will give back.
            if store.next_due().await?.is_none() {
                return Ok(steps);
            }
            tokio::task::yield_now().await;
            continue;
        };
        steps += 1;
        let attempt = claim.operation.attempt + 1;
        let state = if attempt == 3 { OperationState::Succeeded } else { OperationState::Running };
        let cursor = Cursor { attempt, state, ..cursor_of(&claim, claim.operation.next_at) };
        anyhow::ensure!(store.save(&claim, &cursor, LEASE).await?, "the lease was lost");
        store.release(&claim).await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_counts_until_somebody_takes_it() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    provisioning(&fresh.store, "one", fresh.clock.now()).await?;
    let first = fresh.store.claim(&token("a"), Duration::ZERO).await?.unwrap();
    let cursor = cursor_of(&first, fresh.clock.now());
    assert!(fresh.store.save(&first, &cursor, Duration::ZERO).await?, "nobody has taken it");

    let second = fresh.store.claim(&token("b"), LEASE).await?.unwrap();
    assert_eq!(second.operation.step, "second-step");
    assert!(!fresh.store.save(&first, &Cursor { attempt: 7, ..cursor.clone() }, LEASE).await?);
    fresh.store.release(&first).await?;
    assert_eq!(fresh.store.claim(&token("c"), LEASE).await?, None, "the first gave back nothing");
    assert!(fresh.store.save(&second, &cursor, LEASE).await?);
    let stored = OperationStore::find(&fresh.store, &second.operation.id).await?.unwrap();
    assert_eq!(stored.attempt, 0, "what the first wrote was not kept");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_deprovisions_at_once_one_begins() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    let provision = provisioning(&fresh.store, "one", fresh.clock.now()).await?;
    let begun = [0, 1, 2, 3, 4, 5, 6, 7].map(|number| {
        let (store, now) = (fresh.store.clone(), fresh.clock.now());
        tokio::spawn(async move {
            let operation = deprovision(&format!("delete-{number}"), "one", now);
            store.begin_deprovision(&operation).await.map(|begun| (begun, operation))
        })
    });
    let mut winners = Vec::new();
    for outcome in begun {
        let (begun, operation) = outcome.await??;
        winners.extend(begun.then_some(operation));
    }
    assert_eq!(winners.len(), 1);
    let latest = fresh.store.latest(&InstanceId::new("one")).await?;
    assert_eq!(latest.as_ref(), winners.first(), "it is the newest, although all began in one millisecond");
    let provision = OperationStore::find(&fresh.store, &provision.id).await?.unwrap();
    assert_eq!(provision.state, OperationState::Cancelled);
    assert_eq!(state(&fresh.store, "one").await?, Some(InstanceState::Deprovisioning));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_operation_is_not_moved_by_the_worker_that_holds_it() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    provisioning(&fresh.store, "one", fresh.clock.now()).await?;
    let claim = fresh.store.claim(&token("a"), LEASE).await?.unwrap();
    let delete = deprovision("delete", "one", fresh.clock.now());
    assert!(fresh.store.begin_deprovision(&delete).await?);

    let ready = Cursor { instance_state: Some(InstanceState::Ready), ..cursor_of(&claim, fresh.clock.now()) };
    assert!(!fresh.store.save(&claim, &ready, LEASE).await?);
    assert_eq!(state(&fresh.store, "one").await?, Some(InstanceState::Deprovisioning), "nothing was changed");
    assert_eq!(fresh.store.claim(&token("b"), LEASE).await?, None, "both operations share the lease");
    fresh.store.release(&claim).await?;
    let next = fresh.store.claim(&token("c"), LEASE).await?.unwrap();
    assert_eq!(next.operation, delete);
    Ok(())
}
