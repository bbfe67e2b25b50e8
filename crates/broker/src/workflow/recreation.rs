//! What rebuilding an instance does differently. What is still there is kept and repaired; what is lost is made again from
//! the store alone, and the authority is asked only when no certificate is left that is worth serving.

use std::time::Duration;

use contract::{
    CertificateRecord, CertificateState, Distribution, DistributionId, DomainName, OperationKind, PortResult,
    Remedy, Serving, StoredCertificate, Timestamp,
};

use super::{Outcome, Run, Step, facts, update};
use crate::names;

impl Run<'_> {
    pub(super) fn is_recreation(&self) -> bool {
        self.operation.kind == OperationKind::Recreate
    }

    /// The reference of a lost distribution can never be used again: another one is stored before it is used.
    pub(super) async fn find_distribution(&self) -> PortResult<Outcome> {
        if let Some(lost) = &self.instance.distribution
            && self.ports.cdn.find(lost).await?.is_none()
        {
            let next = names::next_reference(self.instance);
            tracing::warn!(
                instance.id = %self.instance.id, distribution.id = %lost, reference = %next,
                "the distribution is lost; another one is made"
            );
            let spent = &self.instance.reference;
            self.ports.instances.replace_reference(&self.instance.id, spent, &next).await?;
        }
        Ok(Outcome::Done)
    }

    /// The certificate that a recreation goes on with: the newest that was issued and is worth serving, or else the one
    /// that is being obtained.
    pub(super) fn to_serve<'k>(&self, known: &'k [CertificateRecord]) -> Option<&'k CertificateRecord> {
        let now = self.ports.clock.now();
        let next = facts::in_work(known, self.wanted(), now);
        let covers_all = |live: &&CertificateRecord| {
            self.wanted().iter().all(|name| update::covers(live, name)) && is_worth_serving(live, now)
        };
        next.filter(|next| next.facts.is_some()).or_else(|| facts::live(known).filter(covers_all)).or(next)
    }

    /// Whether a recreation need not ask the authority.
    pub(super) fn has_one_in_hand(&self, known: &[CertificateRecord]) -> bool {
        self.is_recreation() && self.to_serve(known).is_some_and(|one| one.facts.is_some())
    }

    /// The names that requests reach the instance's own distribution under, so that they can be proven through it.
    pub(super) async fn served(&self, known: &[CertificateRecord]) -> PortResult<Vec<DomainName>> {
        if !self.is_recreation() {
            return Ok(facts::live(known).map_or_else(Vec::new, |live| live.names.clone()));
        }
        let Some(id) = &self.instance.distribution else { return Ok(Vec::new()) };
        let found = self.ports.cdn.find(id).await?.filter(|found| found.enabled);
        Ok(found.map_or_else(Vec::new, |found| found.names))
    }

    /// `StoreCertificate`: what the vault still has stays there, and needs no key.
    pub(super) async fn restore_certificate(&self) -> PortResult<Outcome> {
        let certificate = self.certificate().await?;
        if certificate.facts.is_none() {
            return Ok(Outcome::BackTo(Step::OfferNames));
        }
        self.claim_names(self.wanted()).await?;
        let kept = self.ports.vault.find(&certificate.vault_name).await?;
        if kept.is_some() && kept == certificate.stored {
            return Ok(Outcome::Done);
        }
        match self.store_again(&certificate).await {
            // Its key is lost, or its name is taken: it cannot be brought back, but another one can be obtained. What was
            // obtained just now and is refused would be refused again.
            Err(error) if error.remedy() == Remedy::GiveUp && certificate.state == CertificateState::Live => {
                tracing::warn!(%error, instance.id = %self.instance.id, "a certificate cannot be brought back");
                self.set_aside(certificate).await?;
                Ok(Outcome::BackTo(Step::OfferNames))
            }
            outcome => outcome,
        }
    }

    async fn store_again(&self, certificate: &CertificateRecord) -> PortResult<Outcome> {
        let Some(bundle) = self.issued(certificate).await? else {
            return Ok(Outcome::BackTo(Step::ObtainCertificate));
        };
        if let Some(wait) = self.make_room(certificate).await? {
            return Ok(Outcome::Wait(wait));
        }
        let stored = self.ports.vault.ensure(&certificate.vault_name, &bundle).await?;
        self.ports.certificates.put(&with(certificate, stored)).await?;
        Ok(Outcome::Done)
    }

    /// Tells the distribution what it serves. One that was switched off by hand answers again; one that was deleted
    /// meanwhile is made once more.
    pub(super) async fn attach_again(&self, id: &DistributionId, serving: Serving) -> PortResult<Outcome> {
        let applied = self.ports.cdn.apply(id, &self.spec(Some(serving))).await;
        let enabled = match applied {
            Ok(Distribution { enabled: false, .. }) => self.ports.cdn.enable(id).await,
            applied => applied.map(drop),
        };
        match enabled {
            Err(error) if error.remedy() == Remedy::StartOver => Ok(Outcome::BackTo(Step::FindDistribution)),
            done => done.map(|()| Outcome::Done),
        }
    }

    /// What to do about a distribution that is not there any more.
    pub(super) fn lost(&self, id: &DistributionId) -> PortResult<Outcome> {
        if self.is_recreation() {
            return Ok(Outcome::BackTo(Step::FindDistribution));
        }
        Err(facts::vanished(id))
    }
}

/// Whether a certificate outlives its own return, and a renewal behind it. A site that is down is not kept down for a
/// better one: short of its end the renewal has begun, and goes on.
fn is_worth_serving(certificate: &CertificateRecord, now: Timestamp) -> bool {
    certificate.facts.as_ref().is_some_and(|facts| {
        let life: Duration = facts.not_after.since(facts.not_before);
        now < facts.not_after - life / 50
    })
}

/// A certificate that is in the vault, again or for the first time. What is live stays so: its plan for renewal holds.
fn with(certificate: &CertificateRecord, stored: StoredCertificate) -> CertificateRecord {
    let state = match certificate.state {
        CertificateState::Live => CertificateState::Live,
        _ => CertificateState::Stored,
    };
    CertificateRecord { stored: Some(stored), state, ..certificate.clone() }
}
