use std::sync::Arc;

use contract::{
    Alerts, Cdn, CertificateIssuer, CertificateStore, CertificateVault, ChallengeSite, Clock, DomainStore,
    InstanceStore, OperationStore, Randomness, RenewalStore, SweepStore, WorkQueue,
};

/// Everything the service needs from the world, each behind its port.
#[derive(Clone)]
pub struct Ports {
    /// Who issues certificates.
    pub issuer: Arc<dyn CertificateIssuer>,
    /// Who serves the domains.
    pub cdn: Arc<dyn Cdn>,
    /// Where certificates are kept for the CDN.
    pub vault: Arc<dyn CertificateVault>,
    /// Where HTTP-01 answers are put.
    pub site: Arc<dyn ChallengeSite>,
    /// The service instances.
    pub instances: Arc<dyn InstanceStore>,
    /// Their operations.
    pub operations: Arc<dyn OperationStore>,
    /// The work to be done on them.
    pub queue: Arc<dyn WorkQueue>,
    /// Their certificates.
    pub certificates: Arc<dyn CertificateStore>,
    /// Which names they have proven.
    pub domains: Arc<dyn DomainStore>,
    /// When their certificates are to be renewed.
    pub renewals: Arc<dyn RenewalStore>,
    /// What is still to be removed from the vault.
    pub sweeps: Arc<dyn SweepStore>,
    /// Who tells the operator.
    pub alerts: Arc<dyn Alerts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for ids and jitter.
    pub randomness: Arc<dyn Randomness>,
}

impl Ports {
    /// A fresh id: thirty-two hexadecimal digits that nobody has seen before (R109).
    pub(crate) fn fresh_id(&self) -> String {
        self.randomness.bytes().iter().fold(String::with_capacity(32), |id, b| id + &format!("{b:02x}"))
    }
}
