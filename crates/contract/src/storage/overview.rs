use async_trait::async_trait;

use crate::{InstanceState, OperationKind, PortResult, Timestamp};

/// How many instances there are in each stage of life, what runs, and until when what is served is good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// How many instances are in each stage of life; those without any are left out.
    pub instances: Vec<(InstanceState, i64)>,
    /// What runs, by what it does, the step at which it stands, and what it waits for.
    pub running: Vec<RunningOperations>,
    /// When the certificates that are served end, the first to end first.
    pub ends: Vec<Timestamp>,
}

/// Operations that run and stand at the same step of the same plan, and wait for the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningOperations {
    /// What they do.
    pub kind: OperationKind,
    /// The step at which they stand.
    pub step: String,
    /// The scope of the [`Breaker`](crate::Breaker) that they wait for.
    pub waits_for: Option<String>,
    /// How many there are.
    pub count: i64,
}

/// Counts what there is, for the operator. Reads all instances: for people, not for what happens often.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OverviewStore: Send + Sync {
    /// How everything stands.
    async fn overview(&self) -> PortResult<Overview>;
}
