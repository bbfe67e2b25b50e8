//! What the steps look up and put together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use contract::{
    CertificateBundle, CertificateRecord, CertificateState, Change, Distribution, DistributionId,
    DistributionSpec, DomainName, DomainState, Instance, IssuanceProgress, Operation, OperationKind,
    OperationState, PortError, PortResult, Remedy, Serving, Settings, Timestamp, Track,
};

use super::{Run, Step};
use crate::worker::WorkSettings;
use crate::{Ports, describe, names, places};

/// The certificate that is served: the newest that is live.
pub(crate) fn live(certificates: &[CertificateRecord]) -> Option<&CertificateRecord> {
    certificates.iter().rfind(|one| one.state == CertificateState::Live)
}

/// The certificate that work on the `wanted` names goes on with: the newest that was asked for exactly these, is not
/// served yet, and is still worth serving.
pub(crate) fn in_work<'a>(
    certificates: &'a [CertificateRecord],
    wanted: &[DomainName],
    now: Timestamp,
) -> Option<&'a CertificateRecord> {
    certificates.iter().rfind(|one| one.is_underway() && same_names(&one.names, wanted) && is_fresh(one, now))
}

/// Whether both are the same set of names, in whatever order.
pub(crate) fn same_names(some: &[DomainName], others: &[DomainName]) -> bool {
    some.len() == others.len() && some.iter().all(|name| others.contains(name))
}

/// Whether a certificate, if it has been issued, has more than a third of its life left: a renewal or an update that was
/// given up long ago may have left one behind that would have to be renewed at once.
fn is_fresh(certificate: &CertificateRecord, now: Timestamp) -> bool {
    certificate.facts.as_ref().is_none_or(|facts| {
        let life = facts.not_after.since(facts.not_before);
        now < facts.not_after - life / 3
    })
}

impl<'a> Run<'a> {
    /// Gets ready to run a step of `operation`.
    ///
    /// Errors: the store's.
    pub(crate) async fn prepare(
        ports: &'a Ports,
        settings: &'a WorkSettings,
        operation: &'a Operation,
        instance: &'a Instance,
    ) -> PortResult<Self> {
        let mut target = Cow::Borrowed(&instance.settings);
        let mut plan_id = instance.request.plan_id.clone();
        let mut lapsed = Vec::new();
        if let Some(change) = &operation.change {
            target = Cow::Borrowed(&change.settings);
            plan_id.clone_from(&change.plan_id);
        } else if matches!(operation.kind, OperationKind::Renew | OperationKind::Recreate) {
            if let Some(change) = told(ports, instance).await? {
                (target, plan_id) = (Cow::Owned(change.settings), change.plan_id);
            }
            lapsed = ports.domains.of_instance(&instance.id).await?;
            lapsed.retain(|record| record.state == DomainState::Lapsed);
        }
        let has_lapsed = |name: &&DomainName| lapsed.iter().any(|record| record.name == **name);
        let wanted = target.domains.iter().filter(|name| !has_lapsed(name)).cloned().collect();
        Ok(Self { ports, settings, operation, instance, target, plan_id, wanted })
    }
}

/// What an update that still runs has already told the CDN: a renewal beside it must not undo that.
async fn told(ports: &Ports, instance: &Instance) -> PortResult<Option<Change>> {
    let newest = ports.operations.newest(&instance.id, Track::User).await?;
    let runs = |newest: &Operation| newest.state == OperationState::Running;
    let is_told = |newest: &Operation| Step::of(newest).is_some_and(|step| step != Step::ApplySettings);
    let update = newest.filter(|newest| runs(newest) && is_told(newest));
    Ok(update.and_then(|update| update.change))
}

impl Run<'_> {
    /// What this operation is to make of the instance.
    pub(super) fn target(&self) -> &Settings {
        &self.target
    }

    /// The names that this operation is to bring to life.
    pub(super) fn wanted(&self) -> &[DomainName] {
        &self.wanted
    }

    /// The certificate that this operation works on.
    pub(super) async fn certificate(&self) -> PortResult<CertificateRecord> {
        let known = self.certificates().await?;
        self.certificate_among(&known).await
    }

    /// The certificate that this operation works on. The first time, its names are computed and stored, before anybody
    /// uses them.
    pub(super) async fn certificate_among(
        &self,
        known: &[CertificateRecord],
    ) -> PortResult<CertificateRecord> {
        let underway = if self.is_recreation() {
            self.to_serve(known)
        } else {
            in_work(known, self.wanted(), self.ports.clock.now())
        };
        match underway {
            Some(found) => Ok(found.clone()),
            None => self.next_certificate(known).await,
        }
    }

    async fn next_certificate(&self, known: &[CertificateRecord]) -> PortResult<CertificateRecord> {
        let generation = known.last().map_or(1, |newest| newest.generation.saturating_add(1));
        let next = CertificateRecord {
            instance: self.instance.id.clone(),
            incarnation: self.instance.incarnation,
            generation,
            names: self.wanted().to_vec(),
            issuance: names::issuance_id(self.instance, generation),
            vault_name: names::vault_name(self.instance, generation),
            stored: None,
            facts: None,
            state: CertificateState::Pending,
            keyless: false,
        };
        self.ports.certificates.put(&next).await?;
        Ok(next)
    }

    /// The certificate that this operation works on, or has brought to life already; `None` before there is one.
    pub(super) async fn present_certificate(&self) -> PortResult<Option<CertificateRecord>> {
        let certificates = self.certificates().await?;
        if self.is_recreation() {
            return Ok(self.to_serve(&certificates).cloned());
        }
        let wanted = self.wanted();
        let found = in_work(&certificates, wanted, self.ports.clock.now())
            .or_else(|| live(&certificates).filter(|live| same_names(&live.names, wanted)));
        Ok(found.cloned())
    }

    /// All certificates of this incarnation, oldest first.
    pub(super) async fn certificates(&self) -> PortResult<Vec<CertificateRecord>> {
        self.ports.certificates.of_instance(&self.instance.id, self.instance.incarnation).await
    }

    /// The issued certificate with its key; `None` when the issuer has still work to do for it, or has not even been asked:
    /// an update beside a renewal changes which names, and so which certificate, the renewal works on.
    pub(super) async fn issued(
        &self,
        certificate: &CertificateRecord,
    ) -> PortResult<Option<CertificateBundle>> {
        if certificate.facts.is_none() {
            return Ok(None);
        }
        match self.ports.issuer.advance(&certificate.issuance).await? {
            IssuanceProgress::Issued(bundle) => Ok(Some(bundle)),
            IssuanceProgress::Working { .. }
            | IssuanceProgress::AwaitingProof { .. }
            | IssuanceProgress::HeldBack { .. } => Ok(None),
        }
    }

    /// The names together with their certificate; `None` before the certificate is in the vault.
    pub(super) async fn serving(&self) -> PortResult<Option<Serving>> {
        let stored = self.present_certificate().await?.and_then(|certificate| certificate.stored);
        Ok(stored.map(|certificate| Serving { names: self.wanted().to_vec(), certificate }))
    }

    /// What the user is told when another instance has proven one of the names: no certificate is asked for that could not
    /// be used. A renewal is of names that are the instance's own.
    pub(super) async fn taken_by_others(&self) -> PortResult<Option<String>> {
        if self.is_renewal() {
            return Ok(None);
        }
        let owners = self.ports.domains.owners(self.wanted()).await?;
        let others = owners.into_iter().filter(|record| record.instance != self.instance.id);
        let taken: Vec<DomainName> = others.map(|record| record.name).collect();
        Ok((!taken.is_empty()).then(|| describe::taken(&taken)))
    }

    /// Claims names that a certificate of the instance proves.
    pub(super) async fn claim_names(&self, names: &[DomainName]) -> PortResult<()> {
        let Instance { id, incarnation, .. } = self.instance;
        let taken = self.ports.domains.claim(id, *incarnation, names).await?;
        if taken.is_empty() {
            return Ok(());
        }
        let cause = format!("{} belong to another instance", describe::list(&taken));
        Err(PortError::new("claim the domains", Remedy::AwaitTenant, cause)
            .for_tenant(describe::taken_while_waiting(&taken)))
    }

    /// Keeps the id and the host name of the distribution.
    pub(super) async fn record_distribution(&self, made: &Distribution) -> PortResult<()> {
        let Instance { id, reference, .. } = self.instance;
        self.ports.instances.record_distribution(id, reference, &made.id, &made.domain).await
    }

    /// What the distribution should be.
    pub(super) fn spec(&self, serving: Option<Serving>) -> DistributionSpec {
        self.spec_of(self.target(), &self.plan_id, serving)
    }

    /// What the distribution should be until the operation has told the CDN anything.
    pub(super) fn present_spec(&self, serving: Option<Serving>) -> DistributionSpec {
        self.spec_of(&self.instance.settings, &self.instance.request.plan_id, serving)
    }

    fn spec_of(&self, settings: &Settings, plan_id: &str, serving: Option<Serving>) -> DistributionSpec {
        DistributionSpec {
            instance: self.instance.id.clone(),
            serving,
            origin: settings.origin.clone(),
            behaviour: settings.behaviour.clone(),
            delivery: settings.delivery.clone(),
            web_acl: self.settings.plans.has_web_acl(plan_id),
            tags: self.tags(),
        }
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let request = &self.instance.request;
        [
            ("Organization", request.organization.as_str()),
            ("Space", &request.space),
            ("Service", &request.service_id),
            ("Plan", &self.plan_id),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain([("ServiceInstance".to_owned(), self.instance.id.as_str().to_owned())])
        .collect()
    }

    /// What people call organization and space, for whoever reads a bill or a list of distributions: as the platform told with
    /// the request, or else tells now. A distribution without these tags is as good: nothing waits for them.
    pub(super) async fn place_tags(&self) -> BTreeMap<String, String> {
        let request = &self.instance.request;
        let mut place = places::told(&serde_json::from_str(&request.context).unwrap_or_default());
        if (place.organization.is_none() || place.space.is_none())
            && let Some(platform) = &self.ports.platform
        {
            match platform.place(&request.organization, &request.space).await {
                Ok(found) => {
                    place.organization = place.organization.or(found.organization);
                    place.space = place.space.or(found.space);
                }
                Err(error) => tracing::debug!(%error, "organization and space stay without names"),
            }
        }
        let named = [("OrganizationName", place.organization), ("SpaceName", place.space)];
        named.into_iter().filter_map(|(tag, name)| Some((tag.to_owned(), name?))).collect()
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
