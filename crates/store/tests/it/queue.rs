use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use contract::testing::ManualClock;
use contract::{Clock, Cursor, OperationStore, WorkQueue};
use store::Store;

use crate::cluster::Database;
use crate::support::{fresh, open_url, provisioning, token, unmoved};

const LEASE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_workers_on_one_file_claim_sixty_operations_once_each() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    claims_of_eight_workers(&[fresh.store], &fresh.clock).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_workers_of_two_brokers_claim_sixty_operations_once_each() -> anyhow::Result<()> {
    let (database, clock) = (Database::new()?, ManualClock::new());
    let brokers = [open_url(&database.url, &clock).await?, open_url(&database.url, &clock).await?];
    claims_of_eight_workers(&brokers, &clock).await
}

async fn claims_of_eight_workers(brokers: &[Store], clock: &ManualClock) -> anyhow::Result<()> {
    for number in 0..60 {
        provisioning(&brokers[0], &format!("instance-{number}"), clock.now()).await?;
    }
    let workers = brokers.iter().cycle().take(8).enumerate();
    let workers: Vec<_> =
        workers.map(|(worker, broker)| tokio::spawn(claim_all(broker.clone(), worker))).collect();
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
async fn a_lease_that_ran_out_counts_until_somebody_takes_it() -> anyhow::Result<()> {
    let fresh = fresh().await?;
    a_lease_runs_out(&fresh.store, &fresh.clock).await?;
    let (database, clock) = (Database::new()?, ManualClock::new());
    a_lease_runs_out(&open_url(&database.url, &clock).await?, &clock).await
}

async fn a_lease_runs_out(store: &Store, clock: &ManualClock) -> anyhow::Result<()> {
    provisioning(store, "one", clock.now()).await?;
    let first = store.claim(&token("a"), Duration::ZERO).await?.context("it is due")?;
    let cursor = Cursor { step: "second-step".into(), ..unmoved(&first.operation) };
    assert!(store.save(&first, &cursor, Duration::ZERO).await?, "nobody has taken it");

    let second = store.claim(&token("b"), LEASE).await?.context("the lease ran out")?;
    assert_eq!(second.operation.step, "second-step");
    assert!(!store.save(&first, &Cursor { attempt: 7, ..cursor.clone() }, LEASE).await?);
    assert!(store.save(&second, &cursor, LEASE).await?);
    let stored = OperationStore::find(store, &second.operation.id).await?.context("it is stored")?;
    assert_eq!(stored.attempt, 0, "what the first wrote was not kept");
    Ok(())
}
