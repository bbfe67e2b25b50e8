//! The promises of [`OverviewStore`](crate::OverviewStore).

use std::time::Duration;

use super::{Subject, ended};
use crate::testing::sample;
use crate::{
    CertificateRecord, CertificateState, InstanceState, IssuanceId, OperationKind, Overview, PortResult,
    VaultName,
};

/// What is counted grows by what is added, and nothing is counted twice.
pub async fn everything_is_counted(subject: &Subject) -> PortResult<()> {
    let before = subject.overview.overview().await?;
    let step = subject.fresh("step");
    for _ in 0..2 {
        let (instance, operation) = subject.draft().await;
        let operation = crate::Operation { step: step.clone(), ..operation };
        subject.instances.create(&instance, &operation).await?;
    }
    let after = subject.overview.overview().await?;
    let provisioning = |overview: &Overview| count(overview, InstanceState::Provisioning);
    assert_eq!(provisioning(&after), provisioning(&before) + 2);
    let standing: Vec<_> = after.running.iter().filter(|group| group.step == step).collect();
    let [group] = &standing[..] else { panic!("{standing:?}") };
    assert_eq!((group.kind, group.count, &group.waits_for), (OperationKind::Provision, 2, &None));
    Ok(())
}

/// The certificates that are served are counted, by their end; an operation that has ended runs no more.
pub async fn what_is_served_and_what_runs_is_told_apart(subject: &Subject) -> PortResult<()> {
    subject.idle().await?;
    let (instance, operation) = subject.provisioning().await?;
    let now = subject.time.now().await;
    let before = subject.overview.overview().await?;
    let claim = subject.claim_of(&operation).await?;
    subject.queue.save(&claim, &ended(&operation), Duration::from_mins(1)).await?;
    subject.queue.release(&claim).await?;
    let names = sample::names(&["www.example.org"]);
    let facts = sample::bundle(1, &names, now).facts;
    let record = CertificateRecord {
        instance: instance.id.clone(),
        incarnation: 1,
        generation: 1,
        issuance: IssuanceId::new(subject.fresh("issuance")),
        vault_name: VaultName::new(subject.fresh("vault")),
        stored: None,
        facts: Some(facts.clone()),
        state: CertificateState::Pending,
        names,
        keyless: false,
    };
    subject.certificates.put(&record).await?;
    assert_eq!(subject.overview.overview().await?.ends, before.ends, "it is not served yet");
    subject.certificates.make_live(&record).await?;
    let after = subject.overview.overview().await?;
    assert_eq!(after.ends.len(), before.ends.len() + 1);
    assert!(after.ends.contains(&facts.not_after) && after.ends.is_sorted());
    let runs = |overview: &Overview| overview.running.iter().map(|group| group.count).sum::<i64>();
    assert_eq!(runs(&after) + 1, runs(&before));
    Ok(())
}

fn count(overview: &Overview, state: InstanceState) -> i64 {
    overview.instances.iter().find(|(one, _)| *one == state).map_or(0, |(_, count)| *count)
}
