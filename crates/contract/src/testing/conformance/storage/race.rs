//! The promise that brings several workers and several brokers together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::{LEASE, Subject, at_once, ended, unmoved};
use crate::testing::locked;
use crate::{Claim, Cursor, InstanceId, OperationId, PortResult};

/// How many operations the workers share.
const OPERATIONS: usize = 60;

/// How often a worker may come in vain before it is clear that the queue hands nothing out.
const PATIENCE: usize = 10_000;

/// What the workers tell each other about whom they hold, past the store.
#[derive(Default)]
struct Witness {
    held: BTreeSet<InstanceId>,
    steps: BTreeMap<OperationId, Vec<String>>,
}

/// Eight workers run sixty operations of two steps each: every step runs once, and no two of them hold an instance at
/// the same time. To be run on a runtime with several threads.
pub async fn workers_share_operations_without_a_double_claim(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let mut operations = BTreeSet::new();
    for _ in 0..OPERATIONS {
        operations.insert(subject.provisioning().await?.1.id);
    }
    let witness = Arc::new(Mutex::new(Witness::default()));
    at_once(|| work(subject.clone(), Arc::clone(&witness))).await?;
    let witness = locked(&witness);
    assert_eq!(witness.steps.keys().cloned().collect::<BTreeSet<_>>(), operations);
    for (operation, steps) in &witness.steps {
        assert_eq!(*steps, ["first-step", "last-step"], "{operation}");
    }
    Ok(())
}

async fn work(subject: Subject, witness: Arc<Mutex<Witness>>) -> PortResult<()> {
    for _ in 0..PATIENCE {
        match subject.claim().await? {
            Some(claim) => run_step(&subject, &witness, &claim).await?,
            None if subject.queue.next_due().await?.is_none() => return Ok(()),
            None => tokio::task::yield_now().await,
        }
    }
    panic!("operations are running and nobody gets them")
}

async fn run_step(subject: &Subject, witness: &Mutex<Witness>, claim: &Claim) -> PortResult<()> {
    let operation = &claim.operation;
    {
        let mut witness = locked(witness);
        assert!(witness.held.insert(operation.instance.clone()), "{} is claimed twice", operation.instance);
        witness.steps.entry(operation.id.clone()).or_default().push(operation.step.clone());
    }
    tokio::task::yield_now().await;
    let cursor = if operation.step == "last-step" {
        ended(operation)
    } else {
        Cursor { step: "last-step".into(), ..unmoved(operation) }
    };
    assert!(subject.queue.save(claim, &cursor, LEASE).await?, "nobody else may write");
    locked(witness).held.remove(&operation.instance);
    subject.queue.release(claim).await
}
