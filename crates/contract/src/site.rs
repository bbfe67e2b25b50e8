use async_trait::async_trait;

use crate::{InstanceId, PortResult};

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
}
