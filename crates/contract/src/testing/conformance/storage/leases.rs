//! The promises of [`WorkQueue`](crate::WorkQueue) about who may work.

use super::{LEASE, Subject, ended, unmoved};
use crate::{Cursor, OperationState, PortResult};

/// While one holds the lease, nobody else gets the operation.
pub async fn a_held_instance_is_not_claimed(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (_, operation) = subject.provisioning().await?;
    subject.claim_of(&operation).await?;
    assert_eq!(subject.claim().await?, None);
    subject.time.pass(LEASE / 2).await;
    assert_eq!(subject.claim().await?, None, "half of the lease is left");
    Ok(())
}

/// Who holds an instance for one operation keeps others from its next operation as well.
pub async fn the_lease_is_the_instances(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, provision) = subject.provisioning().await?;
    let claim = subject.claim_of(&provision).await?;
    let deprovision = subject.deprovisioning(&instance.id).await?;
    assert_eq!(subject.claim().await?, None, "a step of the cancelled operation may still be running");
    subject.queue.release(&claim).await?;
    subject.claim_of(&deprovision).await?;
    Ok(())
}

/// `release` lets the next one in at once; releasing again does nothing.
pub async fn a_released_instance_is_claimed(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (_, operation) = subject.provisioning().await?;
    let first = subject.claim_of(&operation).await?;
    subject.queue.release(&first).await?;
    let second = subject.claim_of(&operation).await?;
    assert_ne!(first.token, second.token);
    subject.queue.release(&first).await?;
    assert_eq!(subject.claim().await?, None, "the lease of the second is not the first one's to give back");
    assert!(!subject.queue.save(&first, &ended(&operation), LEASE).await?);
    assert!(subject.queue.save(&second, &ended(&operation), LEASE).await?);
    Ok(())
}

/// When a lease has expired, another worker goes on, and the first one can no longer write.
pub async fn an_expired_lease_passes_on(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (_, operation) = subject.provisioning().await?;
    let slow = subject.claim_of(&operation).await?;
    subject.time.pass(LEASE).await;
    let next = subject.claim_of(&operation).await?;
    let before = subject.stored_operation(&operation).await?;
    let moved = Cursor { step: "moved by the slow one".into(), ..ended(&operation) };
    assert!(!subject.queue.save(&slow, &moved, LEASE).await?);
    assert_eq!(subject.stored_operation(&operation).await?, before);
    subject.queue.release(&slow).await?;
    assert_eq!(subject.claim().await?, None, "the lease belongs to the next one");
    assert!(subject.queue.save(&next, &ended(&operation), LEASE).await?);
    Ok(())
}

/// A lease lasts from the latest save.
pub async fn a_save_extends_the_lease(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (_, operation) = subject.provisioning().await?;
    let claim = subject.claim_of(&operation).await?;
    subject.time.pass(LEASE * 2 / 3).await;
    assert!(subject.queue.save(&claim, &unmoved(&operation), LEASE).await?);
    subject.time.pass(LEASE * 2 / 3).await;
    assert_eq!(subject.claim().await?, None, "a third of the extended lease is left");
    subject.time.pass(LEASE / 3).await;
    subject.claim_of(&operation).await?;
    Ok(())
}

/// What another operation has cancelled cannot be written to any more, although the lease is still held.
pub async fn a_save_after_cancellation_changes_nothing(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, provision) = subject.provisioning().await?;
    let claim = subject.claim_of(&provision).await?;
    subject.deprovisioning(&instance.id).await?;
    let marked = subject.stored_instance(&instance.id).await?;
    let ready = Cursor { instance_state: Some(crate::InstanceState::Ready), ..ended(&provision) };
    assert!(!subject.queue.save(&claim, &ready, LEASE).await?);
    let state = subject.stored_operation(&provision).await?.map(|provision| provision.state);
    assert_eq!(state, Some(OperationState::Cancelled));
    assert_eq!(subject.stored_instance(&instance.id).await?, marked);
    Ok(())
}
