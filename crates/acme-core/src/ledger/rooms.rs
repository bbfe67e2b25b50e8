//! What the ledger leaves, for the operator to read.

use contract::{KnownLimit, PortResult, Room, RoomOf};

use super::Ledger;
use super::bucket::Bucket;
use super::scarce::Scarce;
use crate::limits::Quota;

/// How the limit on the orders of the account is called.
const ORDERS: &str = "orders";

impl Ledger {
    /// What is left of the limits that concern the whole account.
    pub(crate) async fn rooms(&self) -> PortResult<Vec<Room>> {
        let Some(quota) = Scarce::Orders.quota(&self.limits) else { return Ok(Vec::new()) };
        let full = self.moment(&Scarce::Orders.key(&self.directory)).await?;
        let left = Bucket { quota, percent: 100 }.left(full, self.clock.now());
        Ok(vec![Room { limit: ORDERS, left, most: quota.count }])
    }

    /// All limits that are known, each with the places where the least is left.
    pub(crate) async fn known_limits(&self, most: u32) -> PortResult<Vec<KnownLimit>> {
        let mut limits = Vec::new();
        for kind in KINDS {
            limits.extend(self.known_limit(kind, most).await?);
        }
        Ok(limits)
    }

    async fn known_limit(&self, (limit, of): Kind, most: u32) -> PortResult<Option<KnownLimit>> {
        let scarce = of(String::new());
        let Some(quota) = scarce.quota(&self.limits) else { return Ok(None) };
        let rooms = match scarce {
            Scarce::Orders => {
                let left = self.rooms().await?.first().map_or(0.0, |room| room.left);
                vec![RoomOf { whose: None, left }]
            }
            _ => self.least_left(&scarce.key(&self.directory), quota, most).await?,
        };
        let kept = if scarce.is_shared_out() { 100_u8.saturating_sub(self.limits.first_percent) } else { 0 };
        let kept = f64::from(quota.count) * f64::from(kept) / 100.0;
        Ok(Some(KnownLimit { limit, most: quota.count, period: quota.period, kept, rooms }))
    }

    /// The quota is the same for all, so that the least is left where all of it is back last.
    async fn least_left(&self, prefix: &str, quota: Quota, most: u32) -> PortResult<Vec<RoomOf>> {
        let now = self.clock.now();
        let used = self.store.furthest(prefix, now, most).await?;
        let room = |(key, full): (String, _)| RoomOf {
            whose: key.strip_prefix(prefix).map(str::to_owned),
            left: Bucket { quota, percent: 100 }.left(Some(full), now),
        };
        Ok(used.into_iter().map(room).collect())
    }
}

/// How a limit is called, and what it is for something.
type Kind = (&'static str, fn(String) -> Scarce);

const KINDS: [Kind; 5] = [
    (ORDERS, |_| Scarce::Orders),
    ("certificates-per-domain", Scarce::Domain),
    ("certificates-per-set", Scarce::Set),
    ("failures", Scarce::Failures),
    ("failures-in-a-row", Scarce::InARow),
];
