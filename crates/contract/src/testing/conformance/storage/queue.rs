//! The promises of [`WorkQueue`](crate::WorkQueue) about what is due and where it stands.

use std::time::Duration;

use super::{LEASE, Subject, ended, odd_text};
use crate::{Claim, Cursor, InstanceState, LeaseToken, Operation, OperationState, PortResult, Timestamp};

/// Nothing runs: nothing to claim, nothing due.
pub async fn an_idle_queue_has_nothing(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    assert_eq!(subject.claim().await?, None);
    assert_eq!(subject.queue.next_due().await?, None);
    Ok(())
}

/// A claim holds the operation as it stands and the token that was handed in.
pub async fn a_due_operation_is_claimed(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (_, operation) = subject.provisioning().await?;
    let token = LeaseToken::new(subject.fresh("token"));
    let claim = subject.queue.claim(&token, LEASE).await?;
    assert_eq!(claim, Some(Claim { operation, token }));
    Ok(())
}

/// What has been due for longest is claimed first, whatever was stored first.
pub async fn the_longest_due_comes_first(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let now = subject.time.now().await;
    let mut operations = Vec::new();
    for late in [2, 3, 1] {
        let (instance, operation) = subject.draft().await;
        let operation = Operation { next_at: now - Duration::from_millis(late), ..operation };
        subject.instances.create(&instance, &operation).await?;
        operations.push(operation);
    }
    for next in [1, 0, 2] {
        subject.claim_of(&operations[next]).await?;
    }
    Ok(())
}

/// What is due later is not claimed before.
pub async fn what_is_not_due_waits(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, operation) = subject.draft().await;
    let operation = Operation { next_at: subject.time.now().await + LEASE, ..operation };
    subject.instances.create(&instance, &operation).await?;
    assert_eq!(subject.claim().await?, None);
    subject.time.pass(LEASE).await;
    subject.claim_of(&operation).await?;
    Ok(())
}

/// `next_due` is the earliest moment of all that run, past or future.
pub async fn the_next_due_is_the_earliest(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let now = subject.time.now().await;
    for (next_at, earliest) in
        [(now + LEASE * 2, now + LEASE * 2), (now + LEASE, now + LEASE), (now + LEASE * 3, now + LEASE)]
    {
        let (instance, operation) = subject.draft().await;
        subject.instances.create(&instance, &Operation { next_at, ..operation }).await?;
        assert_eq!(subject.queue.next_due().await?, Some(earliest));
    }
    Ok(())
}

/// `save` writes every field of the cursor, and moves the instance only when the cursor says so.
pub async fn a_save_writes_the_cursor(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, operation) = subject.provisioning().await?;
    let claim = subject.claim_of(&operation).await?;
    let cursor = Cursor {
        state: OperationState::Running,
        step: "second-step".into(),
        attempt: 7,
        next_at: Timestamp::from_millis(1_767_225_600_001),
        step_since: Timestamp::from_millis(1_767_225_600_002),
        sentence: Some(odd_text()),
        error: Some(odd_text()),
        waits_for: Some(odd_text()),
        instance_state: None,
        adopt: false,
    };
    assert!(subject.queue.save(&claim, &cursor, LEASE).await?);
    assert_stands(subject, &operation, &cursor).await?;
    assert_eq!(subject.stored_instance(&instance.id).await?.as_ref(), Some(&instance));

    let cursor = Cursor {
        state: OperationState::Failed,
        sentence: None,
        error: None,
        waits_for: None,
        instance_state: Some(InstanceState::ProvisionFailed),
        ..cursor
    };
    assert!(subject.queue.save(&claim, &cursor, LEASE).await?);
    assert_stands(subject, &operation, &cursor).await?;
    let state = subject.stored_instance(&instance.id).await?.map(|found| found.state);
    assert_eq!(state, Some(InstanceState::ProvisionFailed));
    Ok(())
}

/// An operation that has ended is neither claimed nor due nor written to, although the lease is still held.
pub async fn an_ended_operation_is_left_alone(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (_, operation) = subject.provisioning().await?;
    let claim = subject.claim_of(&operation).await?;
    let cursor = ended(&operation);
    assert!(subject.queue.save(&claim, &cursor, LEASE).await?);
    let again = Cursor { state: OperationState::Running, ..cursor.clone() };
    assert!(!subject.queue.save(&claim, &again, LEASE).await?);
    assert_stands(subject, &operation, &cursor).await?;
    subject.queue.release(&claim).await?;
    assert_eq!(subject.claim().await?, None);
    assert_eq!(subject.queue.next_due().await?, None);
    Ok(())
}

/// Asserts that `operation` is stored as it began, but for what `cursor` says.
async fn assert_stands(subject: &Subject, operation: &Operation, cursor: &Cursor) -> PortResult<()> {
    let cursor = cursor.clone();
    let expected = Operation {
        state: cursor.state,
        step: cursor.step,
        attempt: cursor.attempt,
        next_at: cursor.next_at,
        step_since: cursor.step_since,
        sentence: cursor.sentence,
        error: cursor.error,
        waits_for: cursor.waits_for,
        ..operation.clone()
    };
    assert_eq!(subject.stored_operation(operation).await?, Some(expected));
    Ok(())
}
