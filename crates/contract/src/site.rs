use async_trait::async_trait;

use crate::{InstanceId, Page, PageToken, PortResult, Timestamp};

/// A folder with answers in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFolder {
    /// Its name, as [`ChallengeSite::folder`] gives it.
    pub name: String,
    /// When its newest answer was presented.
    pub changed_at: Timestamp,
}

/// Where HTTP-01 answers are put so that the CDN serves them (RFC 8555, section 8.3). Each instance has a folder of
/// its own: what one instance presents can prove nothing for another.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait ChallengeSite: Send + Sync {
    /// Makes `answer` readable below `/.well-known/acme-challenge/TOKEN` of the instance's distribution. Presenting
    /// again replaces the answer.
    async fn present(&self, instance: &InstanceId, token: &str, answer: &str) -> PortResult<()>;

    /// Takes one answer away. Withdrawing what is gone is success.
    async fn withdraw(&self, instance: &InstanceId, token: &str) -> PortResult<()>;

    /// Takes all answers of an instance away. Clearing an empty folder is success.
    async fn clear(&self, instance: &InstanceId) -> PortResult<()>;

    /// The name of an instance's folder. It is the same for all time; no two instances share one.
    fn folder(&self, instance: &InstanceId) -> String;

    /// All folders with answers in them, page by page, those of another broker that shares the place too. A folder with many
    /// answers may be on several pages.
    ///
    /// Errors: `Retry`, `AwaitOperator` (access, credentials, no such place). After an error nothing can be said about what
    /// was not seen.
    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<SiteFolder>>;
}
