//! Suites that a fake and its adapters both pass: one function per promise of a port, and one that runs them all.
//!
//! A promise that is not kept panics; an error that nobody expected is returned.

pub mod cdn;
pub mod platform;
pub mod site;
pub mod storage;
pub mod vault;
pub mod zone;

use std::time::Duration;

use async_trait::async_trait;

use super::ManualClock;
use crate::{Clock, Page, PageToken, PortResult, Timestamp};

/// Time as the thing under test sees it: the clock that was handed to it, or the database's own.
#[async_trait]
pub trait Passage: Send + Sync {
    /// The present moment.
    async fn now(&self) -> Timestamp;

    /// Lets `duration` pass, at least. A database with a clock of its own may move its rows into the past instead.
    async fn pass(&self, duration: Duration);
}

#[async_trait]
impl Passage for ManualClock {
    async fn now(&self) -> Timestamp {
        Clock::now(self)
    }

    async fn pass(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// Lets everything arrive that is under way: changes at every edge, certificates at the CDN.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Returns when nothing is under way any more.
    async fn settle(&self);
}

#[async_trait]
impl Settle for ManualClock {
    async fn settle(&self) {
        self.advance(Duration::from_hours(1));
    }
}

/// Runs promises one after the other. Each is a task of its own, so that a panic can be put down to its promise.
macro_rules! keep_promises {
    ($subject:expr => $($promise:path),+ $(,)?) => {
        $(
            let subject = $subject.clone();
            match tokio::spawn(async move { $promise(&subject).await }).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => panic!("{} is not kept: {error}", stringify!($promise)),
                Err(error) => panic!("{} is not kept: {error}", stringify!($promise)),
            }
        )+
    };
}
use keep_promises;

/// Reads a list to its end, whatever the size of its pages, and says how many there were.
async fn whole<T, F>(mut page: impl FnMut(Option<PageToken>) -> F) -> PortResult<(Vec<T>, usize)>
where
    F: Future<Output = PortResult<Page<T>>>,
{
    let (mut items, mut after) = (Vec::new(), None);
    for count in 1..1000 {
        let turned = page(after).await?;
        items.extend(turned.items);
        after = turned.next;
        if after.is_none() {
            return Ok((items, count));
        }
    }
    panic!("the list has no end")
}
