//! What becomes of certificates that nobody needs any more. An account holds few of them, so none is left behind: what the
//! vault will not let go of soon is removed in the background.

use std::time::Duration;

use contract::{CertificateRecord, CertificateState, OperationKind, PortResult, Sweep};

use super::{Outcome, Run, facts};

impl Run<'_> {
    pub(super) async fn remove_old_certificate(&self) -> PortResult<Outcome> {
        let certificates = self.certificates().await?;
        let live = facts::live(&certificates);
        for certificate in certificates.iter().filter(|one| self.is_superseded(one, live)) {
            self.dispose_of(certificate).await?;
        }
        Ok(Outcome::Done)
    }

    pub(super) async fn remove_certificates(&self) -> PortResult<Outcome> {
        for certificate in self.certificates().await? {
            if certificate.state != CertificateState::Removed {
                self.dispose_of(&certificate).await?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Whether a certificate is of no use beside the live one. An update settles what its user wants; a renewal leaves
    /// alone what an update has begun that its user may go on with, and a recreation what either has begun.
    fn is_superseded(&self, one: &CertificateRecord, live: Option<&CertificateRecord>) -> bool {
        match one.state {
            CertificateState::Retired => true,
            CertificateState::Pending | CertificateState::Stored => {
                let is_of_live =
                    || live.is_some_and(|live| one.names.iter().all(|name| live.names.contains(name)));
                self.operation.kind == OperationKind::Update || (self.is_renewal() && is_of_live())
            }
            CertificateState::Live | CertificateState::Removed => false,
        }
    }

    /// Takes a certificate out of the vault, or leaves that to the background, and wipes its key.
    async fn dispose_of(&self, certificate: &CertificateRecord) -> PortResult<()> {
        // Also when no id is known: an upload whose answer was lost has left one under the name.
        if let Err(error) = self.ports.vault.remove(&certificate.vault_name).await {
            if !self.has_waited_for_the_vault() {
                return Err(error);
            }
            tracing::warn!(
                %error, instance.id = %self.instance.id, certificate.name = %certificate.vault_name,
                "the vault holds on to a certificate; it will be removed in the background"
            );
            self.ports.sweeps.add(&self.sweep(certificate)).await?;
        }
        self.ports.issuer.abandon(&certificate.issuance).await?;
        let removed = CertificateRecord { state: CertificateState::Removed, ..certificate.clone() };
        self.ports.certificates.put(&removed).await
    }

    fn has_waited_for_the_vault(&self) -> bool {
        self.ports.clock.now().since(self.operation.step_since) >= self.settings.pace.vault_patience
    }

    fn sweep(&self, certificate: &CertificateRecord) -> Sweep {
        let now = self.ports.clock.now();
        Sweep {
            vault_name: certificate.vault_name.clone(),
            instance: self.instance.id.clone(),
            since: now,
            next_at: now,
            told: false,
        }
    }

    /// Sees to it that the vault holds at most the served certificate and the next one. Where work that was given up has
    /// left a third, what is attached says which of the others is needed; how long to wait when that is not settled yet.
    pub(super) async fn make_room(&self, next: &CertificateRecord) -> PortResult<Option<Duration>> {
        let others = self.others(next).await?;
        if others.len() < 2 {
            return Ok(None);
        }
        let Some(id) = &self.instance.distribution else { return Ok(None) };
        let Some(seen) = self.ports.cdn.find(id).await? else { return Err(facts::vanished(id)) };
        if !seen.deployed {
            return Ok(Some(self.deployment_wait()));
        }
        // What is attached is what is served, whoever has lived to write it down.
        let is_attached = |one: &&CertificateRecord| one.stored.is_some() && one.stored == seen.certificate;
        if let Some(attached) = others.iter().find(is_attached) {
            self.go_live(attached).await?;
        }
        for other in self.others(next).await? {
            self.put_away(other).await?;
        }
        Ok(None)
    }

    async fn others(&self, next: &CertificateRecord) -> PortResult<Vec<CertificateRecord>> {
        Ok(self.certificates().await?.into_iter().filter(|one| is_kept(one, next)).collect())
    }

    /// Takes a certificate that is not served out of the vault. If it never was, its user may go on with it, and it can be
    /// stored again.
    async fn put_away(&self, other: CertificateRecord) -> PortResult<()> {
        match other.state {
            CertificateState::Live | CertificateState::Removed => Ok(()),
            CertificateState::Retired => self.dispose_of(&other).await,
            CertificateState::Stored | CertificateState::Pending => {
                self.ports.vault.remove(&other.vault_name).await?;
                let pending = CertificateRecord { state: CertificateState::Pending, stored: None, ..other };
                self.ports.certificates.put(&pending).await
            }
        }
    }
}

/// Whether another certificate is or may be in the vault: from the moment it is issued, since the answer to an upload may
/// have been lost.
fn is_kept(one: &CertificateRecord, next: &CertificateRecord) -> bool {
    one.generation != next.generation && one.facts.is_some() && one.state != CertificateState::Removed
}
