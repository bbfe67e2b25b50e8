//! What the steps look up and put together.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{
    CertificateBundle, CertificateRecord, CertificateState, Distribution, DistributionId, DistributionSpec,
    Instance, IssuanceProgress, PortError, PortResult, Remedy, Serving,
};

use super::Run;
use crate::names;

impl Run<'_> {
    /// The instance's current certificate. On first use its names are computed and stored, before anybody uses them.
    pub(super) async fn certificate(&self) -> PortResult<CertificateRecord> {
        if let Some(newest) = self.certificates().await?.pop() {
            return Ok(newest);
        }
        let first = CertificateRecord {
            instance: self.instance.id.clone(),
            incarnation: self.instance.incarnation,
            generation: 1,
            issuance: names::issuance_id(self.instance, 1),
            vault_name: names::vault_name(self.instance, 1),
            stored: None,
            facts: None,
            state: CertificateState::Pending,
        };
        self.ports.certificates.put(&first).await?;
        Ok(first)
    }

    /// All certificates of this incarnation, oldest first.
    pub(super) async fn certificates(&self) -> PortResult<Vec<CertificateRecord>> {
        self.ports.certificates.of_instance(&self.instance.id, self.instance.incarnation).await
    }

    /// The issued certificate with its key; `None` when the issuer has still work to do for it.
    pub(super) async fn issued(
        &self,
        certificate: &CertificateRecord,
    ) -> PortResult<Option<CertificateBundle>> {
        match self.ports.issuer.advance(&certificate.issuance).await? {
            IssuanceProgress::Issued(bundle) => Ok(Some(bundle)),
            IssuanceProgress::Working { .. }
            | IssuanceProgress::AwaitingProof { .. }
            | IssuanceProgress::HeldBack { .. } => Ok(None),
        }
    }

    /// The names together with their certificate; `None` before the certificate is in the vault.
    pub(super) async fn serving(&self) -> PortResult<Option<Serving>> {
        let stored = self.certificate().await?.stored;
        Ok(stored.map(|certificate| Serving { names: self.instance.settings.domains.clone(), certificate }))
    }

    /// Keeps the id and the host name of the distribution.
    pub(super) async fn record_distribution(&self, made: &Distribution) -> PortResult<()> {
        let Instance { id, reference, .. } = self.instance;
        self.ports.instances.record_distribution(id, reference, &made.id, &made.domain).await
    }

    /// What the distribution should be.
    pub(super) fn spec(&self, serving: Option<Serving>) -> DistributionSpec {
        let settings = &self.instance.settings;
        DistributionSpec {
            instance: self.instance.id.clone(),
            serving,
            origin: settings.origin.clone(),
            behaviour: settings.behaviour.clone(),
            tags: self.tags(),
        }
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let request = &self.instance.request;
        [
            ("Organization", &request.organization),
            ("Space", &request.space),
            ("Service", &request.service_id),
            ("Plan", &request.plan_id),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .chain([("ServiceInstance".to_owned(), self.instance.id.as_str().to_owned())])
        .collect()
    }

    /// How long until it makes sense to ask about the deployment again.
    pub(super) fn deployment_wait(&self) -> Duration {
        self.settings.pace.deployment_wait(self.ports.clock.now().since(self.operation.step_since))
    }
}

/// The distribution that the store knows is not at the CDN any more.
pub(super) fn vanished(id: &DistributionId) -> PortError {
    PortError::new(
        "wait for the deployment",
        Remedy::StartOver,
        format!("distribution {id} no longer exists"),
    )
    .for_tenant("The CDN distribution of this service instance was removed outside of this service.")
}
