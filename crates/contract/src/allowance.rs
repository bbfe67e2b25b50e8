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

/// What the limits of the certificate authority leave.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Allowance: Send + Sync {
    /// What is left of the limits that concern everybody. A limit that is not known is left out.
    async fn rooms(&self) -> PortResult<Vec<Room>>;
}
