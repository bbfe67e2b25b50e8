//! The canary: an instance of this service that the broker keeps for itself, and what it is tried out with from end to end.
//!
//! It lives in the managed zone, is asked for, changed and deleted through the broker's own API with the broker's own
//! credentials, and is an instance like any other to all the rest: its certificate is obtained, stored, attached and renewed
//! as everybody's is, inside of the authority's limits as they are kept account of (decision 80).

mod api;
mod check;
mod end_to_end;
mod home;
mod memory;
mod own;
mod slow;
mod stages;
#[cfg(test)]
mod tests;

pub use end_to_end::{EndToEnd, EndToEndPorts, Progress as EndToEndProgress};
pub use home::{CanaryStore, KeptCanary};

use std::sync::Arc;
use std::time::Duration;

use contract::{DomainName, ManagedZone, Secret};

use crate::Tls;

/// In whose name canaries are asked for: an organization and a space that no platform has.
pub(crate) const ORGANIZATION: &str = "cdn-broker-canary";

/// What the operator has set up for canaries.
#[derive(Clone)]
pub struct CanarySettings {
    /// Where the broker's own API is reached: a URL without a path.
    pub api: String,
    /// The certificate that it presents, where that is this process's own; otherwise the system's authorities are trusted.
    pub own: Option<Arc<Tls>>,
    /// Credentials of its own.
    pub username: String,
    /// The password that belongs to them.
    pub password: Secret,
    /// How many certificates may be ordered for canaries in a week, at most; none when it is 0.
    pub orders_per_week: u32,
    /// Where content comes from; the default origin when it is not said.
    pub origin: Option<DomainName>,
    /// How soon it is looked at the latest whether something that takes its time is over.
    pub pace: Duration,
}

/// The zone that canaries live in.
#[derive(Clone)]
pub struct CanaryZone {
    /// The records.
    pub zone: Arc<dyn ManagedZone>,
    /// Its name.
    pub apex: DomainName,
}
