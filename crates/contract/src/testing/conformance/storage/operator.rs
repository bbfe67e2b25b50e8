//! The promises of [`OperatorStore`](crate::OperatorStore) to those who look: lists of operations, and who is at work.

use super::{LEASE, Subject, ended};
use crate::{
    InstanceId, InstanceState, Operation, OperationFilter, OperationId, OperationKind, OperationState,
    PortResult, RenewalPlan, Timestamp,
};

impl Subject {
    /// Everything that is meant, read in pages of two.
    async fn in_pages(&self, filter: &OperationFilter) -> PortResult<Vec<OperationId>> {
        let mut all: Vec<OperationId> = Vec::new();
        loop {
            let page = self.operator.list(filter, all.last().cloned(), 2).await?;
            if page.is_empty() {
                return Ok(all);
            }
            assert!(page.len() <= 2, "a page is no longer than asked for");
            all.extend(page.into_iter().map(|one| one.id));
        }
    }
}

/// `list` gives every operation once, the newest first, however short the pages are.
pub async fn operations_are_listed_page_by_page(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let mut expected = Vec::new();
    for _ in 0..3 {
        let (instance, provision) = subject.provisioning().await?;
        let deprovision = subject.deprovisioning(&instance.id).await?;
        expected.extend([provision.id, deprovision.id]);
    }
    expected.reverse();
    let all = subject.in_pages(&OperationFilter::default()).await?;
    assert_eq!(all.get(..6), Some(&expected[..]));
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), all.len(), "nothing is given twice");
    let unknown = OperationId::new(subject.fresh("unknown"));
    assert_eq!(subject.operator.list(&OperationFilter::default(), Some(unknown), 2).await?, []);
    Ok(())
}

/// A filter leaves out what is not meant, and pages go on behind what was left out.
pub async fn operations_are_filtered(subject: &Subject) -> PortResult<()> {
    let mut instances = Vec::new();
    for _ in 0..3 {
        let (instance, provision) = subject.provisioning().await?;
        let deprovision = subject.deprovisioning(&instance.id).await?;
        instances.push((instance.id, provision, deprovision));
    }
    let (id, provision, deprovision) = &instances[1];
    let of_one = OperationFilter { instance: Some(id.clone()), ..OperationFilter::default() };
    assert_eq!(subject.in_pages(&of_one).await?, [deprovision.id.clone(), provision.id.clone()]);
    let cancelled = OperationFilter { state: Some(OperationState::Cancelled), ..of_one.clone() };
    let listed = subject.operator.list(&cancelled, None, 9).await?;
    assert_eq!(listed, [Operation { state: OperationState::Cancelled, ..provision.clone() }]);
    let deprovisions =
        OperationFilter { kind: Some(OperationKind::Deprovision), ..OperationFilter::default() };
    let newest: Vec<OperationId> = instances.iter().rev().map(|(_, _, one)| one.id.clone()).collect();
    assert_eq!(subject.in_pages(&deprovisions).await?.get(..3), Some(&newest[..]));
    let none = OperationFilter { kind: Some(OperationKind::Recreate), ..of_one };
    assert_eq!(subject.in_pages(&none).await?, []);
    Ok(())
}

/// `leased_until` says until when somebody works on an instance, and nothing when nobody does.
pub async fn who_is_at_work_is_known(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, provision) = subject.provisioning().await?;
    let leased = async || subject.operator.leased_until(&instance.id).await;
    assert_eq!(leased().await?, None);
    let claim = subject.claim_of(&provision).await?;
    assert!(leased().await?.is_some_and(|until| until > Timestamp::default()));
    subject.time.pass(LEASE + LEASE).await;
    assert_eq!(leased().await?, None, "the lease has run out");
    assert!(subject.queue.save(&claim, &ended(&provision), LEASE).await?);
    assert!(leased().await?.is_some());
    subject.queue.release(&claim).await?;
    assert_eq!(leased().await?, None);
    let unknown = InstanceId::new(subject.fresh("unknown"));
    assert_eq!(subject.operator.leased_until(&unknown).await?, None);
    Ok(())
}

/// `forget` leaves nothing of an instance but a tombstone, and gives its names back; others work on undisturbed.
pub async fn an_instance_is_forgotten_whole(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, provision) = subject.provisioning().await?;
    let plan = RenewalPlan::first(&instance.id, 1, 1, subject.time.now().await);
    subject.renewals.ensure(&plan).await?;
    let name = crate::testing::sample::name(&format!("{}.example.org", subject.fresh("forgotten")));
    assert_eq!(subject.domains.claim(&instance.id, 1, std::slice::from_ref(&name)).await?, []);
    let ended = subject.operation(&instance.id, OperationKind::Deprovision).await;
    let ended = Operation { state: OperationState::Succeeded, ..ended };
    let claim = subject.claim_of(&provision).await?;
    assert!(!subject.operator.forget(&ended).await?, "somebody is at work");
    assert_eq!(subject.stored_operation(&ended).await?, None);
    subject.queue.release(&claim).await?;
    assert!(subject.operator.forget(&ended).await?);
    assert_eq!(subject.stored_operation(&ended).await?.as_ref(), Some(&ended));
    let left = subject.stored_instance(&instance.id).await?.map(|found| found.state);
    assert_eq!(left, Some(InstanceState::Gone));
    let cancelled = subject.stored_operation(&provision).await?.map(|found| found.state);
    assert_eq!(cancelled, Some(OperationState::Cancelled));
    assert_eq!(subject.domains.of_instance(&instance.id).await?, []);
    assert_eq!(subject.renewals.of_instance(&instance.id).await?, None);
    let again = subject.operation(&instance.id, OperationKind::Deprovision).await;
    assert!(!subject.operator.forget(&again).await?, "it is gone");
    let (unknown, _) = subject.draft().await;
    let nobody = subject.operation(&unknown.id, OperationKind::Deprovision).await;
    assert!(!subject.operator.forget(&nobody).await?);
    Ok(())
}
