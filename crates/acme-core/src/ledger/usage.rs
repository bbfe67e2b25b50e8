//! How far every limit is used up, read off the keys of the ledger.

use std::collections::BTreeMap;

use contract::{LimitUse, PortResult, Timestamp};

use super::Ledger;
use super::bucket::Bucket;
use super::scarce::Scarce;

/// How many keys are read at once.
const PAGE: u32 = 500;

/// What is known about one limit: when its bucket is full, and until when the authority holds orders back for it.
#[derive(Default)]
struct Kept {
    full_at: Option<Timestamp>,
    held_until: Option<Timestamp>,
}

impl Ledger {
    /// Whatever is used at this moment of the limits of this authority, and all orders in any case.
    pub(crate) async fn usage(&self) -> PortResult<Vec<LimitUse>> {
        let now = self.clock.now();
        let mut kept: BTreeMap<Scarce, Kept> = BTreeMap::new();
        if self.limits.orders.is_some() {
            kept.entry(Scarce::Orders).or_default();
        }
        let mut after = None;
        loop {
            let page = self.store.list(after, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, moment) in page.into_iter().filter(|(_, moment)| *moment > now) {
                self.note_key(&mut kept, &key, moment);
            }
        }
        Ok(kept.into_iter().map(|(scarce, kept)| self.used(&scarce, &kept, now)).collect())
    }

    fn note_key(&self, kept: &mut BTreeMap<Scarce, Kept>, key: &str, moment: Timestamp) {
        let held = key.strip_prefix("hold ").and_then(|rest| rest.split_once(' ')).map(|(_, of)| of);
        let Some(scarce) = Scarce::of_key(held.unwrap_or(key), &self.directory) else { return };
        let kept = kept.entry(scarce).or_default();
        let field = if held.is_some() { &mut kept.held_until } else { &mut kept.full_at };
        *field = (*field).max(Some(moment));
    }

    fn used(&self, scarce: &Scarce, kept: &Kept, now: Timestamp) -> LimitUse {
        let quota = scarce.quota(&self.limits);
        let (limit, about) = scarce.words();
        LimitUse {
            limit,
            about: about.to_owned(),
            left: quota.map(|quota| Bucket { quota, percent: 100 }.left(kept.full_at, now)),
            most: quota.map(|quota| quota.count),
            period: quota.map(|quota| quota.period),
            full_at: kept.full_at,
            held_until: kept.held_until,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use contract::testing::{ManualClock, MemoryStore};
    use contract::{Clock, DomainName, LedgerStore};

    use super::*;
    use crate::limits::Limits;
    use crate::settings::AcmeSettings;

    const DIRECTORY: &str = "https://ca.example/directory";

    fn scene(limits: Limits) -> (Ledger, MemoryStore, ManualClock) {
        let clock = ManualClock::new();
        let store = MemoryStore::new(clock.clone());
        let settings = AcmeSettings { limits, ..AcmeSettings::new(DIRECTORY) };
        (Ledger::new(&settings, Arc::new(store.clone()), Arc::new(clock.clone())), store, clock)
    }

    #[tokio::test]
    async fn what_is_used_is_told_by_what_it_is_about() {
        let (ledger, store, clock) = scene(Limits::lets_encrypt());
        ledger.failed(&[DomainName::parse("*.a.example").unwrap()]).await;
        let now = clock.now();
        let hour = Duration::from_hours(1);
        for (key, moment) in [
            (format!("hold first domain {DIRECTORY} example.gov"), now + hour),
            (format!("hold renewal domain {DIRECTORY} example.gov"), now + hour * 2),
            (format!("domain {DIRECTORY} gone.example"), now),
            (format!("issued {DIRECTORY} digest"), now + hour),
            (format!("counted {DIRECTORY} https://ca.example/order/1"), now + hour),
            ("orders https://other.example/directory".to_owned(), now + hour),
        ] {
            store.swap(&key, None, moment).await.unwrap();
        }
        let usage = ledger.usage().await.unwrap();
        let told: Vec<_> = usage.iter().map(|one| (one.limit, one.about.as_str(), one.left)).collect();
        assert_eq!(
            told,
            [
                ("orders", "", Some(300.0)),
                ("domain", "example.gov", Some(50.0)),
                ("failures", "a.example", Some(4.0)),
                ("in-a-row", "a.example", Some(1151.0)),
            ]
        );
        assert_eq!((usage[1].held_until, usage[1].full_at), (Some(now + hour * 2), None));
        assert_eq!(usage[2].full_at, Some(now + Duration::from_mins(12)));
    }

    #[tokio::test]
    async fn what_an_unknown_authority_has_said_is_told_without_numbers() {
        let (ledger, store, clock) = scene(Limits::none());
        assert_eq!(ledger.usage().await.unwrap(), []);
        let until = clock.now() + Duration::from_hours(1);
        store.swap(&format!("hold first orders {DIRECTORY}"), None, until).await.unwrap();
        let usage = ledger.usage().await.unwrap();
        assert_eq!((usage.len(), usage[0].left, usage[0].held_until), (1, None, Some(until)));
    }
}
