use contract::testing::sample;
use contract::{CertificateBundle, CertificateVault, Remedy, Secret, VaultName};
use sandbox::aws::{AwsSettings, FaultKind, FaultMoment};

use super::account::{Account, is_retry, remedy, settings};

#[tokio::test]
async fn a_certificate_is_uploaded_once_d7() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (name, bundle) = draft(&account);
    let kept = account.vault.ensure(&name, &bundle).await?;
    assert_eq!(account.vault.ensure(&name, &bundle).await?, kept);
    assert_eq!(account.calls("UploadServerCertificate").len(), 1);
    assert_eq!(account.local.state().certificates[0].path, "/cloudfront/letsencrypt/");
    Ok(())
}

#[tokio::test]
async fn a_certificate_whose_upload_lost_its_answer_is_adopted() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (name, bundle) = draft(&account);
    account.lose_the_answer_of("UploadServerCertificate");
    assert!(is_retry(account.process().await.vault.ensure(&name, &bundle).await));
    let adopted = account.vault.ensure(&name, &bundle).await?;
    assert_eq!(account.local.state().certificates[0].id, adopted.as_str());
    assert_eq!(account.effects("UploadServerCertificate"), 1);
    Ok(())
}

#[tokio::test]
async fn an_upload_that_the_sdk_repeats_keeps_one_certificate() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (name, bundle) = draft(&account);
    account.lose_the_answer_of("UploadServerCertificate");
    let kept = account.vault.ensure(&name, &bundle).await?;
    assert_eq!(account.calls("UploadServerCertificate").len(), 2);
    assert_eq!(account.local.state().certificates[0].id, kept.as_str());
    assert_eq!(account.effects("UploadServerCertificate"), 1);
    Ok(())
}

#[tokio::test]
async fn a_used_up_quota_is_the_operators_but_hides_nothing() -> anyhow::Result<()> {
    let account = Account::with(AwsSettings { certificate_quota: 1, ..settings() }).await?;
    let (name, bundle) = draft(&account);
    let kept = account.vault.ensure(&name, &bundle).await?;
    let refused = account.vault.ensure(&VaultName::new("another"), &bundle).await;
    assert_eq!(remedy(refused), Some(Remedy::AwaitOperator));
    assert_eq!(account.vault.ensure(&name, &bundle).await?, kept);
    Ok(())
}

#[tokio::test]
async fn a_certificate_in_use_is_deleted_when_it_is_let_go() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (made, spec) = account.distribution("one").await?;
    account.cdn.apply(&made.id, &account.served(&spec, &["a.example.org"]).await?).await?;
    account.settle();
    let name = VaultName::new(account.local.state().certificates[0].name.clone());
    assert!(is_retry(account.vault.remove(&name).await));
    account.cdn.apply(&made.id, &spec).await?;
    assert!(is_retry(account.vault.remove(&name).await));
    account.settle();
    account.lose_the_answer_of("DeleteServerCertificate");
    account.vault.remove(&name).await?;
    account.vault.remove(&name).await?;
    assert!(account.local.state().certificates.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_key_of_another_certificate_is_given_up() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (name, bundle) = draft(&account);
    let (_, other) = draft(&account);
    let mixed = CertificateBundle { private_key_pem: other.private_key_pem, ..bundle.clone() };
    assert_eq!(remedy(account.vault.ensure(&name, &mixed).await), Some(Remedy::GiveUp));
    let garbled = CertificateBundle { private_key_pem: Secret::new([0xff_u8, 0xfe]), ..bundle };
    let refused = account.vault.ensure(&name, &garbled).await.unwrap_err();
    assert_eq!(refused.remedy(), Remedy::GiveUp);
    assert!(account.local.state().certificates.is_empty());
    Ok(())
}

/// k: a question that is refused is no answer, and above all not the answer that there is nothing.
#[tokio::test]
async fn a_vault_that_cannot_be_read_is_not_taken_for_an_empty_one() -> anyhow::Result<()> {
    let account = Account::open().await?;
    let (name, bundle) = draft(&account);
    account.vault.ensure(&name, &bundle).await?;
    for kind in [FaultKind::AccessDenied, FaultKind::Throttle, FaultKind::Internal, FaultKind::Reset] {
        let strike = || account.strike("GetServerCertificate", FaultMoment::Before, kind);
        let vault = account.process().await.vault;
        strike();
        assert!(vault.find(&name).await.is_err(), "{kind:?}");
        strike();
        assert!(vault.remove(&name).await.is_err(), "{kind:?}");
        strike();
        assert!(vault.ensure(&name, &bundle).await.is_err(), "{kind:?}");
    }
    assert_eq!(account.calls("UploadServerCertificate").len(), 1);
    assert_eq!(account.calls("DeleteServerCertificate").len(), 0);
    Ok(())
}

fn draft(account: &Account) -> (VaultName, CertificateBundle) {
    (VaultName::new("cdn-one-1"), account.bundle(&sample::names(&["a.example.org"])))
}
