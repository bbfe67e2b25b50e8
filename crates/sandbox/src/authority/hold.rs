//! Holding one request at a chosen moment, so that a test can end a process exactly there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;

/// Where a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server has not seen it.
    Before,
    /// The server has answered; the client does not know.
    After,
}

/// A request that is, or will be, held. Dropping it lets the request go on.
pub struct Held {
    stage: Arc<watch::Sender<Stage>>,
}

impl Held {
    /// Waits until the request is there and stands still, for at most `bound`.
    pub async fn reached(&self, bound: Duration) -> anyhow::Result<()> {
        let mut stage = self.stage.subscribe();
        let standing = tokio::time::timeout(bound, stage.wait_for(|stage| *stage == Stage::Standing)).await;
        standing.with_context(|| format!("no request reached the hold within {bound:?}"))??;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.stage.send_replace(Stage::Released);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Armed,
    Standing,
    Released,
}

#[derive(Default)]
pub(super) struct Holds {
    rules: Mutex<Vec<Rule>>,
}

struct Rule {
    path: String,
    to_come: usize,
    claim: Claim,
}

/// The holds that one request has met.
pub(super) struct Claims(Vec<Claim>);

struct Claim {
    moment: Moment,
    stage: Arc<watch::Sender<Stage>>,
}

impl Holds {
    pub(super) fn add(&self, path: &str, nth: usize, moment: Moment) -> Held {
        let stage = Arc::new(watch::Sender::new(Stage::Armed));
        let claim = Claim { moment, stage: Arc::clone(&stage) };
        self.lock().push(Rule { path: path.to_owned(), to_come: nth.max(1), claim });
        Held { stage }
    }

    /// Counts a request that has just come, and answers the holds that were meant for it.
    pub(super) fn claim(&self, path: &str) -> Claims {
        let mut rules = self.lock();
        for rule in rules.iter_mut().filter(|rule| path.starts_with(&rule.path)) {
            rule.to_come -= 1;
        }
        Claims(rules.extract_if(.., |rule| rule.to_come == 0).map(|rule| rule.claim).collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    /// Stands still for every hold at this moment.
    pub(super) async fn pass(&self, moment: Moment) {
        for claim in self.0.iter().filter(|claim| claim.moment == moment) {
            claim.stand().await;
        }
    }
}

impl Claim {
    async fn stand(&self) {
        self.stage.send_if_modified(|stage| {
            let armed = *stage == Stage::Armed;
            if armed {
                *stage = Stage::Standing;
            }
            armed
        });
        // It cannot fail: this claim holds the sender itself.
        let _ = self.stage.subscribe().wait_for(|stage| *stage == Stage::Released).await;
    }
}
