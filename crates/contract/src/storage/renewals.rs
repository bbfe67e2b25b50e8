use std::time::Duration;

use async_trait::async_trait;

use crate::{InstanceId, PortResult, Timestamp};

/// When the certificate that an instance serves is to be renewed, and what has been done and said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalPlan {
    /// The instance; each has at most one plan.
    pub instance: InstanceId,
    /// Its incarnation.
    pub incarnation: i32,
    /// The generation of the certificate that is served.
    pub generation: i32,
    /// The moment that was chosen; `None` before anybody has asked for advice.
    pub chosen: Option<ChosenMoment>,
    /// When to look at this plan next.
    pub check_at: Timestamp,
    /// How many renewals of this certificate were begun.
    pub begun: i32,
    /// The last stage of warning that the operator was given: 0 for none.
    pub warned: i32,
}

/// A moment chosen at random inside a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenMoment {
    /// Start of the window.
    pub from: Timestamp,
    /// End of the window.
    pub until: Timestamp,
    /// The moment.
    pub at: Timestamp,
}

impl RenewalPlan {
    /// The first plan for a certificate, due at `now`.
    pub fn first(instance: &InstanceId, incarnation: i32, generation: i32, now: Timestamp) -> Self {
        let instance = instance.clone();
        Self { instance, incarnation, generation, chosen: None, check_at: now, begun: 0, warned: 0 }
    }
}

/// Keeps the plans for renewals. Certificates at rest cost nothing: only what is due is ever read.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait RenewalStore: Send + Sync {
    /// Stores the plan for a certificate that has just gone live, in place of the plan for its predecessor. Does
    /// nothing when there is a plan for this very certificate.
    async fn ensure(&self, plan: &RenewalPlan) -> PortResult<()>;

    /// Takes at most `most` plans whose `check_at` is not after `now`, the longest due first. Each is given to one
    /// caller only, as it stood but for its `check_at`, which is `put_off` after `now`: if the caller dies it falls due
    /// again then.
    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<RenewalPlan>>;

    /// Writes a plan back, unless the instance has by now another certificate, or none. `false` then.
    async fn keep(&self, plan: &RenewalPlan) -> PortResult<bool>;

    /// When the next plan falls due; `None` when there is none.
    async fn next_check(&self) -> PortResult<Option<Timestamp>>;

    /// The plan of an instance.
    async fn of_instance(&self, instance: &InstanceId) -> PortResult<Option<RenewalPlan>>;

    /// Removes a plan, unless the instance has by now another certificate. Removing what is gone is success.
    async fn forget(&self, plan: &RenewalPlan) -> PortResult<()>;
}
