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

fn working(census: &Census, condition: Condition) -> (u64, Option<Timestamp>) {
    let is_wanted =
        |one: &&crate::OperationCount| one.kind == OperationKind::Provision && one.condition == condition;
    let found = census.operations.iter().find(is_wanted);
    (found.map_or(0, |one| one.count), found.map(|one| one.oldest))
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
