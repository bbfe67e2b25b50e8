//! What a renewal does differently from a first issuance. Whatever becomes of it, what is served stays as it is until
//! its successor is deployed.

use contract::{
    Alert, CertificateFacts, CertificateRecord, CertificateRequest, CertificateState, DomainInstructions,
    DomainName, OperationKind, PortResult, ProofState, RenewalPlan, Side,
};

use super::{Run, facts};
use crate::alerts::subject;
use crate::describe;

impl Run<'_> {
    pub(super) fn is_renewal(&self) -> bool {
        self.operation.kind == OperationKind::Renew
    }

    /// What the issuer is asked for. Names that are served now can be proven through the CDN.
    pub(super) async fn request(
        &self,
        certificate: &CertificateRecord,
        known: &[CertificateRecord],
        served: &[DomainName],
    ) -> PortResult<CertificateRequest> {
        let live = facts::live(known);
        let is_served = |name: &&DomainName| served.contains(name);
        let replaced = live.filter(|_| self.is_renewal()).and_then(|live| live.facts.as_ref());
        Ok(CertificateRequest {
            tenant: self.instance.request.organization.clone(),
            site: self.instance.id.clone(),
            served: certificate.names.iter().filter(is_served).cloned().collect(),
            inherited: self.ports.inherited(&self.instance.id).await?,
            replaces: replaced.and_then(|facts| facts.renewal_id.clone()),
            needed_by: replaced.map(|facts| facts.not_after),
            ..CertificateRequest::new(certificate.names.clone(), self.settings.key_type)
        })
    }

    /// Lets a renewal that the clock presses go on without the names that cannot be proven any more: at one tenth of
    /// life left, a certificate for most of the names is worth more than none for all of them. `true` when it does.
    pub(super) async fn let_names_lapse(
        &self,
        certificate: &CertificateRecord,
        known: &[CertificateRecord],
    ) -> PortResult<bool> {
        let served = facts::live(known).and_then(|live| live.facts.as_ref());
        if !self.is_renewal() || !served.is_some_and(|served| self.presses(served)) {
            return Ok(false);
        }
        let lapsing = self.unproven(certificate).await?;
        if lapsing.is_empty() || lapsing.len() == certificate.names.len() {
            return Ok(false);
        }
        let message = describe::lapsed(&lapsing);
        let alert = Alert::new(subject::names(&self.instance.id), message);
        let alert = alert.on(Side::Tenant).affecting([self.instance.id.clone()]).worse(true);
        self.ports.alerts.raise(alert).await;
        Box::pin(self.write_of_lapse(certificate, &lapsing)).await?;
        self.ports.domains.lapse(&self.instance.id, &lapsing).await?;
        self.set_aside(certificate.clone()).await?;
        Ok(true)
    }

    /// Whether little life is left, and the names have had their time: a renewal that begins late, for example because no
    /// broker was running, does not give names up at its first look.
    fn presses(&self, served: &CertificateFacts) -> bool {
        let (now, life) = (self.ports.clock.now(), served.not_after.since(served.not_before));
        now >= served.not_after - life / 10 && now.since(self.operation.step_since) >= life / 30
    }

    /// The names whose proof has not been seen; none before all of them were looked for.
    async fn unproven(&self, certificate: &CertificateRecord) -> PortResult<Vec<DomainName>> {
        let instructions = self.ports.issuer.instructions(&certificate.issuance).await?;
        let is_missing = |one: &&DomainInstructions| one.state == ProofState::Open && one.proven_by.is_none();
        let open = instructions.iter().filter(is_missing);
        if open.clone().any(|one| one.last_look.is_none()) {
            return Ok(Vec::new());
        }
        Ok(open.map(|one| one.name.clone()).collect())
    }

    /// Makes a deployed certificate the one that is served, and plans its renewal.
    pub(super) async fn go_live(&self, certificate: &CertificateRecord) -> PortResult<()> {
        if certificate.state != CertificateState::Live {
            self.ports.certificates.make_live(certificate).await?;
        }
        let CertificateRecord { instance, incarnation, generation, .. } = certificate;
        let plan = RenewalPlan::first(instance, *incarnation, *generation, self.ports.clock.now());
        self.ports.renewals.ensure(&plan).await
    }
}
