//! Wrong passwords: how many are answered as such, and what everybody else is told (R118, docs/decisions/0050).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::Timestamp;
use http::HeaderMap;
use osb_core::{Response, claimed_user};

/// So many wrong passwords may come at once,
const BURST: u32 = 100;
/// and then one in this time.
const EACH: Duration = Duration::from_secs(1);
/// About so many peers and users are remembered; whoever has done least is forgotten first.
const REMEMBERED: usize = 4096;

/// Counts wrong passwords by the peer that has sent them and by the user that they were for.
///
/// Only what has been refused comes here: right passwords are let in before anybody counts, so nobody can lock anybody out.
pub(crate) struct FailedLogins {
    /// For each who, when all that was sent will have been worked off.
    until: Mutex<HashMap<Who, Timestamp>>,
    /// Names are kept as hashes, so that a long one takes no room.
    names: RandomState,
}

/// Who is held to account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Peer(IpAddr),
    User(u64),
}

impl FailedLogins {
    pub(crate) fn new() -> Self {
        Self { until: Mutex::default(), names: RandomState::new() }
    }

    /// The answer to a request that was refused for its credentials: the refusal, or 429 where there have been too many. A
    /// request without any credentials is nobody's guess, and is not counted.
    pub(super) fn answer(
        &self,
        refusal: Response,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        now: Timestamp,
    ) -> Response {
        match self.note(headers, peer, now) {
            None => refusal,
            Some(wait) => Response::too_many_attempts(wait).for_request(headers),
        }
    }

    /// Counts credentials that were refused; how long until the next may come, if there have been too many.
    pub(crate) fn note(&self, headers: &HeaderMap, peer: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        if !headers.contains_key(http::header::AUTHORIZATION) {
            return None;
        }
        let user = claimed_user(headers).map(|user| Who::User(self.names.hash_one(user)));
        let whos = [peer.map(|peer| Who::Peer(neighbourhood(peer))), user];
        let wait = whos.into_iter().flatten().filter_map(|who| self.count(who, now)).max();
        if wait.is_none() {
            tracing::warn!(peer = peer.map(tracing::field::display), "wrong credentials");
        }
        wait
    }

    /// Counts one; how long until the next may come, if there have been too many. Those are not counted again.
    fn count(&self, who: Who, now: Timestamp) -> Option<Duration> {
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let until = all.get(&who).copied().unwrap_or(now).max(now) + EACH;
        let ahead = until.since(now);
        if let Some(wait) = ahead.checked_sub(EACH * BURST).filter(|wait| !wait.is_zero()) {
            return Some(wait);
        }
        if all.len() >= REMEMBERED && !all.contains_key(&who) {
            forget(&mut all, now);
        }
        all.insert(who, until);
        None
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.until.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Makes room: for whom everything is worked off, and otherwise the half who have done least.
fn forget(all: &mut HashMap<Who, Timestamp>, now: Timestamp) {
    all.retain(|_, until| *until > now);
    if all.len() >= REMEMBERED {
        let mut moments: Vec<Timestamp> = all.values().copied().collect();
        let middle = moments.len() / 2;
        let (_, median, _) = moments.select_nth_unstable(middle);
        let median = *median;
        all.retain(|_, until| *until > median);
    }
}

/// Whoever has one address of IPv6 has the 2^64 beside it too.
fn neighbourhood(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(peer) => IpAddr::V4(peer),
        IpAddr::V6(peer) => {
            let [a, b, c, d, ..] = peer.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{AUTHORIZATION, RETRY_AFTER};
    use osb_core::ErrorCode;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    /// The status, and what `Retry-After` says.
    fn ask(
        logins: &FailedLogins,
        user: &str,
        peer: impl Into<Option<IpAddr>>,
        now: Timestamp,
    ) -> (u16, Option<String>) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:wrong"));
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::try_from(format!("Basic {encoded}")).expect("ASCII"));
        let answer =
            logins.answer(Response::error(ErrorCode::Unauthorized, "No."), &headers, peer.into(), now);
        let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        (answer.status().as_u16(), after.map(str::to_owned))
    }

    #[test]
    fn a_hundred_at_once_and_then_one_a_second() {
        let logins = FailedLogins::new();
        for _ in 0..BURST {
            assert_eq!(ask(&logins, "a", peer(1), NOW).0, 401);
        }
        for _ in 0..3 {
            assert_eq!(ask(&logins, "a", peer(1), NOW), (429, Some("1".to_owned())));
        }
        assert_eq!(ask(&logins, "a", peer(1), NOW + EACH).0, 401);
        assert_eq!(ask(&logins, "a", peer(1), NOW + EACH).0, 429);
        assert_eq!(ask(&logins, "a", peer(1), NOW + EACH * 1000).0, 401);
    }

    #[test]
    fn a_peer_with_many_users_and_a_user_of_many_peers_are_both_seen() {
        let (one_peer, one_user) = (FailedLogins::new(), FailedLogins::new());
        let last = (0..=BURST).map(|number| ask(&one_peer, &number.to_string(), peer(1), NOW).0).last();
        assert_eq!((last, ask(&one_peer, "x", peer(2), NOW).0), (Some(429), 401));
        let last = (0..=100_u8).map(|number| ask(&one_user, "a", peer(number), NOW).0).last();
        assert_eq!((last, ask(&one_user, "b", peer(200), NOW).0), (Some(429), 401));
    }

    #[test]
    fn a_neighbourhood_of_ipv6_is_one_peer() {
        let logins = FailedLogins::new();
        let peer = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
        let last = (0..=100).map(|number| ask(&logins, &number.to_string(), peer(number), NOW).0).last();
        assert_eq!(last, Some(429));
    }

    #[test]
    fn who_sends_no_credentials_is_not_counted() {
        let logins = FailedLogins::new();
        for _ in 0..1000 {
            let refusal = Response::error(ErrorCode::Unauthorized, "No.");
            let answer = logins.answer(refusal, &HeaderMap::new(), Some(peer(1)), NOW);
            assert_eq!(answer.status(), 401);
        }
        assert_eq!(logins.remembered(), 0);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_whoever_does_most() {
        let logins = FailedLogins::new();
        for _ in 0..=BURST {
            ask(&logins, "busy", peer(1), NOW);
        }
        for number in 0..50_000 {
            ask(&logins, &number.to_string(), None, NOW);
            assert!(logins.remembered() <= REMEMBERED);
        }
        assert_eq!(ask(&logins, "busy", None, NOW).0, 429);
    }
}
