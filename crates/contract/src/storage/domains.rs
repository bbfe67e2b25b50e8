use async_trait::async_trait;

use crate::{DomainName, InstanceId, PortResult, Timestamp};

/// How a name stands that an instance has proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainState {
    /// It has been proven, and belongs to the instance.
    Proven,
    /// It was proven once and could not be proven any more when the certificate had to be renewed, which went on without
    /// it. It belongs to nobody: whoever proves it next has it.
    Lapsed,
}

/// One name of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRecord {
    /// The name.
    pub name: DomainName,
    /// The instance.
    pub instance: InstanceId,
    /// How it stands.
    pub state: DomainState,
    /// Since when.
    pub since: Timestamp,
    /// Whether the instance has brought it along from an earlier broker whose records for it stay good: see
    /// [`CertificateRequest::inherited`](crate::CertificateRequest::inherited). It stays so for as long as the name stays
    /// with the instance.
    pub inherited: bool,
}

/// Keeps which instance has which name. A name belongs to the first instance that proves it; several may ask for it
/// before. The names `*.example.gov` and `www.example.gov` are two names.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait DomainStore: Send + Sync {
    /// Gives `names`, which have been proven, to an instance: all of them or none. Answers with those it could not have
    /// because another instance has proven them; nothing was changed then. What is its own already stays its own. An
    /// instance of which nothing is left, or that is in another incarnation by now, gets nothing and is told all.
    async fn claim(
        &self,
        instance: &InstanceId,
        incarnation: i32,
        names: &[DomainName],
    ) -> PortResult<Vec<DomainName>>;

    /// Who has proven which of `names`, by name.
    async fn owners(&self, names: &[DomainName]) -> PortResult<Vec<DomainRecord>>;

    /// The names of an instance, proven and lapsed, by name.
    async fn of_instance(&self, instance: &InstanceId) -> PortResult<Vec<DomainRecord>>;

    /// Marks those of `names` that the instance has proven as lapsed.
    async fn lapse(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<()>;

    /// Gives back all names of the instance but `names`, lapsed ones too.
    async fn keep_only(&self, instance: &InstanceId, names: &[DomainName]) -> PortResult<()>;
}
