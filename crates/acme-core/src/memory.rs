use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::{IssuanceId, IssuanceRecord, Timestamp};

use crate::order::LiveOrder;

/// How many orders are remembered: more than are worked on at once, and still below a megabyte.
const AT_MOST: usize = 64;
/// How long. Later, much may have happened to an order, and reading it again costs nothing that matters.
const FOR: Duration = Duration::from_mins(1);

/// The orders that this process has read lately, so that the next unit of work need not read them again. Whoever
/// forgets all of it loses two or three requests.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<IssuanceId, Remembered>>);

struct Remembered {
    /// The version of the record that the order goes with.
    version: i32,
    order: LiveOrder,
    at: Timestamp,
}

impl Memory {
    /// The order as this process has left it, if nobody has written the record since. Whoever takes it has it alone.
    pub(crate) fn take(&self, record: &IssuanceRecord, now: Timestamp) -> Option<LiveOrder> {
        let remembered = self.orders(|orders| orders.remove(&record.id))?;
        let current = remembered.version == record.version
            && record.order_url.as_deref() == Some(remembered.order.url())
            && now.since(remembered.at) <= FOR;
        current.then_some(remembered.order)
    }

    /// Keeps the order of a record that has just been stored.
    pub(crate) fn keep(&self, record: &IssuanceRecord, order: LiveOrder, now: Timestamp) {
        let remembered = Remembered { version: record.version, order, at: now };
        self.orders(|orders| {
            orders.retain(|_, one| now.since(one.at) <= FOR);
            if orders.len() < AT_MOST {
                orders.insert(record.id.clone(), remembered);
            }
        });
    }

    fn orders<T>(&self, work: impl FnOnce(&mut HashMap<IssuanceId, Remembered>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
