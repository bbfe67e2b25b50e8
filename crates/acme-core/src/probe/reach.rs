use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After this time authoritative servers are tried once more.
const BLOCKED: Duration = Duration::from_mins(1);

/// Whether authoritative servers can be reached from this network at all: many platforms let nobody out to port 53.
#[derive(Default)]
pub(super) struct Reach {
    proven: AtomicBool,
    said: AtomicBool,
    blocked_until: Mutex<Option<Instant>>,
}

impl Reach {
    /// An authoritative server has answered.
    pub(super) fn proven(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }

    /// None has answered yet, so that silence may be this network's fault.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.proven.load(Ordering::Relaxed)
    }

    /// Only the resolvers answer.
    pub(super) fn blocked(&self) {
        *self.blocked_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + BLOCKED);
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "authoritative name servers cannot be reached from here (is outgoing port 53 blocked?): proofs are \
                 looked for through the resolvers alone, which may remember for a while that a record was not there"
            );
        }
    }

    pub(super) fn is_blocked(&self) -> bool {
        let blocked_until = self.blocked_until.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_in_doubt() && blocked_until.is_some_and(|until| until > Instant::now())
    }
}
