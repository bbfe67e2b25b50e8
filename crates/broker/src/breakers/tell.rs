//! Who tells the operator what, and when: once when something stands in the way, once when it is over.

use std::time::Duration;

use contract::{Alert, Breaker, PortResult};

use super::{Breakers, scope};
use crate::alerts::subject;
use crate::describe;

/// How long whoever has opened a breaker may take to tell of it; then somebody else does.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

impl Breakers {
    /// Tells the operator what is still to be told.
    ///
    /// Errors: the store's.
    pub(crate) async fn run_due(&self) -> PortResult<()> {
        let now = self.0.clock.now();
        for breaker in self.0.store.all().await? {
            if self.is_met_no_more(&breaker, now) {
                self.give_way(&breaker).await;
                continue;
            }
            if breaker.tell_at.is_none_or(|tell_at| tell_at > now) {
                continue;
            }
            if breaker.gone_since.is_some() {
                self.tell_gone(&breaker).await?;
            } else {
                let mine = Breaker { tell_at: Some(now + PATIENCE), ..breaker.clone() };
                if self.0.store.change(&breaker, &mine).await? {
                    self.tell_standing(&mine).await?;
                }
            }
        }
        Ok(())
    }

    /// The alert comes first: twice is better than never.
    pub(super) async fn tell_standing(&self, breaker: &Breaker) -> PortResult<()> {
        let scope = scope::in_words(&breaker.scope);
        let message = if scope::is_each_ones_own(&breaker.scope) {
            describe::lacks_a_key(&scope, breaker, self.0.first_pause)
        } else {
            describe::stands_in_the_way(&scope, breaker, self.0.first_pause)
        };
        let alert = Alert::new(subject::breaker(&breaker.scope), message).on(scope::side(&breaker.scope));
        self.0.alerts.raise(alert).await;
        // What has become of it meanwhile decides what there is to be told next.
        let told = |one: &Breaker| {
            let tell_at = one.tell_at.filter(|_| one.gone_since.is_some());
            Some(Breaker { told: true, tell_at, ..one.clone() })
        };
        self.amend(breaker, told).await?;
        Ok(())
    }

    /// Nothing has been met for a while. Of several brokers the one that closes it tells.
    async fn tell_gone(&self, breaker: &Breaker) -> PortResult<()> {
        // What was just being put aside when the others went on.
        let late = self.0.queue.wake(&breaker.scope, self.0.clock.now(), self.0.first_pause).await?;
        if !self.0.store.close(breaker).await? {
            return Ok(());
        }
        self.forget_seen();
        let gone = breaker.gone_since.unwrap_or(breaker.since);
        let waited = breaker.waited.saturating_add(i32::try_from(late).unwrap_or(i32::MAX));
        let message = describe::goes_on(&scope::in_words(&breaker.scope), breaker, waited, gone);
        self.0.alerts.resolve(Alert::new(subject::breaker(&breaker.scope), message)).await;
        Ok(())
    }
}
