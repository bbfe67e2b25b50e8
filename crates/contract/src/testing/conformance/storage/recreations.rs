//! The promises of [`OperatorStore`](crate::OperatorStore): what the operator begins, and what is resumed.

use super::{LEASE, Subject, at_once, ended, odd_text, unmoved};
use crate::{
    Cursor, DistributionId, Instance, InstanceState, Operation, OperationKind, OperationState, PortResult,
    Reference, Track,
};

impl Subject {
    /// A stored instance whose provision has ended in this state.
    async fn provisioned(&self, state: InstanceState) -> PortResult<Instance> {
        self.idle().await?;
        let (instance, provision) = self.provisioning().await?;
        let claim = self.claim_of(&provision).await?;
        let cursor = Cursor { instance_state: Some(state), ..ended(&provision) };
        assert!(self.queue.save(&claim, &cursor, LEASE).await?);
        self.queue.release(&claim).await?;
        Ok(Instance { state, ..instance })
    }

    async fn recreation_of(&self, instance: &Instance) -> Operation {
        self.operation(&instance.id, OperationKind::Recreate).await
    }

    async fn renewing(&self, instance: &Instance) -> PortResult<Operation> {
        let renewal = self.operation(&instance.id, OperationKind::Renew).await;
        let renewal = Operation { track: Track::Renewal, ..renewal };
        assert!(self.operations.begin_renewal(&renewal).await?);
        Ok(renewal)
    }

    async fn state_of(&self, operation: &Operation) -> PortResult<Option<OperationState>> {
        Ok(self.stored_operation(operation).await?.map(|stored| stored.state))
    }

    /// Lets an operation that runs fail, and its instance with it.
    async fn fails(&self, operation: &Operation, instance_state: Option<InstanceState>) -> PortResult<()> {
        let claim = self.claim_of(operation).await?;
        let failed = Cursor {
            state: OperationState::Failed,
            step: "third-step".into(),
            attempt: 7,
            sentence: Some(odd_text()),
            error: Some(odd_text()),
            instance_state,
            ..unmoved(operation)
        };
        assert!(self.queue.save(&claim, &failed, LEASE).await?);
        self.queue.release(&claim).await
    }
}

/// A recreation begins on an instance that serves and on one that could not be provisioned; neither changes for that.
pub async fn a_recreation_begins_on_what_serves_or_never_did(subject: &Subject) -> PortResult<()> {
    for state in [InstanceState::Ready, InstanceState::ProvisionFailed] {
        let instance = subject.provisioned(state).await?;
        let recreation = subject.recreation_of(&instance).await;
        assert!(subject.operator.begin_recreation(&recreation).await?, "{state:?}");
        assert_eq!(subject.stored_operation(&recreation).await?.as_ref(), Some(&recreation));
        assert_eq!(subject.latest(&instance.id).await?, Some(recreation));
        assert_eq!(subject.stored_instance(&instance.id).await?, Some(instance));
    }
    for state in [InstanceState::DeprovisionFailed, InstanceState::Gone] {
        let instance = subject.provisioned(state).await?;
        let recreation = subject.recreation_of(&instance).await;
        assert!(!subject.operator.begin_recreation(&recreation).await?, "{state:?}");
        assert_eq!(subject.stored_operation(&recreation).await?, None);
    }
    let unknown = subject.draft().await.0;
    let recreation = subject.recreation_of(&unknown).await;
    assert!(!subject.operator.begin_recreation(&recreation).await?);
    Ok(())
}

/// `begin_recreation` answers `false` while an operation of the user's runs, and `begin_update` while a recreation does.
pub async fn a_recreation_needs_the_users_track(subject: &Subject) -> PortResult<()> {
    let (provisioning, provision) = subject.provisioning().await?;
    let early = subject.recreation_of(&provisioning).await;
    assert!(!subject.operator.begin_recreation(&early).await?);
    assert_eq!(subject.state_of(&provision).await?, Some(OperationState::Running));

    let instance = subject.provisioned(InstanceState::Ready).await?;
    let first = subject.recreation_of(&instance).await;
    assert!(subject.operator.begin_recreation(&first).await?);
    let second = subject.recreation_of(&instance).await;
    assert!(!subject.operator.begin_recreation(&second).await?);
    let change = crate::testing::sample::change(&instance, &["new.example.org"]);
    let update = subject.operation(&instance.id, OperationKind::Update).await;
    let update = Operation { change: Some(change), ..update };
    assert!(!subject.operations.begin_update(&update, &instance, true).await?);
    for refused in [&early, &second, &update] {
        assert_eq!(subject.stored_operation(refused).await?, None);
    }
    assert_eq!(subject.state_of(&first).await?, Some(OperationState::Running));
    Ok(())
}

/// The renewal that runs is cancelled, and none begins before the recreation has ended.
pub async fn a_recreation_supersedes_a_renewal_and_none_begins_beside_it(
    subject: &Subject,
) -> PortResult<()> {
    let instance = subject.provisioned(InstanceState::Ready).await?;
    let renewal = subject.renewing(&instance).await?;
    let mut recreation = subject.recreation_of(&instance).await;
    let fresh = std::mem::replace(&mut recreation.id, renewal.id.clone());
    let begun = subject.operator.begin_recreation(&recreation).await;
    assert!(!matches!(begun, Ok(true)), "an operation's id cannot be used twice");
    assert_eq!(subject.state_of(&renewal).await?, Some(OperationState::Running), "whole or not at all");
    recreation.id = fresh;
    assert!(subject.operator.begin_recreation(&recreation).await?);
    assert_eq!(subject.state_of(&renewal).await?, Some(OperationState::Cancelled));
    let next = subject.operation(&instance.id, OperationKind::Renew).await;
    let next = Operation { track: Track::Renewal, ..next };
    assert!(!subject.operations.begin_renewal(&next).await?);
    let claim = subject.claim_of(&recreation).await?;
    assert!(subject.queue.save(&claim, &ended(&recreation), LEASE).await?);
    assert!(subject.operations.begin_renewal(&next).await?);
    Ok(())
}

/// Of many that begin to recreate at the same moment, one hears `true`, the others `false`.
pub async fn of_many_recreations_at_once_one_begins(subject: &Subject) -> PortResult<()> {
    let instance = subject.provisioned(InstanceState::Ready).await?;
    let begun = at_once(|| {
        let (subject, instance) = (subject.clone(), instance.clone());
        async move {
            let recreation = subject.recreation_of(&instance).await;
            let begun = subject.operator.begin_recreation(&recreation).await?;
            Ok((begun, subject.state_of(&recreation).await?))
        }
    })
    .await?;
    assert_eq!(begun.iter().filter(|(begun, _)| *begun).count(), 1, "{begun:?}");
    for (begun, stored) in begun {
        assert_eq!(stored, begun.then_some(OperationState::Running));
    }
    Ok(())
}

/// Whoever deletes an instance does not wait for its recreation.
pub async fn a_deprovision_takes_over_a_recreation(subject: &Subject) -> PortResult<()> {
    let instance = subject.provisioned(InstanceState::Ready).await?;
    let recreation = subject.recreation_of(&instance).await;
    assert!(subject.operator.begin_recreation(&recreation).await?);
    subject.deprovisioning(&instance.id).await?;
    assert_eq!(subject.state_of(&recreation).await?, Some(OperationState::Cancelled));
    Ok(())
}

/// `resume` keeps the step, wipes what went wrong, and puts the instance back where the operation has it.
pub async fn a_failed_operation_goes_on_where_it_was_given_up(subject: &Subject) -> PortResult<()> {
    for (kind, failed, during) in [
        (OperationKind::Provision, InstanceState::ProvisionFailed, InstanceState::Provisioning),
        (OperationKind::Deprovision, InstanceState::DeprovisionFailed, InstanceState::Deprovisioning),
        (OperationKind::Recreate, InstanceState::Ready, InstanceState::Ready),
    ] {
        let (instance, operation) = subject.running(kind).await?;
        subject.fails(&operation, Some(failed)).await?;
        let at = subject.time.now().await;
        assert!(subject.operator.resume(&operation.id, at).await?, "{kind:?}");
        let expected = Operation {
            step: "third-step".into(),
            next_at: at,
            step_since: at,
            started_at: operation.started_at,
            ..operation.clone()
        };
        assert_eq!(subject.stored_operation(&operation).await?.as_ref(), Some(&expected), "{kind:?}");
        let state = subject.stored_instance(&instance.id).await?.map(|found| found.state);
        assert_eq!(state, Some(during), "{kind:?}");
        subject.claim_of(&expected).await?;
        assert!(!subject.operator.resume(&operation.id, at).await?, "it runs already");
    }
    Ok(())
}

impl Subject {
    /// An operation of this kind that runs, and nothing else does.
    async fn running(&self, kind: OperationKind) -> PortResult<(Instance, Operation)> {
        self.idle().await?;
        if kind == OperationKind::Provision {
            return self.provisioning().await;
        }
        let instance = self.provisioned(InstanceState::Ready).await?;
        if kind == OperationKind::Deprovision {
            let deprovision = self.deprovisioning(&instance.id).await?;
            return Ok((instance, deprovision));
        }
        let recreation = self.recreation_of(&instance).await;
        assert!(self.operator.begin_recreation(&recreation).await?);
        Ok((instance, recreation))
    }
}

/// What has ended otherwise, what another operation has followed, and what is unknown is left alone.
pub async fn only_the_newest_that_has_failed_is_resumed(subject: &Subject) -> PortResult<()> {
    let at = subject.time.now().await;
    let (instance, recreation) = subject.running(OperationKind::Recreate).await?;
    subject.fails(&recreation, None).await?;
    let second = subject.recreation_of(&instance).await;
    assert!(subject.operator.begin_recreation(&second).await?);
    assert!(!subject.operator.resume(&recreation.id, at).await?, "another one runs");
    let claim = subject.claim_of(&second).await?;
    assert!(subject.queue.save(&claim, &ended(&second), LEASE).await?);
    subject.queue.release(&claim).await?;
    for one in [&recreation, &second] {
        let before = subject.stored_operation(one).await?;
        assert!(!subject.operator.resume(&one.id, at).await?);
        assert_eq!(subject.stored_operation(one).await?, before);
    }
    let unknown = subject.recreation_of(&instance).await;
    assert!(!subject.operator.resume(&unknown.id, at).await?);
    let renewal = subject.renewing(&instance).await?;
    subject.fails(&renewal, None).await?;
    assert!(!subject.operator.resume(&renewal.id, at).await?, "the next renewal begins by itself");
    let stored = subject.stored_instance(&instance.id).await?;
    assert_eq!(stored, Some(instance), "nothing has happened to it");
    Ok(())
}

/// `cancel` ends what stands at one of the steps, and leaves alone what somebody works on, what stands elsewhere, and what
/// has ended.
pub async fn what_nobody_works_on_is_ended_where_it_stands(subject: &Subject) -> PortResult<()> {
    let (instance, recreation) = subject.running(OperationKind::Recreate).await?;
    let (at, here) = (subject.time.now().await, vec!["other-step".to_owned(), recreation.step.clone()]);
    let cancel =
        async |steps: &[String]| subject.operator.cancel(&recreation.id, steps, &odd_text(), at).await;
    assert!(!cancel(&here[..1]).await?, "it stands elsewhere");
    let claim = subject.claim_of(&recreation).await?;
    assert!(!cancel(&here).await?, "somebody works on it");
    subject.queue.release(&claim).await?;
    assert_eq!(subject.stored_operation(&recreation).await?.as_ref(), Some(&recreation));
    assert!(cancel(&here).await?);
    let expected = Operation {
        state: OperationState::Failed,
        sentence: Some(odd_text()),
        next_at: at,
        ..recreation.clone()
    };
    assert_eq!(subject.stored_operation(&recreation).await?, Some(expected));
    assert_eq!(subject.stored_instance(&instance.id).await?.as_ref(), Some(&instance));
    assert!(!cancel(&here).await?, "it has ended");
    let next = subject.recreation_of(&instance).await;
    assert!(subject.operator.begin_recreation(&next).await?, "its track is free");
    Ok(())
}

/// `of_instance` gives the newest operations of both tracks, and only of this instance.
pub async fn the_operations_of_an_instance_come_newest_first(subject: &Subject) -> PortResult<()> {
    let instance = subject.provisioned(InstanceState::Ready).await?;
    let renewal = subject.renewing(&instance).await?;
    let recreation = subject.recreation_of(&instance).await;
    assert!(subject.operator.begin_recreation(&recreation).await?);
    subject.provisioning().await?;
    let all = subject.operator.of_instance(&instance.id, 10).await?;
    assert_eq!(all.iter().map(|one| &one.id).take(2).collect::<Vec<_>>(), [&recreation.id, &renewal.id]);
    assert_eq!(
        all.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [OperationKind::Recreate, OperationKind::Renew, OperationKind::Provision]
    );
    assert_eq!(subject.operator.of_instance(&instance.id, 2).await?, all[..2]);
    Ok(())
}

/// A reference whose distribution is lost gives way to the next one once, and what is learnt about it later is not kept.
pub async fn a_spent_reference_is_replaced_once(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let (id, spent) = (&instance.id, &instance.reference);
    let (lost, found) = (DistributionId::new("E1LOST"), DistributionId::new("E2FOUND"));
    subject.instances.record_distribution(id, spent, &lost, "d1.cloudfront.net").await?;
    let next = Reference::new(format!("{spent}.2"));
    for _ in 0..2 {
        subject.instances.replace_reference(id, spent, &next).await?;
        let expected = Instance { reference: next.clone(), ..instance.clone() };
        assert_eq!(subject.stored_instance(id).await?, Some(expected));
    }
    subject.instances.record_distribution(id, spent, &lost, "d1.cloudfront.net").await?;
    subject.instances.record_distribution(id, &next, &found, "d2.cloudfront.net").await?;
    subject.instances.replace_reference(id, spent, &Reference::new("never")).await?;
    let expected = Instance {
        reference: next,
        distribution: Some(found),
        distribution_domain: Some("d2.cloudfront.net".into()),
        ..instance.clone()
    };
    assert_eq!(subject.stored_instance(id).await?, Some(expected));
    Ok(())
}
