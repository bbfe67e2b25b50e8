use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{DomainName, InstanceId, Lead, Outlook, PortResult, Secret, Timestamp};

/// What was seen of one name that is served. What is `None` could not be seen in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// The name.
    pub name: DomainName,
    /// Where it leads.
    pub lead: Option<Lead>,
    /// How it would be proven if its certificate were renewed now.
    pub outlook: Option<Outlook>,
}

/// What was seen of all names of an instance at one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// When.
    pub at: Timestamp,
    /// One per name that is served, in the user's order.
    pub sights: Vec<Sight>,
}

/// Keeps what the pages of instances need, the same for all brokers.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait PageStore: Send + Sync {
    /// The secret that links and sessions are signed with: `candidate`, unless there is one already. Of many at once all get
    /// the same. Sealed at rest.
    async fn ensure_key(&self, candidate: &Secret) -> PortResult<Secret>;

    /// Which links of an instance are good: those of this generation. 0 until some were revoked, and for an instance that
    /// nobody knows.
    async fn generation(&self, instance: &InstanceId) -> PortResult<i32>;

    /// Makes every link to an instance that was given so far worthless. Gives the generation that is good now; each call
    /// makes another one.
    async fn revoke(&self, instance: &InstanceId) -> PortResult<i32>;

    /// What was seen at the last look at where the names of an instance lead; `None` before the first.
    async fn survey(&self, instance: &InstanceId) -> PortResult<Option<Survey>>;

    /// Keeps what was seen, in place of what was seen before.
    async fn keep_survey(&self, instance: &InstanceId, survey: &Survey) -> PortResult<()>;
}
