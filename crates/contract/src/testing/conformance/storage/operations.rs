//! The promises of [`OperationStore`](crate::OperationStore).

use super::{LEASE, Subject, at_once, odd_text, unmoved};
use crate::{
    Cursor, InstanceState, LogEntry, Operation, OperationKind, OperationState, PortResult, Timestamp, Track,
};

/// `latest` is the newest operation that the user has asked for; the broker's own are not shown.
pub async fn the_latest_is_the_newest_on_the_users_track(subject: &Subject) -> PortResult<()> {
    let (instance, provision) = subject.provisioning().await?;
    assert_eq!(subject.latest(&instance.id).await?, Some(provision));
    let deprovision = subject.deprovisioning(&instance.id).await?;
    assert_eq!(subject.latest(&instance.id).await?, Some(deprovision));

    let (instance, renewal) = subject.draft().await;
    subject.instances.create(&instance, &Operation { track: Track::Renewal, ..renewal }).await?;
    assert_eq!(subject.latest(&instance.id).await?, None);
    Ok(())
}

/// `begin_deprovision` stores the operation, cancels what runs on either track, and marks the instance.
pub async fn a_deprovision_takes_over(subject: &Subject) -> PortResult<()> {
    for track in [Track::User, Track::Renewal] {
        let (instance, operation) = subject.draft().await;
        let running = Operation { track, ..operation };
        subject.instances.create(&instance, &running).await?;
        let deprovision = subject.deprovisioning(&instance.id).await?;
        let cancelled = Operation { state: OperationState::Cancelled, ..running };
        assert_eq!(subject.stored_operation(&cancelled).await?.as_ref(), Some(&cancelled));
        assert_eq!(subject.stored_operation(&deprovision).await?.as_ref(), Some(&deprovision));
        let state = subject.stored_instance(&instance.id).await?.map(|found| found.state);
        assert_eq!(state, Some(InstanceState::Deprovisioning));
    }
    Ok(())
}

/// `begin_deprovision` answers `false` while one runs, and changes nothing.
pub async fn a_deprovision_is_single(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let first = subject.deprovisioning(&instance.id).await?;
    let second = subject.operation(&instance.id, OperationKind::Deprovision).await;
    assert!(!subject.operations.begin_deprovision(&second).await?);
    assert_eq!(subject.stored_operation(&first).await?.as_ref(), Some(&first));
    assert_eq!(subject.stored_operation(&second).await?, None);
    Ok(())
}

/// Of many that begin to deprovision at the same moment, one hears `true`, the others `false`.
pub async fn of_many_deprovisions_at_once_one_begins(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let begun = at_once(|| {
        let (subject, id) = (subject.clone(), instance.id.clone());
        async move {
            let operation = subject.operation(&id, OperationKind::Deprovision).await;
            let begun = subject.operations.begin_deprovision(&operation).await?;
            Ok((begun, subject.stored_operation(&operation).await?.map(|stored| stored.state)))
        }
    })
    .await?;
    assert_eq!(begun.iter().filter(|(begun, _)| *begun).count(), 1, "{begun:?}");
    for (begun, stored) in begun {
        assert_eq!(stored, begun.then_some(OperationState::Running));
    }
    Ok(())
}

/// When the deprovision operation cannot be stored, nothing is cancelled and the instance is not marked.
pub async fn a_deprovision_begins_whole_or_not_at_all(subject: &Subject) -> PortResult<()> {
    let (instance, provision) = subject.provisioning().await?;
    let mut operation = subject.operation(&instance.id, OperationKind::Deprovision).await;
    operation.id = provision.id.clone();
    let begun = subject.operations.begin_deprovision(&operation).await;
    assert!(!matches!(begun, Ok(true)), "an operation's id cannot be used twice");
    assert_eq!(subject.stored_operation(&provision).await?, Some(provision));
    assert_eq!(subject.stored_instance(&instance.id).await?, Some(instance));
    Ok(())
}

/// A deprovision that has failed does not stand in the way of the next one.
pub async fn a_failed_deprovision_can_be_begun_again(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, _) = subject.provisioning().await?;
    let first = subject.deprovisioning(&instance.id).await?;
    let claim = subject.claim_of(&first).await?;
    let failed = Cursor {
        state: OperationState::Failed,
        instance_state: Some(InstanceState::DeprovisionFailed),
        ..unmoved(&first)
    };
    assert!(subject.queue.save(&claim, &failed, LEASE).await?);
    let second = subject.deprovisioning(&instance.id).await?;
    let left = subject.stored_operation(&first).await?.map(|first| first.state);
    assert_eq!(left, Some(OperationState::Failed), "what has ended is not cancelled");
    assert_eq!(subject.latest(&instance.id).await?, Some(second));
    let state = subject.stored_instance(&instance.id).await?.map(|found| found.state);
    assert_eq!(state, Some(InstanceState::Deprovisioning));
    Ok(())
}

/// The history holds every line in the order in which it was added, also of one moment and after a cancellation.
pub async fn the_history_is_kept_in_order(subject: &Subject) -> PortResult<()> {
    let (instance, provision) = subject.provisioning().await?;
    let line = |step: &str, at: i64| LogEntry {
        operation: provision.id.clone(),
        step: step.into(),
        outcome: "done".into(),
        sentence: odd_text(),
        request_id: (at == 1).then(odd_text),
        at: Timestamp::from_millis(at),
    };
    let lines = [line("b", 1), line("a", 1), line("c", 2), line("c", 2)];
    for line in &lines[..3] {
        subject.queue.log(line).await?;
    }
    let deprovision = subject.deprovisioning(&instance.id).await?;
    subject.queue.log(&lines[3]).await?;
    let other = LogEntry { operation: deprovision.id.clone(), ..line("other", 3) };
    subject.queue.log(&other).await?;
    assert_eq!(subject.operations.history(&provision.id).await?, lines);
    assert_eq!(subject.operations.history(&deprovision.id).await?, [other]);
    Ok(())
}
