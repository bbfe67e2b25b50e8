use std::time::Duration;

use contract::{IssuanceRecord, Timestamp};

const DAY: Duration = Duration::from_hours(24);

const HOUR: Duration = Duration::from_hours(1);
/// How soon to look at what was put into place only now.
pub(crate) const SOON: Duration = Duration::from_secs(2);

/// How long until it makes sense to look for a proof again: often while the user is at the keyboard, seldom after
/// days. One sixtieth of the issuance's age in the first hour; then slower, up to five minutes after a day.
pub(crate) fn look_again(age: Duration) -> Duration {
    // Four minutes more in the 23 hours that follow.
    let slower = age.saturating_sub(HOUR) / (23 * 3600 / 240);
    (age.min(HOUR) / 60 + slower).clamp(SOON, Duration::from_mins(5))
}

/// How long to leave an authority alone that is at work since `since`: half of what has passed, so that a quick one
/// costs no time and a score of questions covers the first five seconds, and what it asks for where it does.
pub(crate) fn poll_again(since: Duration, asked: Option<Duration>) -> Duration {
    let own = (since / 2).clamp(Duration::from_millis(2), Duration::from_secs(10));
    asked.map_or(own, |asked| asked.max(own))
}

/// How long to wait after an order that the authority has declared invalid: 1, 10 and 100 minutes, then a day, as
/// Let's Encrypt asks its clients to; it pauses names whose validation fails too often.
pub(crate) fn after_failed_order(orders_placed: i32) -> Duration {
    match orders_placed {
        ..=1 => Duration::from_mins(1),
        2 => Duration::from_mins(10),
        3 => Duration::from_mins(100),
        _ => DAY,
    }
}

/// How long to wait after an order that has died without fault: not at all the first time, then minutes, so that
/// an authority that forgets every order is not asked for new ones in a circle.
pub(crate) fn after_lost_order(orders_placed: i32) -> Duration {
    let minutes = u64::try_from(orders_placed.saturating_sub(1)).unwrap_or(0).min(60);
    Duration::from_secs(minutes * 60)
}

/// When the proofs of an issuance were last looked at or judged; when it was opened, if never.
pub(crate) fn last_event(record: &IssuanceRecord) -> Timestamp {
    let looks = record.authorizations.iter().filter_map(|one| one.last_look.as_ref());
    looks.map(|look| look.at).max().unwrap_or(record.opened_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_rarer_with_age() {
        let after = |seconds| look_again(Duration::from_secs(seconds)).as_secs();
        assert_eq!([after(0), after(600), after(3600), after(7 * 86_400)], [2, 10, 60, 300]);
        assert_eq!(
            [after(45_000), after(86_399), after(86_400)],
            [180, 299, 300],
            "the half of it at half past noon"
        );
    }

    #[test]
    fn an_authority_at_work_is_asked_quickly_first_and_never_before_it_wants() {
        let millis = |since, asked: Option<u64>| {
            poll_again(Duration::from_millis(since), asked.map(Duration::from_millis)).as_millis()
        };
        assert_eq!([millis(0, None), millis(1000, None), millis(60_000, None)], [2, 500, 10_000]);
        assert_eq!([millis(0, Some(3000)), millis(60_000, Some(3000))], [3000, 10_000]);
    }

    #[test]
    fn failures_reach_one_order_a_day() {
        assert_eq!(
            [1, 2, 3, 4, 99].map(after_failed_order).map(|d| d.as_secs() / 60),
            [1, 10, 100, 1440, 1440]
        );
    }

    #[test]
    fn a_lost_order_is_replaced_at_once_only_the_first_time() {
        assert_eq!([0, 1, 2, 3, 99].map(after_lost_order).map(|d| d.as_secs() / 60), [0, 0, 1, 2, 60]);
    }
}
