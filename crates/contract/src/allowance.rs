use std::time::Duration;

use async_trait::async_trait;

use crate::PortResult;

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

/// What the limits of the certificate authority leave.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Allowance: Send + Sync {
    /// What is left of the limits that concern everybody. A limit that is not known is left out.
    async fn rooms(&self) -> PortResult<Vec<Room>>;

    /// All limits that are known, each with the `most` places where the least is left. Reads all that was counted: for
    /// people, not for what happens often.
    async fn limits(&self, most: u32) -> PortResult<Vec<KnownLimit>>;
}
