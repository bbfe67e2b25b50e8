//! The promises of [`CertificateVault`](crate::CertificateVault).

use super::cdn::{Subject, remedy};
use super::{keep_promises, whole};
use crate::{KeptCertificate, PortResult, Remedy, VaultName};

/// Runs every promise. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    keep_promises!(subject =>
        a_certificate_is_kept_once,
        a_name_stands_for_one_certificate,
        a_removed_certificate_is_gone,
        a_certificate_in_use_stays,
        every_certificate_is_listed_once,
    );
}

/// `ensure` keeps the certificate and adopts it when called again.
pub async fn a_certificate_is_kept_once(subject: &Subject) -> PortResult<()> {
    let name = VaultName::new(subject.fresh("certificate"));
    assert_eq!(subject.vault.find(&name).await?, None);
    let bundle = (subject.mint)(&[subject.name()]);
    let kept = subject.vault.ensure(&name, &bundle).await?;
    assert_eq!(subject.vault.ensure(&name, &bundle).await?, kept);
    assert_eq!(subject.vault.find(&name).await?, Some(kept));
    Ok(())
}

/// `ensure` says `GiveUp` when another certificate is kept under the name, and leaves that one alone.
pub async fn a_name_stands_for_one_certificate(subject: &Subject) -> PortResult<()> {
    let name = VaultName::new(subject.fresh("certificate"));
    let names = [subject.name()];
    let kept = subject.vault.ensure(&name, &(subject.mint)(&names)).await?;
    let refused = subject.vault.ensure(&name, &(subject.mint)(&names)).await;
    assert_eq!(remedy(refused), Some(Remedy::GiveUp));
    assert_eq!(subject.vault.find(&name).await?, Some(kept));
    Ok(())
}

/// `remove` takes the certificate away, and succeeds on what is gone.
pub async fn a_removed_certificate_is_gone(subject: &Subject) -> PortResult<()> {
    let name = VaultName::new(subject.fresh("certificate"));
    subject.vault.remove(&name).await?;
    subject.vault.ensure(&name, &(subject.mint)(&[subject.name()])).await?;
    for _ in 0..2 {
        subject.vault.remove(&name).await?;
        assert_eq!(subject.vault.find(&name).await?, None);
    }
    Ok(())
}

/// `list` shows every certificate once, whatever the size of a page.
pub async fn every_certificate_is_listed_once(subject: &Subject) -> PortResult<()> {
    let mut kept = Vec::new();
    for _ in 0..3 {
        let name = VaultName::new(subject.fresh("certificate"));
        kept.push((subject.vault.ensure(&name, &(subject.mint)(&[subject.name()])).await?, name));
    }
    let (listed, pages) = whole(|after| subject.vault.list(after)).await?;
    assert!(pages > 1, "the pages are too large to show that they are turned");
    for (stored, name) in kept {
        let found: Vec<&KeptCertificate> = listed.iter().filter(|one| one.name == name).collect();
        assert_eq!(found.iter().map(|one| &one.stored).collect::<Vec<_>>(), [&stored]);
    }
    Ok(())
}

/// `remove` says `Retry` while a distribution uses the certificate.
pub async fn a_certificate_in_use_stays(subject: &Subject) -> PortResult<()> {
    let name = VaultName::new(subject.fresh("certificate"));
    let (made, _) = subject.serving_from(&name).await?;
    assert!(matches!(remedy(subject.vault.remove(&name).await), Some(Remedy::Retry { .. })));
    assert!(subject.vault.find(&name).await?.is_some());
    subject.removed(&made.id).await?;
    subject.time.settle().await;
    subject.vault.remove(&name).await?;
    assert_eq!(subject.vault.find(&name).await?, None);
    Ok(())
}
