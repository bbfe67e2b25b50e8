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

/// A key that is to follow is stored beside the one that counts, and takes its place when it is adopted.
pub async fn a_key_follows_on_another(subject: &Subject) -> PortResult<()> {
    let directory = subject.fresh("https://ca.example/directory");
    let [old, next, third] = ["old", "next", "third"].map(|key| Secret::new(subject.fresh(key)));
    assert_eq!(subject.accounts.propose_key(&directory, &old, &next).await?, None, "there is no account yet");
    let account = AccountRecord { key: old.clone(), ..candidate(&directory, b"") };
    subject.accounts.ensure(&account).await?;
    let both = AccountRecord { next_key: Some(next.clone()), ..account.clone() };
    assert_eq!(subject.accounts.propose_key(&directory, &old, &next).await?.as_ref(), Some(&both));
    assert_eq!(subject.accounts.propose_key(&directory, &old, &third).await?.as_ref(), Some(&both));
    assert!(subject.accounts.all().await?.contains(&both));
    subject.accounts.adopt_key(&directory, &third).await?;
    subject.accounts.drop_key(&directory, &third).await?;
    assert_eq!(subject.accounts.find(&directory).await?.as_ref(), Some(&both), "it was never to follow");
    let adopted = AccountRecord { key: next.clone(), next_key: None, ..account };
    for _ in 0..2 {
        subject.accounts.adopt_key(&directory, &next).await?;
        assert_eq!(subject.accounts.find(&directory).await?.as_ref(), Some(&adopted));
    }
    let late = subject.accounts.propose_key(&directory, &old, &third).await?;
    assert_eq!(late.as_ref(), Some(&adopted), "nothing follows on a key that does not count any more");
    subject.accounts.propose_key(&directory, &next, &third).await?;
    for _ in 0..2 {
        subject.accounts.drop_key(&directory, &third).await?;
        assert_eq!(subject.accounts.find(&directory).await?.as_ref(), Some(&adopted));
    }
    Ok(())
}

/// Of many who propose a key at the same moment, all are told the same one.
pub async fn of_many_keys_at_once_one_follows(subject: &Subject) -> PortResult<()> {
    let directory = subject.fresh("https://ca.example/directory");
    let old = subject.accounts.ensure(&candidate(&directory, b"old")).await?.key;
    let proposed = at_once(|| {
        let (subject, directory, old) = (subject.clone(), directory.clone(), old.clone());
        async move {
            let next = Secret::new(subject.fresh("next"));
            subject.accounts.propose_key(&directory, &old, &next).await
        }
    })
    .await?;
    let kept = subject.accounts.find(&directory).await?;
    assert!(kept.as_ref().is_some_and(|kept| kept.next_key.is_some()));
    assert!(proposed.into_iter().all(|account| account == kept));
    Ok(())
}

fn candidate(directory: &str, key: &[u8]) -> AccountRecord {
    AccountRecord {
        directory: directory.into(),
        key: Secret::new(key),
        url: None,
        created_at: Timestamp::from_millis(1_767_225_600_123),
        next_key: None,
    }
}
