use std::sync::Arc;

use contract::{
    Alerts, Cdn, CertificateIssuer, CertificateStore, CertificateVault, ChallengeAnswers, ChallengeSite,
    ChoreStore, Clock, DomainName, DomainStore, InstanceId, InstanceStore, ManagedZone, NameProbe,
    OperationStore, Outbox, PlatformDirectory, PortResult, Randomness, Readiness, RenewalStore, SweepStore,
    TroubleStore, WorkQueue, durable_label,
};

use crate::Breakers;

/// Everything the service needs from the world, each behind its port.
#[derive(Clone)]
pub struct Ports {
    /// Who issues certificates.
    pub issuer: Arc<dyn CertificateIssuer>,
    /// Who sees where names lead.
    pub names: Arc<dyn NameProbe>,
    /// Who serves the domains.
    pub cdn: Arc<dyn Cdn>,
    /// Where certificates are kept for the CDN.
    pub vault: Arc<dyn CertificateVault>,
    /// Where HTTP-01 answers are put.
    pub site: Arc<dyn ChallengeSite>,
    /// The records that users point their names at once and for ever; `None` when the operator offers none.
    pub managed: Option<ManagedNames>,
    /// The platform's own domains; `None` when the operator has not said where it is.
    pub platform: Option<Arc<dyn PlatformDirectory>>,
    /// What the authority asks this broker itself for.
    pub answers: Arc<dyn ChallengeAnswers>,
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
    /// When the broker does what it does by itself, and what it has found.
    pub chores: Arc<dyn ChoreStore>,
    /// What has gone wrong with single instances.
    pub troubles: Arc<dyn TroubleStore>,
    /// Whether what is kept can be reached.
    pub readiness: Arc<dyn Readiness>,
    /// What only the operator can remove; all that leads upstream is guarded by them.
    pub breakers: Breakers,
    /// Where letters to users are put; `None` where the operator has set up nobody who delivers them.
    pub letters: Option<Arc<dyn Outbox>>,
    /// Who tells the operator.
    pub alerts: Arc<dyn Alerts>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for ids and jitter.
    pub randomness: Arc<dyn Randomness>,
}

/// The records that users point their names at once and for ever: `LABEL.ZONE`, each with the label of one name for one
/// organization.
#[derive(Clone)]
pub struct ManagedNames {
    /// Where the records are kept.
    pub zone: Arc<dyn ManagedZone>,
    /// The name of the zone, without a trailing dot.
    pub apex: DomainName,
    /// The host name that a record leads to until the name has its certificate: the operator's front end that answers
    /// for any name on port 80.
    pub challenge_host: String,
}

impl ManagedNames {
    /// The owner of the record for `name`, absolute.
    pub(crate) fn record(&self, organization: &str, name: &DomainName) -> String {
        format!("{}.{}.", durable_label(organization, name), self.apex)
    }
}

impl Ports {
    /// The names of an instance for which the records of an earlier broker stay good.
    pub(crate) async fn inherited(&self, instance: &InstanceId) -> PortResult<Vec<DomainName>> {
        let names = self.domains.of_instance(instance).await?;
        Ok(names.into_iter().filter(|one| one.inherited).map(|one| one.name).collect())
    }

    /// A fresh id: thirty-two hexadecimal digits that nobody has seen before (R109).
    pub(crate) fn fresh_id(&self) -> String {
        self.randomness.bytes().iter().fold(String::with_capacity(32), |id, b| id + &format!("{b:02x}"))
    }
}
