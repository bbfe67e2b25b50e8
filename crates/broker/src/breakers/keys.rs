//! A sealing key that a process lacks. Whether it can go on is each process's own matter, so that nobody is turned away:
//! each finds out for itself, which costs a look at the database. What they have in common is that the operator is told once.

use contract::{Breaker, Obstacle, PortError, PortResult, Timestamp, Upstream};

use super::Breakers;
use super::scope::{self, Call};

impl Breakers {
    /// Makes a call that nothing stands in the way of, unless it needs a key that this process lacks; then it waits.
    pub(super) async fn watch<T>(
        &self,
        call: Call,
        work: impl Future<Output = PortResult<T>> + Send,
    ) -> PortResult<T> {
        match work.await {
            Err(error) if lacks_a_key(&error) => Err(self.heed(call, error).await),
            result => result,
        }
    }

    /// Tells the operator if it is a key that somebody else than a guarded port has missed.
    pub(crate) async fn heed_missing_key(&self, error: PortError) {
        if lacks_a_key(&error) {
            let call = Call { upstream: Upstream::SealingKeys, kind: "open" };
            drop(self.heed(call, error).await);
        }
    }

    /// The breaker of something that was met again; where each process meets it for itself, that is taken note of.
    pub(super) async fn met(&self, known: Breaker) -> PortResult<Breaker> {
        let now = self.0.clock.now();
        if !scope::is_each_ones_own(&known.scope) || known.probe_at > now {
            return Ok(known);
        }
        let probes = known.probes.saturating_add(1);
        let next = Breaker { probe_at: now + self.pause(0), probes, ..known.clone() };
        // Whoever was faster has noted the same.
        self.0.store.change(&known, &next).await?;
        self.forget_seen();
        Ok(next)
    }

    /// Nobody tries on behalf of the others: it has gone when nobody has met it for as long as all that waits has tried twice.
    pub(super) fn is_met_no_more(&self, breaker: &Breaker, now: Timestamp) -> bool {
        scope::is_each_ones_own(&breaker.scope)
            && breaker.gone_since.is_none()
            && now.since(breaker.probe_at) > self.pause(0) * 2
    }
}

fn lacks_a_key(error: &PortError) -> bool {
    matches!(error.obstacle(), Some(Obstacle { upstream: Upstream::SealingKeys, .. }))
}
