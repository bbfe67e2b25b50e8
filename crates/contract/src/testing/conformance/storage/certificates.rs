//! The promises of [`CertificateStore`](crate::CertificateStore).

use std::time::Duration;

use super::Subject;
use crate::testing::sample;
use crate::{
    CertificateRecord, CertificateState, InstanceId, IssuanceId, PortResult, StoredCertificate, Timestamp,
    VaultName,
};

/// `put` writes a record, and replaces the one of the same generation.
pub async fn a_certificate_is_put_and_replaced(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let pending = record(&instance.id, 1, 1);
    subject.certificates.put(&pending).await?;
    assert_eq!(subject.certificates.of_instance(&instance.id, 1).await?, std::slice::from_ref(&pending));

    let not_before = Timestamp::from_secs(1_767_225_600);
    let stored = CertificateRecord {
        stored: Some(StoredCertificate::new("ASCAEXAMPLE")),
        facts: Some(sample::bundle(u64::MAX, &instance.settings.domains, not_before).facts),
        state: CertificateState::Stored,
        keyless: true,
        ..pending
    };
    for state in [CertificateState::Stored, CertificateState::Live, CertificateState::Retired] {
        let record = CertificateRecord { state, ..stored.clone() };
        subject.certificates.put(&record).await?;
        assert_eq!(subject.certificates.of_instance(&instance.id, 1).await?, [record]);
    }
    let removed = CertificateRecord { stored: None, state: CertificateState::Removed, ..stored };
    subject.certificates.put(&removed).await?;
    assert_eq!(subject.certificates.of_instance(&instance.id, 1).await?, [removed]);
    Ok(())
}

/// `named` finds a certificate by its name in the vault, whatever has become of it and of its incarnation.
pub async fn a_certificate_is_found_by_its_name_in_the_vault(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let [first, second] = [1, 2].map(|generation| record(&instance.id, 1, generation));
    let removed = CertificateRecord { state: CertificateState::Removed, ..first };
    for record in [&removed, &second] {
        subject.certificates.put(record).await?;
        assert_eq!(subject.certificates.named(&record.vault_name).await?.as_ref(), Some(record));
    }
    let unknown = VaultName::new(subject.fresh("unknown"));
    assert_eq!(subject.certificates.named(&unknown).await?, None);
    Ok(())
}

/// `expiring` gives what is live and expires before a moment, the first to expire first.
pub async fn what_expires_first_is_found(subject: &Subject) -> PortResult<()> {
    let start = Timestamp::from_secs(1_767_225_600);
    let mut records = Vec::new();
    for (number, state) in
        [(3, CertificateState::Live), (1, CertificateState::Live), (2, CertificateState::Retired)]
    {
        let (instance, _) = subject.provisioning().await?;
        let from = start - Duration::from_hours(24 * 365 * 20) + Duration::from_hours(number);
        let facts = Some(sample::bundle(number, &instance.settings.domains, from).facts);
        let record = CertificateRecord { facts, state, ..record(&instance.id, 1, 1) };
        subject.certificates.put(&record).await?;
        records.push(record);
    }
    let [later, first, _] = records.try_into().unwrap_or_else(|_| unreachable!("there are three"));
    let end = |record: &CertificateRecord| record.facts.as_ref().map_or(start, |facts| facts.not_after);
    let just_after = end(&later) + Duration::from_millis(1);
    let both = subject.certificates.expiring(just_after, 100).await?;
    assert_eq!(both, [first.clone(), later.clone()]);
    assert_eq!(subject.certificates.expiring(just_after, 1).await?, std::slice::from_ref(&first));
    assert_eq!(subject.certificates.expiring(end(&later), 100).await?, [first]);
    Ok(())
}

/// `list` gives every certificate once, those of one instance in the order of their lives, however short the pages are.
pub async fn all_certificates_are_listed_page_by_page(subject: &Subject) -> PortResult<()> {
    let mut expected = Vec::new();
    for _ in 0..2 {
        let (instance, _) = subject.provisioning().await?;
        for (incarnation, generation) in [(1, 1), (1, 2), (1, 10), (2, 1)] {
            let record = record(&instance.id, incarnation, generation);
            subject.certificates.put(&record).await?;
            expected.push(record);
        }
    }
    let mut all: Vec<CertificateRecord> = Vec::new();
    loop {
        let page = subject.certificates.list(all.last().map(CertificateRecord::key), 3).await?;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3, "a page is no longer than asked for");
        all.extend(page);
    }
    let of_both: Vec<CertificateRecord> =
        all.iter().filter(|one| expected.iter().any(|it| it.instance == one.instance)).cloned().collect();
    assert_eq!(of_both, expected);
    let keys: Vec<_> = all.iter().map(|one| format!("{:?}", one.key())).collect();
    let once: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(once.len(), keys.len(), "nothing is given twice");
    Ok(())
}

/// `of_instance` gives one incarnation of one instance, oldest generation first, whatever was written first.
pub async fn certificates_are_listed_by_generation(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let (other, _) = subject.provisioning().await?;
    let [first, second, tenth] = [1, 2, 10].map(|generation| record(&instance.id, 1, generation));
    let next_life = record(&instance.id, 2, 1);
    let of_other = record(&other.id, 1, 1);
    for record in [&tenth, &of_other, &first, &next_life, &second] {
        subject.certificates.put(record).await?;
    }
    let standing = subject.operations.standing(&instance.id).await?.map(|standing| standing.certificates);
    assert_eq!(standing.as_deref(), Some(&[first.clone(), second.clone(), tenth.clone()][..]));
    assert_eq!(subject.certificates.of_instance(&instance.id, 1).await?, [first, second, tenth]);
    assert_eq!(subject.certificates.of_instance(&instance.id, 2).await?, [next_life]);
    assert_eq!(subject.certificates.of_instance(&other.id, 1).await?, [of_other]);
    Ok(())
}

/// `make_live` retires what was live, in whatever order the two were made, and nothing else.
pub async fn only_one_certificate_is_live(subject: &Subject) -> PortResult<()> {
    let (instance, _) = subject.provisioning().await?;
    let [first, second, third] = [1, 2, 3].map(|generation| record(&instance.id, 1, generation));
    for record in [&first, &second, &third] {
        subject.certificates.put(record).await?;
    }
    let other_life = CertificateRecord { state: CertificateState::Live, ..record(&instance.id, 2, 1) };
    subject.certificates.put(&other_life).await?;
    let in_state = |record: &CertificateRecord, state| CertificateRecord { state, ..record.clone() };
    let live = |record| in_state(record, CertificateState::Live);
    let retired = |record| in_state(record, CertificateState::Retired);
    subject.certificates.make_live(&third).await?;
    let expected = [first.clone(), second.clone(), live(&third)];
    assert_eq!(subject.certificates.of_instance(&instance.id, 1).await?, expected);
    for _ in 0..2 {
        subject.certificates.make_live(&second).await?;
        let expected = [first.clone(), live(&second), retired(&third)];
        assert_eq!(subject.certificates.of_instance(&instance.id, 1).await?, expected);
    }
    assert_eq!(subject.certificates.of_instance(&instance.id, 2).await?, [other_life]);
    Ok(())
}

pub(super) fn record(instance: &InstanceId, incarnation: i32, generation: i32) -> CertificateRecord {
    let name = format!("{instance}-{incarnation}-{generation}");
    CertificateRecord {
        instance: instance.clone(),
        incarnation,
        generation,
        names: sample::names(&["www.example.org", "*.example.org"]),
        issuance: IssuanceId::new(&name),
        vault_name: VaultName::new(name),
        stored: None,
        facts: None,
        state: CertificateState::Pending,
        keyless: false,
    }
}
