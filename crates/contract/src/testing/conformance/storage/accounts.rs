//! The promises of [`AccountStore`](crate::AccountStore).

use super::{Subject, at_once};
use crate::{AccountRecord, PortResult, Secret, Timestamp};

/// `ensure` stores the first account of a directory, byte for byte, and gives it to all who come later.
pub async fn the_first_account_of_a_directory_wins(subject: &Subject) -> PortResult<()> {
    let directory = subject.fresh("https://ca.example/directory");
    let key: Vec<u8> = (0..=255).collect();
    let first = candidate(&directory, &key);
    assert_eq!(subject.accounts.ensure(&first).await?, first);
    assert_eq!(subject.accounts.ensure(&candidate(&directory, b"another key")).await?, first);
    assert_eq!(subject.accounts.find(&directory).await?, Some(first));

    let elsewhere = candidate(&subject.fresh("https://ca.example/directory"), b"another key");
    assert_eq!(subject.accounts.ensure(&elsewhere).await?, elsewhere);
    Ok(())
}

/// Of many brokers that start at the same moment, all get the same account.
pub async fn of_many_at_once_all_get_the_same_account(subject: &Subject) -> PortResult<()> {
    let directory = subject.fresh("https://ca.example/directory");
    let accounts = at_once(|| {
        let (subject, directory) = (subject.clone(), directory.clone());
        async move {
            let key = subject.fresh("key");
            subject.accounts.ensure(&candidate(&directory, key.as_bytes())).await
        }
    })
    .await?;
    let kept = subject.accounts.find(&directory).await?;
    assert!(accounts.into_iter().all(|account| Some(account) == kept));
    Ok(())
}

/// `record_url` keeps the URL beside the key; a second time it does no harm.
pub async fn the_url_is_recorded(subject: &Subject) -> PortResult<()> {
    let directory = subject.fresh("https://ca.example/directory");
    let account = subject.accounts.ensure(&candidate(&directory, b"key")).await?;
    let expected = AccountRecord { url: Some("https://ca.example/account/1".into()), ..account };
    for _ in 0..2 {
        subject.accounts.record_url(&directory, "https://ca.example/account/1").await?;
        assert_eq!(subject.accounts.find(&directory).await?.as_ref(), Some(&expected));
    }
    assert_eq!(subject.accounts.ensure(&candidate(&directory, b"another key")).await?, expected);
    Ok(())
}

fn candidate(directory: &str, key: &[u8]) -> AccountRecord {
    AccountRecord {
        directory: directory.into(),
        key: Secret::new(key),
        url: None,
        created_at: Timestamp::from_millis(1_767_225_600_123),
    }
}
