//! Keys for sealing can be replaced while everybody works on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::testing::conformance::keep_promises;
use crate::testing::sample;
use crate::{
    AccountRecord, AccountStore, IssuanceId, IssuanceRecord, IssuanceStore, KeyStanding, PageStore,
    PortResult, SealedPlace, SealedStore, Secret, Timestamp,
};

/// What the suite needs of a store.
pub trait Sealing: SealedStore + IssuanceStore + AccountStore + PageStore {}

impl<T: SealedStore + IssuanceStore + AccountStore + PageStore> Sealing for T {}

/// One database, opened with different keys: by name `old`; `new` and `old`; `new` alone. It has to be empty at first.
#[derive(Clone)]
pub struct Subject {
    /// As it was before the rotation.
    pub old: Arc<dyn Sealing>,
    /// As it is during one.
    pub both: Arc<dyn Sealing>,
    /// As it is afterwards.
    pub new: Arc<dyn Sealing>,
}

/// Runs every promise, in this order. Panics with the name of the first one that is not kept.
pub async fn run(subject: &Subject) {
    keep_promises!(subject =>
        what_is_sealed_is_counted_by_key,
        what_cannot_be_opened_is_named_and_stays,
        everything_is_sealed_anew_page_by_page,
        a_rotation_disturbs_nobody,
    );
}

/// Every configured key is told of, and every other one that is in use.
pub async fn what_is_sealed_is_counted_by_key(subject: &Subject) -> PortResult<()> {
    assert_eq!(
        told(&*subject.both).await?,
        [("new", KeyStanding::First, vec![]), ("old", KeyStanding::Configured, vec![])].map(owned)
    );
    for number in 0..5 {
        IssuanceStore::insert(&*subject.old, &issuance(number, Some("leaf"))).await?;
    }
    IssuanceStore::insert(&*subject.old, &issuance(5, None)).await?;
    subject.old.ensure(&account()).await?;
    let (account, next) = (account(), Secret::new("the next key of the account"));
    subject.old.propose_key(&account.directory, &account.key, &next).await?;
    subject.old.ensure_key(&Secret::new("the key of links")).await?;
    let values = vec![("accounts", 1), ("issuances", 5), ("next_account_keys", 1), ("page_keys", 1)];
    assert_eq!(told(&*subject.old).await?, [("old", KeyStanding::First, values.clone())].map(owned));
    let both = [("new", KeyStanding::First, vec![]), ("old", KeyStanding::Configured, values.clone())];
    assert_eq!(told(&*subject.both).await?, both.map(owned));
    let new = [("new", KeyStanding::First, vec![]), ("old", KeyStanding::Missing, values)];
    assert_eq!(told(&*subject.new).await?, new.map(owned));
    Ok(())
}

/// A key that is not there is said to be missing, with each place that needs it.
pub async fn what_cannot_be_opened_is_named_and_stays(subject: &Subject) -> PortResult<()> {
    let before = told(&*subject.both).await?;
    let outcome = subject.new.reseal(None, 100).await?;
    assert_eq!((outcome.looked_at, outcome.sealed_anew, outcome.raced, outcome.stuck.len()), (8, 0, 0, 8));
    for stuck in &outcome.stuck {
        assert!(stuck.why.contains("\"old\""), "{stuck:?}");
        assert!(
            ["accounts", "issuances", "next_account_keys", "page_keys"].contains(&stuck.place.table.as_str()),
            "{stuck:?}"
        );
    }
    assert_eq!(told(&*subject.both).await?, before);
    Ok(())
}

/// What was sealed under the old key opens with the new one alone, and says what it has said before.
pub async fn everything_is_sealed_anew_page_by_page(subject: &Subject) -> PortResult<()> {
    let mut seen: Vec<SealedPlace> = Vec::new();
    let mut resealed = 0;
    loop {
        let page = subject.both.reseal(seen.last().cloned(), 4).await?;
        assert!(page.looked_at <= 4 && page.stuck.is_empty() && page.raced == 0, "{page:?}");
        resealed += page.sealed_anew;
        let Some(last) = page.last else { break };
        assert!(seen.last().is_none_or(|earlier| *earlier < last), "{last:?}");
        seen.push(last);
    }
    assert!(resealed == 8 && seen.len() > 1, "{resealed} in {} pages", seen.len());
    let again = subject.both.reseal(None, 100).await?;
    assert_eq!((again.looked_at, again.sealed_anew), (8, 0));
    for number in 0..5 {
        let read = subject.new.load(&id(number)).await?;
        assert_eq!(read.and_then(|record| record.private_key), Some(Secret::new("leaf")));
    }
    let links = subject.new.ensure_key(&Secret::new("another")).await?;
    assert_eq!(links, Secret::new("the key of links"));
    let directory = account().directory;
    let with_next = AccountRecord { next_key: Some(Secret::new("the next key of the account")), ..account() };
    assert_eq!(AccountStore::find(&*subject.new, &directory).await?, Some(with_next));
    let values = vec![("accounts", 1), ("issuances", 5), ("next_account_keys", 1), ("page_keys", 1)];
    assert_eq!(told(&*subject.new).await?, [("new", KeyStanding::First, values)].map(owned));
    Ok(())
}

/// Who saves an issuance while it is sealed anew is neither refused nor overwritten.
pub async fn a_rotation_disturbs_nobody(subject: &Subject) -> PortResult<()> {
    let writer = {
        let subject = subject.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                for number in 0..5 {
                    let read = subject.old.load(&id(number)).await;
                    let (store, read) = match read {
                        Ok(read) => (&subject.old, read),
                        // Sealed anew already: a broker that knows both keys goes on.
                        Err(_) => (&subject.both, subject.both.load(&id(number)).await?),
                    };
                    let key = Some(Secret::new(format!("leaf of round {round}")));
                    let Some(read) = read else { continue };
                    assert!(store.save(&IssuanceRecord { private_key: key, ..read }).await?, "saved");
                }
            }
            PortResult::Ok(())
        })
    };
    while !writer.is_finished() {
        subject.both.reseal(None, 3).await?;
        let behind = SealedPlace { table: "issuances".to_owned(), row: String::new() };
        subject.both.reseal(Some(behind), 100).await?;
        // A store that never waits would keep the writer from its turn for ever.
        tokio::task::yield_now().await;
    }
    match writer.await {
        Ok(written) => written?,
        Err(panic) => panic!("the writer: {panic}"),
    }
    while subject.both.reseal(None, 100).await?.sealed_anew > 0 {}
    for number in 0..5 {
        let read = subject.new.load(&id(number)).await?;
        assert_eq!(read.and_then(|record| record.private_key), Some(Secret::new("leaf of round 19")));
    }
    Ok(())
}

type Told = (String, KeyStanding, BTreeMap<String, u64>);

async fn told(store: &dyn Sealing) -> PortResult<Vec<Told>> {
    let uses = store.keys().await?;
    Ok(uses.into_iter().map(|one| (one.name, one.standing, one.values)).collect())
}

fn owned((name, standing, values): (&str, KeyStanding, Vec<(&str, u64)>)) -> Told {
    let values = values.into_iter().map(|(table, count)| (table.to_owned(), count)).collect();
    (name.to_owned(), standing, values)
}

fn id(number: u32) -> IssuanceId {
    IssuanceId::new(format!("sealed-{number}"))
}

fn issuance(number: u32, private_key: Option<&str>) -> IssuanceRecord {
    let request = sample::certificate_request(&sample::names(&["www.example.gov"]));
    let opened_at = Timestamp::from_secs(1_767_225_600);
    IssuanceRecord {
        private_key: private_key.map(Secret::new),
        ..IssuanceRecord::opened(id(number), request, "https://ca.example/directory", opened_at)
    }
}

fn account() -> AccountRecord {
    AccountRecord {
        directory: "https://ca.example/directory".to_owned(),
        key: Secret::new("the key of the account"),
        url: None,
        created_at: Timestamp::from_secs(1_767_225_600),
        next_key: None,
    }
}
