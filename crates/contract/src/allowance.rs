use std::time::Duration;

use async_trait::async_trait;

use crate::{DomainName, PortResult, Timestamp};

/// How much of something that is scarce is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// What is scarce, in one word, such as `orders`.
    pub limit: &'static str,
    /// How much may be taken at once now.
    pub left: f64,
    /// How much that is at most.
    pub most: u32,
}

/// One of the limits, and where the least of it is left.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownLimit {
    /// What is scarce, in one word: `orders`, `certificates-per-domain`, `certificates-per-set`, `failures`,
    /// `failures-in-a-row`.
    pub limit: &'static str,
    /// How much may be taken at once at most.
    pub most: u32,
    /// In how much time all of it comes back.
    pub period: Duration,
    /// How much of it is kept for renewals, so that first certificates stop when so much is left.
    pub kept: f64,
    /// Where something of it was used and has not come back yet, the least that is left first.
    pub rooms: Vec<RoomOf>,
}

/// How much is left of a limit that is counted one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomOf {
    /// What it is counted for: a registered domain, a name, the digest of a set of names; `None` for the account.
    pub whose: Option<String>,
    /// How much may be taken at once now.
    pub left: f64,
}

/// How far one limit of the certificate authority is used up.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitUse {
    /// Which one: `orders`, `domain`, `set`, `failures` or `in-a-row`.
    pub limit: &'static str,
    /// What it is about: a registered domain, a name, or for `set` what [`Allowance::set`] gives for some names. Empty for the
    /// limit of all orders.
    pub about: String,
    /// How much may be taken at once now, by what may use all of it; `None` when the limit itself is not known.
    pub left: Option<f64>,
    /// How much that is at most.
    pub most: Option<u32>,
    /// In how much time an empty bucket is full again.
    pub period: Option<Duration>,
    /// When nothing of it will be used any more.
    pub full_at: Option<Timestamp>,
    /// Until when the authority itself has said that it wants no such orders.
    pub held_until: Option<Timestamp>,
}

/// What the limits of the certificate authority leave.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Allowance: Send + Sync {
    /// What is left of the limits that concern everybody. A limit that is not known is left out.
    async fn rooms(&self) -> PortResult<Vec<Room>>;

    /// All limits that are known, each with the `most` places where the least is left. Reads all that was counted: for
    /// people, not for what happens often.
    async fn limits(&self, most: u32) -> PortResult<Vec<KnownLimit>>;

    /// All that is used of any limit at this moment, and the limit of all orders in any case where it is known.
    async fn usage(&self) -> PortResult<Vec<LimitUse>>;

    /// What stands for exactly these names in [`LimitUse::about`].
    fn set(&self, names: &[DomainName]) -> String;
}
