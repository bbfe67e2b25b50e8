//! The promises about updates: [`OperationStore::begin_update`](crate::OperationStore::begin_update), and the change that
//! the instance takes over with the end of its operation.

use super::{LEASE, Subject, at_once, ended, odd_text, unmoved};
use crate::testing::sample;
use crate::{
    Change, Cursor, Instance, InstanceState, Operation, OperationKind, OperationState, PortResult, Track,
};

const OTHER_DOMAINS: [&str; 2] = ["www.example.org", "new.example.org"];

/// An update is stored whole, and the instance stays as it is.
pub async fn an_update_begins_and_leaves_the_instance(subject: &Subject) -> PortResult<()> {
    let instance = ready(subject).await?;
    let mut update = update(subject, &instance).await;
    if let Some(change) = &mut update.change {
        change.parameters = odd_text();
        change.sent = odd_text();
        change.context = odd_text();
        change.invalidate = vec!["/*".into(), odd_text()];
        change.identity = None;
    }
    assert!(subject.operations.begin_update(&update, &instance, true).await?);
    assert_eq!(subject.stored_operation(&update).await?.as_ref(), Some(&update));
    assert_eq!(subject.latest(&instance.id).await?, Some(update));
    assert_eq!(subject.stored_instance(&instance.id).await?, Some(instance));
    Ok(())
}

/// `begin_update` answers `false` in every other state, while the user's operation runs, and when the instance has become
/// another one since it was looked at; nothing is stored then.
pub async fn an_update_needs_an_idle_instance_as_it_was_seen(subject: &Subject) -> PortResult<()> {
    let (provisioning, _) = subject.provisioning().await?;
    let unknown = subject.draft().await.0;
    let (failed, _) = in_state(subject, InstanceState::ProvisionFailed).await?;
    let updating = ready(subject).await?;
    let first = update(subject, &updating).await;
    assert!(subject.operations.begin_update(&first, &updating, false).await?);
    for instance in [&provisioning, &unknown, &failed, &updating] {
        let update = update(subject, instance).await;
        assert!(!subject.operations.begin_update(&update, instance, true).await?, "{:?}", instance.state);
        assert_eq!(subject.stored_operation(&update).await?, None);
    }
    assert_eq!(subject.stored_operation(&first).await?.as_ref(), Some(&first));

    let instance = ready(subject).await?;
    let (mut parameters, mut plan) = (instance.clone(), instance.clone());
    parameters.request.parameters.push(' ');
    plan.request.plan_id.push('x');
    for seen in [parameters, plan] {
        let update = update(subject, &instance).await;
        assert!(!subject.operations.begin_update(&update, &seen, true).await?);
        assert_eq!(subject.stored_operation(&update).await?, None);
    }
    Ok(())
}

/// A renewal goes on beside an update, unless it is superseded.
pub async fn an_update_supersedes_a_renewal_only_when_told(subject: &Subject) -> PortResult<()> {
    for supersede in [false, true] {
        let (instance, renewal) = subject.draft().await;
        let instance = Instance { state: InstanceState::Ready, ..instance };
        let renewal = Operation { track: Track::Renewal, ..renewal };
        subject.instances.create(&instance, &renewal).await?;
        let update = update(subject, &instance).await;
        assert!(subject.operations.begin_update(&update, &instance, supersede).await?);
        let expected = if supersede { OperationState::Cancelled } else { OperationState::Running };
        let renewal = subject.stored_operation(&renewal).await?.map(|renewal| renewal.state);
        assert_eq!(renewal, Some(expected));
        let update = subject.stored_operation(&update).await?.map(|update| update.state);
        assert_eq!(update, Some(OperationState::Running));
    }
    Ok(())
}

/// Of many that begin to update at the same moment, one hears `true`, the others `false`.
pub async fn of_many_updates_at_once_one_begins(subject: &Subject) -> PortResult<()> {
    let instance = ready(subject).await?;
    let begun = at_once(|| {
        let (subject, instance) = (subject.clone(), instance.clone());
        async move {
            let update = update(&subject, &instance).await;
            let begun = subject.operations.begin_update(&update, &instance, true).await?;
            Ok((begun, subject.stored_operation(&update).await?.map(|stored| stored.state)))
        }
    })
    .await?;
    assert_eq!(begun.iter().filter(|(begun, _)| *begun).count(), 1, "{begun:?}");
    for (begun, stored) in begun {
        assert_eq!(stored, begun.then_some(OperationState::Running));
    }
    Ok(())
}

/// When the update operation cannot be stored, the renewal is not cancelled.
pub async fn an_update_begins_whole_or_not_at_all(subject: &Subject) -> PortResult<()> {
    let (instance, renewal) = subject.draft().await;
    let instance = Instance { state: InstanceState::Ready, ..instance };
    let renewal = Operation { track: Track::Renewal, ..renewal };
    subject.instances.create(&instance, &renewal).await?;
    let mut update = update(subject, &instance).await;
    update.id = renewal.id.clone();
    let begun = subject.operations.begin_update(&update, &instance, true).await;
    assert!(!matches!(begun, Ok(true)), "an operation's id cannot be used twice");
    assert_eq!(subject.stored_operation(&renewal).await?, Some(renewal));
    Ok(())
}

/// The instance takes the change over when the cursor says so, in the same write; an end without success, or a step in
/// between, leaves it as it was.
pub async fn a_change_is_adopted_with_the_end_of_its_operation(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    for adopt in [false, true] {
        let (instance, update, change) = begun(subject, |_| {}).await?;
        let claim = subject.claim_of(&update).await?;
        assert!(subject.queue.save(&claim, &unmoved(&update), LEASE).await?);
        assert_eq!(subject.stored_instance(&instance.id).await?.as_ref(), Some(&instance));
        let end = Cursor { adopt, ..ended(&update) };
        assert!(subject.queue.save(&claim, &end, LEASE).await?);
        let mut expected = instance.clone();
        if adopt {
            expected.settings = change.settings;
            expected.request.plan_id = change.plan_id;
            expected.request.parameters = change.parameters;
            expected.request.context = change.context;
        }
        assert_eq!(subject.stored_instance(&instance.id).await?, Some(expected));
    }
    Ok(())
}

/// A platform that sends no context leaves the one it has sent before.
pub async fn a_change_without_a_context_leaves_the_context(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, update, change) = begun(subject, |change| change.context = "{}".into()).await?;
    let claim = subject.claim_of(&update).await?;
    assert!(subject.queue.save(&claim, &Cursor { adopt: true, ..ended(&update) }, LEASE).await?);
    let stored = subject.stored_instance(&instance.id).await?;
    let found = stored.map(|stored| (stored.request.context, stored.settings));
    assert_eq!(found, Some((instance.request.context, change.settings)));
    Ok(())
}

/// A deprovision has taken over: whoever still ends the update changes nothing.
pub async fn a_lost_lease_adopts_nothing(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, update, _) = begun(subject, |_| {}).await?;
    let claim = subject.claim_of(&update).await?;
    subject.deprovisioning(&instance.id).await?;
    assert!(!subject.queue.save(&claim, &Cursor { adopt: true, ..ended(&update) }, LEASE).await?);
    let stored = subject.stored_instance(&instance.id).await?;
    let found = stored.map(|stored| (stored.state, stored.settings, stored.request));
    assert_eq!(found, Some((InstanceState::Deprovisioning, instance.settings, instance.request)));
    Ok(())
}

/// `hasten` brings forward what waits on its track, and leaves alone what is due already or backs off after a failure.
pub async fn what_waits_is_hastened_and_what_failed_is_not(subject: &Subject) -> PortResult<()> {
    let now = subject.time.now().await;
    let other = |track| if track == Track::User { Track::Renewal } else { Track::User };
    for (track, hastened, attempt, due, expected) in
        [Track::User, Track::Renewal].into_iter().flat_map(|track| {
            [
                (track, track, 0, now + LEASE, now),
                (track, track, 0, now - LEASE, now - LEASE),
                (track, track, 1, now + LEASE, now + LEASE),
                (track, other(track), 0, now + LEASE, now + LEASE),
            ]
        })
    {
        let (instance, operation) = subject.draft().await;
        let operation = Operation { track, attempt, next_at: due, ..operation };
        subject.instances.create(&instance, &operation).await?;
        subject.operations.hasten(&instance.id, hastened, now).await?;
        let stored = subject.stored_operation(&operation).await?;
        assert_eq!(stored, Some(Operation { next_at: expected, ..operation }));
    }
    let idle = ready(subject).await?;
    subject.operations.hasten(&idle.id, Track::Renewal, now).await
}

/// A stored instance on which nothing runs.
async fn ready(subject: &Subject) -> PortResult<Instance> {
    Ok(in_state(subject, InstanceState::Ready).await?.0)
}

async fn in_state(subject: &Subject, state: InstanceState) -> PortResult<(Instance, Operation)> {
    let (instance, provision) = subject.draft().await;
    let instance = Instance { state, ..instance };
    let provision = Operation { state: OperationState::Succeeded, ..provision };
    subject.instances.create(&instance, &provision).await?;
    Ok((instance, provision))
}

/// An update of an instance; it is not stored.
async fn update(subject: &Subject, instance: &Instance) -> Operation {
    let operation = subject.operation(&instance.id, OperationKind::Update).await;
    Operation { change: Some(sample::change(instance, &OTHER_DOMAINS)), ..operation }
}

/// A ready instance with an update that runs, and what it changes.
async fn begun(
    subject: &Subject,
    adjust: impl FnOnce(&mut Change),
) -> PortResult<(Instance, Operation, Change)> {
    let instance = ready(subject).await?;
    let mut change = sample::change(&instance, &OTHER_DOMAINS);
    change.plan_id = "another-plan".into();
    change.context = r#"{"instance_name":"renamed"}"#.into();
    adjust(&mut change);
    let operation = subject.operation(&instance.id, OperationKind::Update).await;
    let operation = Operation { change: Some(change.clone()), ..operation };
    assert!(subject.operations.begin_update(&operation, &instance, false).await?);
    Ok((instance, operation, change))
}
