use std::time::Duration;

use async_trait::async_trait;

use crate::{InstanceState, OperationKind, PortResult, Side, Timestamp};

/// How much there is of what, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The operations that run.
    pub operations: Vec<OperationCount>,
    /// Service instances by state; states without any are left out.
    pub instances: Vec<(InstanceState, u64)>,
    /// The certificates that are served, by how soon they expire: for each of the given horizons, how many expire within it.
    pub expiring: Vec<(Duration, u64)>,
    /// All certificates that are served.
    pub certificates: u64,
    /// When the first of them expires.
    pub next_expiry: Option<Timestamp>,
    /// The incidents that are open, by probable side.
    pub incidents: Vec<(Option<Side>, u64)>,
    /// What waits to be delivered, by target, and when the oldest was stored.
    pub waiting: Vec<(String, u64, Timestamp)>,
    /// What was given up of what was to be delivered, by target, as long as it is kept.
    pub given_up: Vec<(String, u64)>,
    /// The instances that a broker works on at this moment.
    pub leases: u64,
}

/// How many operations run, of one kind, at one step, and in one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationCount {
    /// Their kind.
    pub kind: OperationKind,
    /// The step at which they stand.
    pub step: String,
    /// Their condition.
    pub condition: Condition,
    /// The scope of the [`Breaker`](crate::Breaker) that they wait for, if they are parked.
    pub waits_for: Option<String>,
    /// How many.
    pub count: u64,
    /// When the oldest of them was accepted.
    pub oldest: Timestamp,
}

/// What an operation that runs is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// It gets on, or waits for something that takes its time.
    Working,
    /// Its last try has failed.
    Retrying,
    /// It waits for the operator.
    Parked,
}

/// How the connections to the database are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// How many there are.
    pub open: u64,
    /// How many have nothing to do.
    pub idle: u64,
    /// How many there may be.
    pub most: u64,
    /// How many calls wait for one.
    pub queue: u64,
}

/// Counts what is kept, for monitoring and for the operator's overview. Cheap, also with a hundred thousand instances: everything is counted along an index.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CensusStore: Send + Sync {
    /// Counts everything, with `now` as the present moment and certificates by these horizons.
    async fn census(&self, now: Timestamp, horizons: &[Duration]) -> PortResult<Census>;

    /// How the connections are used at this moment. Asks nobody.
    fn pool(&self) -> Pool;
}
