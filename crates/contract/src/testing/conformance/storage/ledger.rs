//! The promises of [`LedgerStore`](crate::LedgerStore).

use std::sync::Arc;

use super::{Subject, at_once};
use crate::{PortResult, Timestamp};

const fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + milliseconds)
}

/// `swap` writes only over what was seen; what is unknown is left out.
pub async fn a_moment_is_replaced_only_by_who_has_seen_it(subject: &Subject) -> PortResult<()> {
    let (key, other) = (subject.fresh("orders"), subject.fresh(super::ODD_TEXT));
    let keys = [key.clone(), other.clone()];
    assert_eq!(subject.ledger.moments(&[]).await?.len(), 0);
    assert_eq!(subject.ledger.moments(&keys).await?.len(), 0);
    assert!(!subject.ledger.swap(&key, Some(moment(0)), moment(1)).await?, "nothing is there yet");
    assert!(subject.ledger.swap(&key, None, moment(1)).await?);
    assert!(!subject.ledger.swap(&key, None, moment(2)).await?, "something is there");
    assert!(!subject.ledger.swap(&key, Some(moment(0)), moment(2)).await?, "something else is there");
    assert!(subject.ledger.swap(&key, Some(moment(1)), moment(-7)).await?, "it may go back");
    assert!(subject.ledger.swap(&key, Some(moment(-7)), moment(-7)).await?, "it may stay");
    assert!(subject.ledger.swap(&other, None, moment(3)).await?);
    let kept = subject.ledger.moments(&keys).await?;
    assert_eq!(kept.get(&key), Some(&moment(-7)));
    assert_eq!(kept.get(&other), Some(&moment(3)));
    assert_eq!(subject.ledger.moments(&keys[..1]).await?.len(), 1);
    Ok(())
}

/// Of many who have seen the same, one writes; whoever looks again gets its turn, and no step is lost.
pub async fn of_many_at_once_none_is_lost(subject: &Subject) -> PortResult<()> {
    let key = subject.fresh("orders");
    let steps = at_once(|| {
        let (subject, key) = (subject.clone(), key.clone());
        async move {
            loop {
                let seen = subject.ledger.moments(std::slice::from_ref(&key)).await?.get(&key).copied();
                let next = seen.map_or(moment(1), |seen| Timestamp::from_millis(seen.as_millis() + 1));
                if subject.ledger.swap(&key, seen, next).await? {
                    return Ok(Arc::new(next));
                }
            }
        }
    })
    .await?;
    let last = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    assert_eq!(subject.ledger.moments(std::slice::from_ref(&key)).await?.get(&key), Some(&moment(last)));
    Ok(())
}

/// `list` gives every moment once, however short the pages are.
pub async fn moments_are_listed_page_by_page(subject: &Subject) -> PortResult<()> {
    let keys = [subject.fresh("a"), subject.fresh("b"), subject.fresh("c")];
    for (at, key) in (1_i64..).zip(&keys) {
        subject.ledger.swap(key, None, moment(at)).await?;
    }
    let mut all: Vec<(String, Timestamp)> = Vec::new();
    loop {
        let page = subject.ledger.list(all.last().map(|(key, _)| key.clone()), 2).await?;
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2, "a page is no longer than asked for");
        all.extend(page);
    }
    for (at, key) in (1_i64..).zip(&keys) {
        let listed: Vec<Timestamp> = all.iter().filter(|(one, _)| one == key).map(|(_, at)| *at).collect();
        assert_eq!(listed, [moment(at)]);
    }
    Ok(())
}

/// `forget_before` takes what lies before the moment, and nothing else.
pub async fn what_has_passed_is_forgotten(subject: &Subject) -> PortResult<()> {
    let (past, present) = (subject.fresh("past"), subject.fresh("present"));
    subject.ledger.swap(&past, None, moment(-1)).await?;
    subject.ledger.swap(&present, None, moment(0)).await?;
    for _ in 0..2 {
        subject.ledger.forget_before(moment(0)).await?;
        let kept = subject.ledger.moments(&[past.clone(), present.clone()]).await?;
        assert_eq!(kept.keys().collect::<Vec<_>>(), [&present]);
    }
    assert!(subject.ledger.swap(&past, None, moment(5)).await?, "what is forgotten can come again");
    Ok(())
}

/// `furthest` finds what begins exactly like this, whatever else looks alike, and the last moments first.
pub async fn the_furthest_come_first(subject: &Subject) -> PortResult<()> {
    let prefix = subject.fresh("domain_of% ");
    for (key, at) in [("b", 3), ("a", 1), ("c", 2), ("past", 0)] {
        assert!(subject.ledger.swap(&format!("{prefix}{key}"), None, moment(at)).await?);
    }
    let alike =
        [prefix.to_uppercase(), prefix.replace('_', "x"), prefix.replace('%', "xyz"), format!("a{prefix}")];
    for key in &alike {
        assert!(subject.ledger.swap(&format!("{key}z"), None, moment(9)).await?, "{key}");
    }
    let found = subject.ledger.furthest(&prefix, moment(0), 10).await?;
    let of = |key: &str, at| (format!("{prefix}{key}"), moment(at));
    assert_eq!(found, [of("b", 3), of("c", 2), of("a", 1)]);
    assert_eq!(subject.ledger.furthest(&prefix, moment(0), 1).await?, [of("b", 3)]);
    assert_eq!(subject.ledger.furthest(&prefix, moment(3), 10).await?, []);
    Ok(())
}
