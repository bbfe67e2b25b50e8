//! The promises of [`InstanceStore`](crate::InstanceStore).

use super::{Subject, at_once, ended, odd_text};
use crate::testing::sample;
use crate::{
    Cookies, Cursor, DistributionId, Instance, InstanceId, InstanceState, IssuanceId, OperationId,
    OperationKind, OperationState, PortResult, Reference, Timestamp,
};

/// What was never stored is not there, and that is no error.
pub async fn what_is_unknown_is_none(subject: &Subject) -> PortResult<()> {
    let id = subject.fresh("unknown");
    assert_eq!(subject.stored_instance(&InstanceId::new(&id)).await?, None);
    assert_eq!(subject.operations.find(&OperationId::new(&id)).await?, None);
    assert_eq!(subject.latest(&InstanceId::new(&id)).await?, None);
    assert_eq!(subject.operations.history(&OperationId::new(&id)).await?, []);
    assert_eq!(subject.certificates.of_instance(&InstanceId::new(&id), 1).await?, []);
    assert_eq!(subject.issuances.load(&IssuanceId::new(&id)).await?, None);
    assert_eq!(subject.accounts.find(&id).await?, None);
    Ok(())
}

/// `create` stores the whole instance and the whole operation, whatever the texts are.
pub async fn an_instance_comes_back_as_created(subject: &Subject) -> PortResult<()> {
    for identity in [None, Some(odd_text())] {
        let (mut instance, mut operation) = subject.draft().await;
        instance.request.parameters = odd_text();
        instance.request.context = odd_text();
        instance.request.received_at = Timestamp::from_millis(1_767_225_600_123);
        instance.request.identity = identity;
        instance.settings.origin.path = "/odd path/ü".into();
        instance.settings.behaviour.cookies = Cookies::Only(vec!["a".into(), "b".into()]);
        operation.sentence = Some(odd_text());
        operation.error = Some(odd_text());
        assert!(subject.instances.create(&instance, &operation).await?);
        assert_eq!(subject.stored_instance(&instance.id).await?.as_ref(), Some(&instance));
        assert_eq!(subject.stored_operation(&operation).await?.as_ref(), Some(&operation));
    }
    Ok(())
}

/// `create` answers `false` when the id is taken, and changes nothing.
pub async fn a_taken_id_is_refused(subject: &Subject) -> PortResult<()> {
    let (instance, operation) = subject.provisioning().await?;
    let second = subject.operation(&instance.id, OperationKind::Provision).await;
    for incarnation in [1, 2] {
        let other = Instance { incarnation, request: sample::request("{}"), ..instance.clone() };
        assert!(!subject.instances.create(&other, &second).await?, "a living instance does not give way");
        assert!(!subject.instances.create(&other, &operation).await?, "not even to its own operation");
    }
    assert_eq!(subject.stored_instance(&instance.id).await?, Some(instance));
    assert_eq!(subject.stored_operation(&operation).await?.as_ref(), Some(&operation));
    assert_eq!(subject.stored_operation(&second).await?, None);
    Ok(())
}

/// Of many that create the same id at the same moment, one hears `true`, the others `false`.
pub async fn of_many_at_once_one_creates(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.draft().await;
    let created = at_once(|| {
        let (subject, instance) = (subject.clone(), instance.clone());
        async move {
            let operation = subject.operation(&instance.id, OperationKind::Provision).await;
            let created = subject.instances.create(&instance, &operation).await?;
            Ok((created, subject.stored_operation(&operation).await?.is_some()))
        }
    })
    .await?;
    assert_eq!(created.iter().filter(|(created, _)| *created).count(), 1, "{created:?}");
    assert!(created.iter().all(|(created, stored)| created == stored), "{created:?}");
    Ok(())
}

/// When the operation cannot be stored, the instance is not stored either.
pub async fn an_instance_and_its_operation_are_stored_both_or_neither(subject: &Subject) -> PortResult<()> {
    let (_, taken) = subject.provisioning().await?;
    let (instance, mut operation) = subject.draft().await;
    operation.id = taken.id.clone();
    let created = subject.instances.create(&instance, &operation).await;
    assert!(!matches!(created, Ok(true)), "an operation's id cannot be used twice");
    assert_eq!(subject.stored_instance(&instance.id).await?, None);
    assert_eq!(subject.stored_operation(&taken).await?, Some(taken));
    Ok(())
}

/// A tombstone gives way to the next incarnation, not to its own; what happened before is not forgotten.
pub async fn a_tombstone_gives_way_to_the_next_incarnation(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (first, _) = subject.provisioning().await?;
    subject
        .instances
        .record_distribution(&first.id, &first.reference, &DistributionId::new("E1"), "d1.cloudfront.net")
        .await?;
    let deprovision = subject.deprovisioning(&first.id).await?;
    let claim = subject.claim_of(&deprovision).await?;
    let gone = Cursor { instance_state: Some(InstanceState::Gone), ..ended(&deprovision) };
    assert!(subject.queue.save(&claim, &gone, super::LEASE).await?);
    subject.queue.release(&claim).await?;

    let operation = subject.operation(&first.id, OperationKind::Provision).await;
    assert!(!subject.instances.create(&first, &operation).await?, "an incarnation lives once");
    let former = first.reference.clone();
    let reference = Reference::new(format!("{former}-again"));
    let second = Instance { incarnation: 2, reference, ..first };
    assert!(subject.instances.create(&second, &operation).await?);
    // A straggler of the former life learns something too late.
    let late = DistributionId::new("E0");
    subject.instances.record_distribution(&second.id, &former, &late, "d0.cloudfront.net").await?;
    assert_eq!(subject.stored_instance(&second.id).await?.as_ref(), Some(&second));
    assert_eq!(subject.latest(&second.id).await?.as_ref(), Some(&operation));
    let before = subject.stored_operation(&deprovision).await?.map(|before| before.state);
    assert_eq!(before, Some(OperationState::Succeeded));
    subject.claim_of(&operation).await?;
    Ok(())
}

/// What was learnt about the distribution is kept although the operation that learnt it has been cancelled.
pub async fn the_distribution_is_recorded_after_a_cancellation(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    subject.deprovisioning(&instance.id).await?;
    let id = DistributionId::new("E2QWRUHAPOMQZL");
    for _ in 0..2 {
        subject
            .instances
            .record_distribution(&instance.id, &instance.reference, &id, "d111111abcdef8.cloudfront.net")
            .await?;
        let expected = Instance {
            state: InstanceState::Deprovisioning,
            distribution: Some(id.clone()),
            distribution_domain: Some("d111111abcdef8.cloudfront.net".into()),
            ..instance.clone()
        };
        assert_eq!(subject.stored_instance(&instance.id).await?, Some(expected));
    }
    Ok(())
}

/// Pages of whatever size hold every instance once, in one order, and end with an empty one.
pub async fn instances_are_listed_page_by_page(subject: &Subject) -> PortResult<()> {
    let mut stored = Vec::new();
    for _ in 0..5 {
        stored.push(subject.provisioning().await?.0);
    }
    let whole = subject.instances.list(None, 10_000).await?;
    for limit in [1, 2, 5] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = subject.instances.list(after, limit).await?;
            assert!(page.len() <= limit as usize, "{} instances on a page of {limit}", page.len());
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            seen.extend(page);
        }
        assert_eq!(seen, whole, "in pages of {limit}");
    }
    for instance in stored {
        assert_eq!(whole.iter().filter(|listed| **listed == instance).count(), 1);
    }
    assert_eq!(subject.instances.list(None, 0).await?, []);
    Ok(())
}

/// Whatever happens to an instance, the ones that were stored before it and after it stay as they are.
pub async fn what_happens_to_one_leaves_the_others(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (before, first) = subject.provisioning().await?;
    let held = subject.claim_of(&first).await?;
    let (one, provision) = subject.provisioning().await?;
    let claim = subject.claim_of(&provision).await?;
    let (after, last) = subject.provisioning().await?;
    let (id, domain) = (DistributionId::new("E2QWRUHAPOMQZL"), "d111111abcdef8.cloudfront.net");
    subject.instances.record_distribution(&one.id, &one.reference, &id, domain).await?;
    let failed = Cursor {
        state: OperationState::Failed,
        instance_state: Some(InstanceState::ProvisionFailed),
        ..ended(&provision)
    };
    assert!(subject.queue.save(&claim, &failed, super::LEASE).await?);
    subject.queue.release(&claim).await?;
    subject.deprovisioning(&one.id).await?;
    for (instance, operation) in [(before, &first), (after, &last)] {
        assert_eq!(subject.stored_instance(&instance.id).await?.as_ref(), Some(&instance));
        assert_eq!(subject.latest(&instance.id).await?.as_ref(), Some(operation));
    }
    subject.queue.release(&held).await
}
