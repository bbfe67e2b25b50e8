//! How deliveries get to their targets. A target that is slow, wrong or away delays nobody but itself.

use std::time::Duration;

use contract::{Dispatch, DispatchState, Parcel, PortError, PortResult, Remedy, Timestamp};
use futures_util::future::join_all;

use super::Notifier;

/// How long a delivery that was taken is left to the one who took it; longer than one try can take.
const LEASE: Duration = Duration::from_mins(2);
/// How long one try may take. Messengers have shorter limits of their own.
pub(super) const TRY: Duration = Duration::from_secs(45);
/// How many deliveries are tried at once.
const MOST: u32 = 16;
/// The pauses between tries grow from the first to the second of these.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(15));
/// When a delivery is given up.
const LONG: Duration = Duration::from_hours(24);
/// The longest time without a look: another broker may have stored something.
const LONGEST_NAP: Duration = Duration::from_secs(5);
/// The shortest, when something is due that somebody else is trying.
const SHORTEST_NAP: Duration = Duration::from_millis(500);

impl Notifier {
    /// Delivers for ever. What it is in the middle of when it is dropped falls due again.
    pub(crate) async fn serve(&self) {
        loop {
            if let Err(error) = self.post_due().await {
                tracing::error!(%error, "could not look for what is to be delivered");
            }
            let nap = self.nap().await;
            // Woken or not, it looks again.
            let _ = tokio::time::timeout(nap, self.0.bell.notified()).await;
        }
    }

    /// Tries every delivery that is due.
    ///
    /// Errors: the store's, when it could not even be asked what is due.
    pub async fn post_due(&self) -> PortResult<()> {
        self.keep_unsaved().await?;
        loop {
            let due = self.0.outbox.take_due(self.0.clock.now(), LEASE, MOST).await?;
            if due.is_empty() {
                return Ok(());
            }
            join_all(due.iter().map(|delivery| self.post(delivery))).await;
        }
    }

    async fn post(&self, taken: &Dispatch) {
        let result = match tokio::time::timeout(self.1, self.hand_over(taken)).await {
            Ok(result) => result,
            Err(_) => Err(PortError::new("deliver", Remedy::Retry { after: None }, "it takes too long")),
        };
        let next = after(taken, &result, self.0.clock.now());
        tell(&next);
        match self.0.outbox.keep(taken, &next).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(alert.target = %taken.target, "another broker has tried as well"),
            Err(error) => tracing::error!(%error, alert.target = %taken.target, "could not keep a delivery"),
        }
    }

    async fn hand_over(&self, taken: &Dispatch) -> PortResult<()> {
        let known = self.0.messengers.iter().find(|messenger| messenger.target() == taken.target);
        let Some(messenger) = known else {
            let why = format!("this broker has no target `{}`", taken.target);
            return Err(PortError::new("deliver", Remedy::Retry { after: None }, why));
        };
        let parcel = Parcel {
            id: format!("{}-{}", taken.about, taken.number),
            about: taken.about.clone(),
            notice: taken.notice.clone(),
        };
        messenger.deliver(&parcel).await
    }

    async fn nap(&self) -> Duration {
        let next = self.0.outbox.next_due().await.ok().flatten();
        let wait = next.map_or(LONGEST_NAP, |due| due.since(self.0.clock.now()));
        wait.clamp(SHORTEST_NAP, LONGEST_NAP)
    }
}

/// How a delivery stands after a try.
fn after(taken: &Dispatch, result: &PortResult<()>, now: Timestamp) -> Dispatch {
    let tried = Dispatch { attempts: taken.attempts.saturating_add(1), ..taken.clone() };
    let Err(error) = result else {
        return Dispatch { state: DispatchState::Delivered, ended_at: Some(now), error: None, ..tried };
    };
    let tried = Dispatch { error: Some(error.to_string()), ..tried };
    if error.remedy() == Remedy::GiveUp || now.since(taken.created_at) >= LONG {
        return Dispatch { state: DispatchState::GivenUp, ended_at: Some(now), ..tried };
    }
    Dispatch { next_at: now + pause(taken.attempts), ..tried }
}

fn pause(attempts: i32) -> Duration {
    let (shortest, longest) = PAUSES;
    let doublings = u32::try_from(attempts).unwrap_or(0).min(12);
    (shortest * 2_u32.pow(doublings)).min(longest)
}

fn tell(delivery: &Dispatch) {
    let Dispatch { target, about, number, attempts, .. } = delivery;
    let error = delivery.error.as_deref().unwrap_or_default();
    match delivery.state {
        DispatchState::Delivered => {
            tracing::info!(alert.target = %target, alert.about = %about, number, attempts, "delivered");
        }
        DispatchState::Waiting => tracing::warn!(
            alert.target = %target, alert.about = %about, number, attempts, "not delivered, tried again: {error}"
        ),
        DispatchState::GivenUp => tracing::error!(
            alert.target = %target, alert.about = %about, number, attempts, "not delivered, given up: {error}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        let pauses = [0, 1, 2, 7, 8, 100].map(|attempts| pause(attempts).as_secs());
        assert_eq!(pauses, [5, 10, 20, 640, 900, 900]);
    }
}
