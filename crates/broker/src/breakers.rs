//! What only the operator can remove (a quota, a permission, expired credentials) and what it stops meanwhile.
//!
//! Each port that leads upstream is used through a guard ([`Breakers::cdn`] and so on). The first call that meets such an
//! obstacle opens a breaker for its scope, and tells the operator. From then on, calls of that scope are turned away
//! without asking anybody, in every broker on the same database; one at a time is let through, ever less often, to try.
//! When that one comes through, everything that waits goes on. Work that was turned away has not failed: it waits.

mod guards;
mod keys;
mod parked;
mod scope;
mod tell;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{Alerts, Breaker, BreakerStore, Clock, PortError, PortResult, Remedy, Timestamp, WorkQueue};

pub(crate) use self::parked::Parked;
use self::scope::Call;

/// The breakers of all upstreams. A clone is the same.
#[derive(Clone)]
pub struct Breakers(Arc<Inner>);

struct Inner {
    store: Arc<dyn BreakerStore>,
    queue: Arc<dyn WorkQueue>,
    alerts: Arc<dyn Alerts>,
    clock: Arc<dyn Clock>,
    first_pause: Duration,
    seen: Mutex<Seen>,
}

/// What was last read from the store.
#[derive(Default)]
struct Seen {
    at: Option<Timestamp>,
    breakers: Vec<Breaker>,
}

/// For how long what was read is taken to be so: a call costs no look at the database, and another broker's breaker is
/// met by a second's worth of calls at most.
const FRESH: Duration = Duration::from_secs(1);

/// The longest time between two calls that try. The operator waits for at most this when the cause is gone.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// How often a change is computed anew because somebody else's came in between.
const ATTEMPTS: u32 = 8;

impl Breakers {
    /// Breakers that are kept in `store`, and whose waiting operations are in `queue`. `first_pause` is the time until a
    /// call tries for the first time; it must be longer than a call can take, so that no two try at once.
    pub fn new(
        store: Arc<dyn BreakerStore>,
        queue: Arc<dyn WorkQueue>,
        alerts: Arc<dyn Alerts>,
        clock: Arc<dyn Clock>,
        first_pause: Duration,
    ) -> Self {
        Self(Arc::new(Inner { store, queue, alerts, clock, first_pause, seen: Mutex::default() }))
    }

    /// Makes a call, unless something stands in its way, and takes note of what it has met.
    async fn guard<T>(&self, call: Call, work: impl Future<Output = PortResult<T>> + Send) -> PortResult<T> {
        let trying = self.admit(call).await?;
        let result = work.await;
        for breaker in &trying {
            if is_through(&result, call, breaker) {
                self.give_way(breaker).await;
            }
        }
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.heed(call, error).await),
        }
    }

    /// Turns a call away that something stands in the way of, unless it is time to try. Gives what it tries.
    async fn admit(&self, call: Call) -> PortResult<Vec<Breaker>> {
        let standing = self.standing(call).await?;
        let now = self.0.clock.now();
        if let Some(longest) = standing.iter().filter(|one| one.probe_at > now).max_by_key(|one| one.probe_at)
        {
            return Err(turned_away(call, longest));
        }
        let mut trying = Vec::with_capacity(standing.len());
        for breaker in standing {
            let next = Breaker {
                probe_at: now + self.pause(breaker.probes.saturating_add(1)),
                probes: breaker.probes.saturating_add(1),
                ..breaker.clone()
            };
            let is_mine = self.0.store.change(&breaker, &next).await?;
            self.forget_seen();
            if !is_mine {
                return Err(turned_away(call, &next));
            }
            tracing::info!(breaker = %next.scope, probes = next.probes, "trying whether the way is free");
            trying.push(next);
        }
        Ok(trying)
    }

    /// What stands in the way of a call.
    async fn standing(&self, call: Call) -> PortResult<Vec<Breaker>> {
        let stands = |one: &Breaker| one.gone_since.is_none() && call.is_stopped_by(&one.scope);
        let now = self.0.clock.now();
        if let Seen { at: Some(at), breakers } = &*self.seen()
            && (*at..*at + FRESH).contains(&now)
        {
            return Ok(breakers.iter().filter(|one| stands(one)).cloned().collect());
        }
        let breakers = self.0.store.all().await?;
        let standing = breakers.iter().filter(|one| stands(one)).cloned().collect();
        *self.seen() = Seen { at: Some(now), breakers };
        Ok(standing)
    }

    /// Opens a breaker if the error is one that other calls would meet too; the work that has met it waits then.
    async fn heed(&self, call: Call, error: PortError) -> PortError {
        let Some(obstacle) = error.obstacle() else { return error };
        let scope = call.scope_of(obstacle);
        match self.stand(&scope, &error).await {
            Ok(breaker) => parked::park(&error, &breaker),
            Err(failure) => {
                tracing::error!(error = %failure, breaker = %scope, "could not keep what stands in the way");
                error
            }
        }
    }

    /// The breaker of a scope, newly opened if need be.
    async fn stand(&self, scope: &str, error: &PortError) -> PortResult<Breaker> {
        for _ in 0..ATTEMPTS {
            self.forget_seen();
            let known = self.0.store.all().await?.into_iter().find(|one| one.scope == scope);
            let Some(known) = known else {
                if let Some(opened) = self.open(scope, error).await? {
                    return Ok(opened);
                }
                continue;
            };
            if known.gone_since.is_none() {
                return self.met(known).await;
            }
            if let Some(again) = self.stand_again(&known).await? {
                return Ok(again);
            }
        }
        let why = "others keep changing it";
        Err(PortError::new(format!("open the breaker {scope}"), Remedy::Retry { after: None }, why))
    }

    /// `None` when somebody else was first.
    async fn open(&self, scope: &str, error: &PortError) -> PortResult<Option<Breaker>> {
        let now = self.0.clock.now();
        let breaker = Breaker {
            scope: scope.to_owned(),
            since: now,
            cause: error.to_string(),
            probe_at: now + self.pause(0),
            probes: 0,
            waited: 0,
            gone_since: None,
            told: false,
            tell_at: Some(now + tell::PATIENCE),
            version: 1,
        };
        if !self.0.store.open(&breaker).await? {
            return Ok(None);
        }
        self.tell_standing(&breaker).await?;
        Ok(Some(breaker))
    }

    /// It has come back before the operator was told that it is gone: for them it has never been gone. The pauses go on
    /// where they were, so that what gives way to single calls only is not tried all the time.
    async fn stand_again(&self, known: &Breaker) -> PortResult<Option<Breaker>> {
        let probes = if scope::is_each_ones_own(&known.scope) { 0 } else { known.probes };
        let again = Breaker {
            gone_since: None,
            probe_at: self.0.clock.now() + self.pause(probes),
            tell_at: (!known.told).then_some(self.0.clock.now()),
            ..known.clone()
        };
        Ok(self.0.store.change(known, &again).await?.then_some(again))
    }

    /// A call has come through: everything that waits goes on.
    async fn give_way(&self, breaker: &Breaker) {
        let now = self.0.clock.now();
        let gone = |one: &Breaker| {
            one.gone_since.is_none().then(|| Breaker {
                gone_since: Some(now),
                tell_at: Some(now + self.quiet()),
                ..one.clone()
            })
        };
        let given = async {
            if self.amend(breaker, gone).await? {
                tracing::info!(breaker = %breaker.scope, "the way is free again");
                self.let_go_on(breaker).await?;
            }
            PortResult::Ok(())
        };
        if let Err(error) = given.await {
            // What waits comes back by itself, and tries again.
            tracing::error!(%error, breaker = %breaker.scope, "could not clear the way");
        }
    }

    async fn let_go_on(&self, breaker: &Breaker) -> PortResult<usize> {
        let now = self.0.clock.now();
        let count = self.0.queue.wake(&breaker.scope, now, self.0.first_pause).await?;
        let waited = i32::try_from(count).unwrap_or(i32::MAX);
        let counted =
            |one: &Breaker| Some(Breaker { waited: one.waited.saturating_add(waited), ..one.clone() });
        self.amend(breaker, counted).await?;
        Ok(count)
    }

    /// Changes a breaker that is still the one that was seen, however others have changed it meanwhile.
    async fn amend(&self, seen: &Breaker, change: impl Fn(&Breaker) -> Option<Breaker>) -> PortResult<bool> {
        for _ in 0..ATTEMPTS {
            self.forget_seen();
            let all = self.0.store.all().await?;
            let known = all.iter().find(|one| one.scope == seen.scope && one.since == seen.since);
            let Some((known, next)) = known.and_then(|known| Some((known, change(known)?))) else {
                return Ok(false);
            };
            if self.0.store.change(known, &next).await? {
                self.forget_seen();
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How long nothing must have been met after a call has come through, until the operator is told that it is over.
    fn quiet(&self) -> Duration {
        self.0.first_pause * 4
    }

    /// How long after so many tries the next one may be made.
    fn pause(&self, probes: i32) -> Duration {
        let doublings = u32::try_from(probes).unwrap_or(0).min(10);
        (self.0.first_pause * 2_u32.pow(doublings)).min(LONGEST_PAUSE.max(self.0.first_pause))
    }

    fn forget_seen(&self) {
        self.seen().at = None;
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the result of a call shows that what it tried is gone. Where everything was stopped, an answer is enough, even
/// a refusal that is about the call itself.
fn is_through<T>(result: &PortResult<T>, call: Call, breaker: &Breaker) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => {
            let is_answer =
                matches!(error.remedy(), Remedy::AwaitTenant | Remedy::StartOver | Remedy::GiveUp);
            is_answer && !call.is_own_scope(&breaker.scope)
        }
    }
}

fn turned_away(call: Call, breaker: &Breaker) -> PortError {
    parked::park(&PortError::new(call.doing(), Remedy::AwaitOperator, breaker.cause.clone()), breaker)
}
