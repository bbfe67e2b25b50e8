use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{Clock, Timestamp};

/// Remembers things for a while, and only so many: when it is full, what is over is forgotten, and if nothing is, everything.
pub(super) struct Cache<K, V = ()> {
    clock: Arc<dyn Clock>,
    life: Duration,
    most: usize,
    entries: BTreeMap<K, (Timestamp, V)>,
}

impl<K: Ord, V: Clone> Cache<K, V> {
    pub(super) fn new(clock: Arc<dyn Clock>, life: Duration, most: usize) -> Self {
        Self { clock, life, most, entries: BTreeMap::new() }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let (since, value) = self.entries.get(key)?;
        (self.clock.now().since(*since) < self.life).then(|| value.clone())
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        let now = self.clock.now();
        if self.entries.len() >= self.most {
            self.entries.retain(|_, (since, _)| now.since(*since) < self.life);
        }
        if self.entries.len() >= self.most {
            self.entries.clear();
        }
        self.entries.insert(key, (now, value));
    }
}

#[cfg(test)]
mod tests {
    use contract::testing::ManualClock;

    use super::*;

    #[test]
    fn what_is_remembered_is_forgotten_again() {
        let clock = ManualClock::new();
        let mut cache = Cache::new(Arc::new(clock.clone()), Duration::from_mins(1), 2);
        cache.put("a", 1);
        clock.advance(Duration::from_secs(59));
        assert_eq!(cache.get(&"a"), Some(1));
        cache.put("b", 2);
        clock.advance(Duration::from_secs(1));
        assert_eq!((cache.get(&"a"), cache.get(&"b")), (None, Some(2)));
        cache.put("c", 3);
        assert_eq!((cache.get(&"b"), cache.get(&"c")), (Some(2), Some(3)), "the old one made room");
        cache.put("d", 4);
        assert_eq!((cache.get(&"b"), cache.get(&"d")), (None, Some(4)), "none was old");
        assert_eq!(cache.entries.len(), 1);
    }
}
