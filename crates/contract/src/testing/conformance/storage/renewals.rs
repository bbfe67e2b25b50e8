//! The promises of [`RenewalStore`](crate::RenewalStore) and of what begins a renewal.

use std::time::Duration;

use super::{LEASE, Subject, at_once, ended};
use crate::testing::sample;
use crate::{
    ChosenMoment, Cursor, Instance, InstanceState, Operation, OperationKind, OperationState, PortResult,
    RenewalPlan, Track,
};

const PUT_OFF: Duration = Duration::from_mins(5);

impl Subject {
    /// A stored instance that serves.
    async fn ready(&self) -> PortResult<Instance> {
        self.idle().await?;
        let (instance, provision) = self.provisioning().await?;
        let claim = self.claim_of(&provision).await?;
        let ready = Cursor { instance_state: Some(InstanceState::Ready), ..ended(&provision) };
        assert!(self.queue.save(&claim, &ready, LEASE).await?);
        self.queue.release(&claim).await?;
        Ok(Instance { state: InstanceState::Ready, ..instance })
    }

    async fn renewal_of(&self, instance: &Instance) -> Operation {
        let operation = self.operation(&instance.id, OperationKind::Renew).await;
        Operation { track: Track::Renewal, ..operation }
    }

    /// A plan for an instance that is due now; nothing else is due.
    async fn planned(&self) -> PortResult<RenewalPlan> {
        let instance = self.ready().await?;
        let far = self.time.now().await + Duration::from_hours(24 * 365);
        while !self.renewals.take_due(far, PUT_OFF, 100).await?.is_empty() {}
        let plan = RenewalPlan::first(&instance.id, 1, 1, self.time.now().await);
        self.renewals.ensure(&plan).await?;
        Ok(plan)
    }
}

/// `begin_renewal` stores the operation beside nothing, and the user's track does not show it.
pub async fn a_renewal_begins_on_its_own_track(subject: &Subject) -> PortResult<()> {
    let instance = subject.ready().await?;
    let before = subject.latest(&instance.id).await?;
    let renewal = subject.renewal_of(&instance).await;
    assert_eq!(subject.operations.newest(&instance.id, Track::Renewal).await?, None);
    assert!(subject.operations.begin_renewal(&renewal).await?);
    assert_eq!(subject.operations.newest(&instance.id, Track::Renewal).await?.as_ref(), Some(&renewal));
    assert_eq!(subject.operations.newest(&instance.id, Track::User).await?, before);
    assert_eq!(subject.stored_operation(&renewal).await?.as_ref(), Some(&renewal));
    assert_eq!(subject.latest(&instance.id).await?, before);
    assert_eq!(subject.stored_instance(&instance.id).await?, Some(instance));
    Ok(())
}

/// Nothing is renewed that is not ready, or is being renewed.
pub async fn a_renewal_begins_only_where_none_runs(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let renewal = subject.renewal_of(&instance).await;
    assert!(!subject.operations.begin_renewal(&renewal).await?, "it is being provisioned");
    let instance = subject.ready().await?;
    let first = subject.renewal_of(&instance).await;
    assert!(subject.operations.begin_renewal(&first).await?);
    let second = subject.renewal_of(&instance).await;
    assert!(!subject.operations.begin_renewal(&second).await?, "one runs already");
    assert_eq!(subject.stored_operation(&second).await?, None);
    let deprovision = subject.deprovisioning(&instance.id).await?;
    let state = subject.stored_operation(&first).await?.map(|stored| stored.state);
    assert_eq!(state, Some(OperationState::Cancelled), "a deprovision takes over");
    let third = subject.renewal_of(&instance).await;
    assert!(!subject.operations.begin_renewal(&third).await?, "it is being taken down");
    assert_eq!(subject.latest(&instance.id).await?, Some(deprovision));
    Ok(())
}

/// A renewal goes on beside an update, unless that one brings a certificate of its own.
pub async fn a_renewal_gives_way_to_an_update_with_a_certificate(subject: &Subject) -> PortResult<()> {
    for needs_certificate in [false, true] {
        let instance = subject.ready().await?;
        let mut change = sample::change(&instance, &["www.example.org"]);
        change.needs_certificate = needs_certificate;
        let update = subject.operation(&instance.id, OperationKind::Update).await;
        let update = Operation { change: Some(change), ..update };
        assert!(subject.operations.begin_update(&update, &instance, true).await?);
        let renewal = subject.renewal_of(&instance).await;
        assert_eq!(subject.operations.begin_renewal(&renewal).await?, !needs_certificate);
        let state = subject.stored_operation(&update).await?.map(|stored| stored.state);
        assert_eq!(state, Some(OperationState::Running));
    }
    Ok(())
}

/// Of many that begin a renewal at the same moment, one hears `true`.
pub async fn of_many_renewals_at_once_one_begins(subject: &Subject) -> PortResult<()> {
    let instance = subject.ready().await?;
    let begun = at_once(|| {
        let (subject, instance) = (subject.clone(), instance.clone());
        async move {
            let renewal = subject.renewal_of(&instance).await;
            subject.operations.begin_renewal(&renewal).await
        }
    })
    .await?;
    assert_eq!(begun.iter().filter(|begun| **begun).count(), 1, "{begun:?}");
    Ok(())
}

/// A plan comes back as written, and the first plan for a certificate stays when it is stored again.
pub async fn a_plan_is_kept(subject: &Subject) -> PortResult<()> {
    let first = subject.planned().await?;
    let now = first.check_at;
    let chosen = ChosenMoment { from: now + LEASE, until: now + LEASE * 3, at: now + LEASE * 2 };
    let plan =
        RenewalPlan { chosen: Some(chosen), check_at: chosen.at, begun: 3, warned: 2, ..first.clone() };
    assert!(subject.renewals.keep(&plan).await?);
    assert_eq!(subject.renewals.of_instance(&plan.instance).await?.as_ref(), Some(&plan));
    subject.renewals.ensure(&first).await?;
    assert_eq!(subject.renewals.of_instance(&plan.instance).await?, Some(plan));
    Ok(())
}

/// The plan for the next certificate takes the place of the one before, which can no longer be written to.
pub async fn a_successor_has_a_plan_of_its_own(subject: &Subject) -> PortResult<()> {
    let old = subject.planned().await?;
    let new = RenewalPlan { generation: 2, ..old.clone() };
    subject.renewals.ensure(&new).await?;
    assert!(!subject.renewals.keep(&RenewalPlan { warned: 3, ..old.clone() }).await?);
    subject.renewals.forget(&old).await?;
    assert_eq!(subject.renewals.of_instance(&new.instance).await?.as_ref(), Some(&new));
    subject.renewals.forget(&new).await?;
    subject.renewals.forget(&new).await?;
    assert_eq!(subject.renewals.of_instance(&new.instance).await?, None);
    assert!(!subject.renewals.keep(&new).await?, "what is forgotten stays so");
    Ok(())
}

/// A due plan is taken once and falls due again; what is not due is left alone.
pub async fn a_due_plan_is_taken_once(subject: &Subject) -> PortResult<()> {
    let plan = subject.planned().await?;
    let now = plan.check_at;
    let before = now - Duration::from_millis(1);
    assert_eq!(subject.renewals.take_due(before, PUT_OFF, 10).await?, []);
    assert!(subject.renewals.next_check().await? <= Some(now));
    let taken = RenewalPlan { check_at: now + PUT_OFF, ..plan };
    assert_eq!(subject.renewals.take_due(now, PUT_OFF, 10).await?, std::slice::from_ref(&taken));
    assert_eq!(subject.renewals.take_due(now, PUT_OFF, 10).await?, []);
    let again = RenewalPlan { check_at: now + PUT_OFF * 2, ..taken };
    assert_eq!(subject.renewals.take_due(now + PUT_OFF, PUT_OFF, 10).await?, [again]);
    Ok(())
}

/// Several brokers share what is due: each plan goes to one of them.
pub async fn brokers_share_due_plans(subject: &Subject) -> PortResult<()> {
    let mut due = vec![subject.planned().await?.instance];
    for _ in 0..5 {
        let instance = subject.ready().await?;
        let plan = RenewalPlan::first(&instance.id, 1, 1, subject.time.now().await);
        subject.renewals.ensure(&plan).await?;
        due.push(instance.id);
    }
    let now = subject.time.now().await;
    let taken = at_once(|| {
        let subject = subject.clone();
        async move {
            let mut mine = Vec::new();
            loop {
                let taken = subject.renewals.take_due(now, PUT_OFF, 2).await?;
                if taken.is_empty() {
                    return Ok(mine);
                }
                mine.extend(taken.into_iter().map(|plan| plan.instance));
            }
        }
    })
    .await?;
    let mut taken: Vec<_> = taken.into_iter().flatten().collect();
    taken.sort();
    due.sort();
    assert_eq!(taken, due);
    Ok(())
}
