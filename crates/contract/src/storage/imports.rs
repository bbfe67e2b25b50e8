use async_trait::async_trait;

use crate::{
    CertificateRecord, DomainName, Instance, InstanceId, IssuanceRecord, LogEntry, Operation, OperationId,
    PortResult, RenewalPlan, Timestamp,
};

/// An instance of an earlier broker with everything that this one keeps about an instance that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The instance, which serves.
    pub instance: Instance,
    /// The operation that stands for its provision by the earlier broker; it has succeeded.
    pub operation: Operation,
    /// What its history says.
    pub log: LogEntry,
    /// The certificate that it serves.
    pub certificate: CertificateRecord,
    /// The issuance that stands for the one by which the earlier broker has obtained it: chain and key, where that broker has
    /// kept the key.
    pub issuance: Option<IssuanceRecord>,
    /// When that is to be renewed.
    pub renewal: RenewalPlan,
    /// Those of its names for which records of the earlier broker stay good:
    /// [`DomainRecord::inherited`](crate::DomainRecord::inherited).
    pub inherited: Vec<DomainName>,
    /// Which broker it is of.
    pub source: String,
    /// When it was adopted.
    pub at: Timestamp,
}

/// What became of an adoption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// All of it is stored.
    Done,
    /// There is an instance of this id. Nothing was changed.
    IdTaken,
    /// Other instances have proven these of its names. Nothing was changed.
    NamesTaken(Vec<DomainName>),
}

/// An instance that was adopted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRecord {
    /// The instance.
    pub instance: InstanceId,
    /// Which broker it was of.
    pub source: String,
    /// The operation that stands for its provision.
    pub operation: OperationId,
    /// When it was adopted.
    pub at: Timestamp,
    /// Whether another operation was begun on it since, so that it cannot be forgotten any more.
    pub changed: bool,
}

/// Keeps what was adopted from earlier brokers.
#[async_trait]
pub trait ImportStore: Send + Sync {
    /// Stores an instance with everything that belongs to it, and gives it the names it serves: all or nothing.
    async fn adopt(&self, adoption: &Adoption) -> PortResult<Adopted>;

    /// The record of an adopted instance.
    async fn imported(&self, id: &InstanceId) -> PortResult<Option<ImportRecord>>;

    /// At most `limit` adopted instances behind `after`, in the order of their ids.
    async fn imports(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<ImportRecord>>;

    /// Forgets an adopted instance and everything that belongs to it, as if it had never been adopted. `false` when it was
    /// not, or when an operation was begun on it or links to its page were revoked since: nothing was changed.
    async fn forget_import(&self, id: &InstanceId) -> PortResult<bool>;
}
