use async_trait::async_trait;

use crate::{
    CertificateFacts, DomainName, InstanceId, IssuanceId, PortResult, StoredCertificate, Timestamp, VaultName,
};

/// The stage of life of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// It is being obtained, or is obtained but not yet in the vault.
    Pending,
    /// It is in the vault.
    Stored,
    /// It is attached and deployed.
    Live,
    /// A successor is live; it waits for removal.
    Retired,
    /// It is no longer in the vault.
    Removed,
}

/// One certificate of an instance. Its names are computed from stored ids and saved before they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRecord {
    /// The instance it is for.
    pub instance: InstanceId,
    /// The incarnation of the instance.
    pub incarnation: i32,
    /// 1 for the first certificate of the incarnation, one more for each successor.
    pub generation: i32,
    /// The names it was asked for, in the user's order; never empty.
    pub names: Vec<DomainName>,
    /// The issuance that obtains it.
    pub issuance: IssuanceId,
    /// The name it is kept under in the vault.
    pub vault_name: VaultName,
    /// How the CDN calls it, once it is in the vault.
    pub stored: Option<StoredCertificate>,
    /// What it says, once it is issued.
    pub facts: Option<CertificateFacts>,
    /// The stage of life.
    pub state: CertificateState,
    /// Whether nobody has its private key: another broker has obtained it. It can be served for as long as the vault has it,
    /// and is replaced early.
    pub keyless: bool,
}

/// What tells one certificate from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateKey {
    /// The instance.
    pub instance: InstanceId,
    /// Its incarnation.
    pub incarnation: i32,
    /// The generation.
    pub generation: i32,
}

impl CertificateRecord {
    /// What tells it from all others.
    pub fn key(&self) -> CertificateKey {
        let Self { instance, incarnation, generation, .. } = self;
        CertificateKey { instance: instance.clone(), incarnation: *incarnation, generation: *generation }
    }

    /// Whether it is on its way to be served: pending or stored.
    pub fn is_underway(&self) -> bool {
        matches!(self.state, CertificateState::Pending | CertificateState::Stored)
    }
}

/// Keeps the certificates of instances.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CertificateStore: Send + Sync {
    /// Writes a record, replacing the one of the same instance, incarnation and generation. Only the holder of the
    /// instance's lease writes.
    async fn put(&self, record: &CertificateRecord) -> PortResult<()>;

    /// Writes a record as the one that is live; the one that was live until now is retired. Both or neither, so that
    /// there is never more than one. The same rule as for `put` says who may write.
    async fn make_live(&self, record: &CertificateRecord) -> PortResult<()>;

    /// The certificate that was given this name in the vault; `None` when none ever was, here.
    async fn named(&self, name: &VaultName) -> PortResult<Option<CertificateRecord>>;

    /// At most `most` of the certificates that are live and expire before a moment, the first to expire first.
    async fn expiring(&self, before: Timestamp, most: u32) -> PortResult<Vec<CertificateRecord>>;

    /// At most `most` certificates behind `after`, in the order of instance, incarnation and generation, whatever has become
    /// of them. Whoever hands in the last one of a page gets the next page; the order of instances is the database's own for
    /// texts, and always the same.
    async fn list(&self, after: Option<CertificateKey>, most: u32) -> PortResult<Vec<CertificateRecord>>;

    /// The certificates of one incarnation, oldest generation first.
    async fn of_instance(&self, id: &InstanceId, incarnation: i32) -> PortResult<Vec<CertificateRecord>>;
}
