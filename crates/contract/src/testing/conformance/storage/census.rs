//! The promises of [`CensusStore`](crate::CensusStore).

use std::time::Duration;

use super::{LEASE, Subject, unmoved};
use crate::testing::sample;
use crate::{
    Census, CertificateRecord, CertificateState, Condition, Cursor, InstanceState, IssuanceId, OperationKind,
    PortResult, Timestamp, VaultName,
};

const DAY: Duration = Duration::from_hours(24);

async fn census(subject: &Subject) -> PortResult<Census> {
    subject.census.census(subject.time.now().await, &[DAY, DAY * 30]).await
}

/// How many provisions are in this condition, and when the oldest of them was accepted.
fn working(census: &Census, condition: Condition) -> (u64, Option<Timestamp>) {
    let is_wanted =
        |one: &&crate::OperationCount| one.kind == OperationKind::Provision && one.condition == condition;
    let found = || census.operations.iter().filter(is_wanted);
    (found().map(|one| one.count).sum(), found().map(|one| one.oldest).min())
}

fn instances(census: &Census, state: InstanceState) -> u64 {
    census.instances.iter().find(|(known, _)| *known == state).map_or(0, |(_, count)| *count)
}

/// Operations are counted by what they are doing, instances by state, certificates by how soon they expire, and leases
/// while they are held. What was there before is counted as well, so that only differences are looked at.
pub async fn what_is_there_is_counted(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let before = census(subject).await?;
    assert_eq!(before.operations, [], "nothing runs");
    let (instance, operation) = subject.provisioning().await?;
    let claim = subject.claim_of(&operation).await?;
    let during = census(subject).await?;
    assert_eq!(working(&during, Condition::Working), (1, Some(operation.started_at)));
    assert_eq!(during.leases, before.leases + 1);
    let state = InstanceState::Provisioning;
    assert_eq!(instances(&during, state), instances(&before, state) + 1);
    let failed = Cursor { attempt: 1, error: Some("no".into()), ..unmoved(&operation) };
    assert!(subject.queue.save(&claim, &failed, LEASE).await?);
    assert_eq!(working(&census(subject).await?, Condition::Retrying).0, 1);
    let parked = Cursor { waits_for: Some(subject.fresh("vault")), ..failed };
    assert!(subject.queue.save(&claim, &parked, LEASE).await?);
    let parked = census(subject).await?;
    assert_eq!((working(&parked, Condition::Parked).0, working(&parked, Condition::Retrying).0), (1, 0));
    subject.queue.release(&claim).await?;
    assert_eq!(census(subject).await?.leases, before.leases);
    certificates(subject, &before, &instance).await
}

/// Operations are counted together only if they are of one kind, stand at one step, are in one condition and wait for the
/// same; one that has ended runs no more.
pub async fn what_runs_is_counted_by_what_it_stands_at(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (step, scope) = (subject.fresh("step"), subject.fresh("scope"));
    for _ in 0..2 {
        let (instance, operation) = subject.draft().await;
        subject.instances.create(&instance, &crate::Operation { step: step.clone(), ..operation }).await?;
    }
    let standing = |census: Census| -> Vec<_> {
        let at_step = census.operations.into_iter().filter(|one| one.step == step);
        at_step.map(|one| (one.kind, one.condition, one.waits_for, one.count)).collect()
    };
    let provision = OperationKind::Provision;
    assert_eq!(standing(census(subject).await?), [(provision, Condition::Working, None, 2)]);
    let Some(claim) = subject.claim().await? else { panic!("nothing is due") };
    let parked = Cursor { waits_for: Some(scope.clone()), ..unmoved(&claim.operation) };
    assert!(subject.queue.save(&claim, &parked, LEASE).await?);
    let mut seen = standing(census(subject).await?);
    seen.sort_by_key(|(_, condition, ..)| *condition);
    let working = (provision, Condition::Working, None, 1);
    assert_eq!(seen, [working.clone(), (provision, Condition::Parked, Some(scope), 1)]);
    assert!(subject.queue.save(&claim, &super::ended(&claim.operation), LEASE).await?);
    subject.queue.release(&claim).await?;
    assert_eq!(standing(census(subject).await?), [working]);
    Ok(())
}

async fn certificates(subject: &Subject, before: &Census, instance: &crate::Instance) -> PortResult<()> {
    let made = subject.time.now().await - DAY * 80;
    let record = CertificateRecord {
        instance: instance.id.clone(),
        incarnation: 1,
        generation: 1,
        names: instance.settings.domains.clone(),
        issuance: IssuanceId::new(subject.fresh("issuance")),
        vault_name: VaultName::new(subject.fresh("vault-name")),
        stored: None,
        state: CertificateState::Stored,
        facts: Some(sample::bundle(1, &instance.settings.domains, made).facts),
        keyless: false,
    };
    subject.certificates.put(&record).await?;
    assert_eq!(census(subject).await?.certificates, before.certificates, "it is not served");
    subject.certificates.make_live(&record).await?;
    let after = census(subject).await?;
    assert_eq!(after.certificates, before.certificates + 1);
    let more: Vec<u64> =
        after.expiring.iter().zip(&before.expiring).map(|((_, now), (_, then))| now - then).collect();
    assert_eq!(more, [0, 1], "it has ten of its ninety days left");
    let expiry = record.facts.map(|facts| facts.not_after);
    assert!(after.next_expiry <= expiry && after.next_expiry.is_some());
    Ok(())
}
