//! What an update does differently: it has settings of its own, and may need no new certificate.

use std::time::Duration;

use contract::{
    CertificateRecord, CertificateState, Distribution, DistributionId, DomainName, OperationKind, PortError,
    PortResult, Remedy, Serving,
};

use super::{Outcome, Run, Step, facts};
use crate::names;

impl Run<'_> {
    pub(super) async fn apply_settings(&self) -> PortResult<Outcome> {
        let seen = self.distribution().await?;
        let certificates = self.certificates().await?;
        let Some(certificate) = serving_now(&certificates, &seen) else {
            return Err(nothing_live(&seen.id));
        };
        // A renewal has told the CDN its certificate, and waits for the edges: it is not disturbed.
        if !seen.deployed && certificate.state != CertificateState::Live {
            return Ok(Outcome::Wait(self.deployment_wait()));
        }
        let serving = serving_under(certificate, self.wanted());
        let names = serving.as_ref().map_or(&[][..], |serving| &serving.names);
        self.claim_names(names).await?;
        self.ports.cdn.apply(&seen.id, &self.spec(serving)).await?;
        Ok(Outcome::Done)
    }

    /// As `await_deployment`, without a certificate of one's own.
    pub(super) async fn await_settings(&self) -> PortResult<Outcome> {
        let seen = self.distribution().await?;
        let certificates = self.certificates().await?;
        let expected = serving_now(&certificates, &seen)
            .and_then(|certificate| serving_under(certificate, self.wanted()))
            .map_or_else(Vec::new, |serving| serving.names);
        if !facts::same_names(&seen.names, &expected) {
            return Ok(Outcome::BackTo(Step::ApplySettings));
        }
        if !seen.deployed {
            return Ok(Outcome::Wait(self.deployment_wait()));
        }
        self.let_go_of_names().await?;
        Ok(Outcome::Done)
    }

    /// Gives back the names that an update has taken off the distribution, now that no edge serves them any more.
    pub(super) async fn let_go_of_names(&self) -> PortResult<()> {
        if self.operation.kind == OperationKind::Update {
            self.ports.domains.keep_only(&self.instance.id, self.wanted()).await?;
        }
        Ok(())
    }

    pub(super) async fn invalidate_cache(&self) -> PortResult<Outcome> {
        let Some(change) = self.operation.change.as_ref().filter(|change| !change.invalidate.is_empty())
        else {
            return Ok(Outcome::Done);
        };
        let reference = names::invalidation_reference(self.operation);
        let id = self.distribution().await?.id;
        self.ports.cdn.invalidate(&id, &reference, &change.invalidate).await?;
        Ok(Outcome::Done)
    }

    /// How long an update leaves the distribution alone because a renewal has given it a certificate that is not yet
    /// everywhere: the one that is served stays attached until its successor is deployed.
    pub(super) async fn wait_for_renewal(&self) -> PortResult<Option<Duration>> {
        if self.operation.kind != OperationKind::Update {
            return Ok(None);
        }
        let seen = self.distribution().await?;
        let certificates = self.certificates().await?;
        let own = self.present_certificate().await?.and_then(|certificate| certificate.stored);
        let other = serving_now(&certificates, &seen)
            .filter(|attached| attached.state != CertificateState::Live && attached.stored != own);
        Ok(other.filter(|_| !seen.deployed).map(|_| self.deployment_wait()))
    }

    /// The distribution as it is now.
    pub(super) async fn distribution(&self) -> PortResult<Distribution> {
        let Some(id) = &self.instance.distribution else {
            let cause = "the instance has no distribution";
            return Err(PortError::new("change the distribution", Remedy::StartOver, cause));
        };
        self.ports.cdn.find(id).await?.ok_or_else(|| facts::vanished(id))
    }
}

/// Whether a certificate is good for a name: exactly, or by a wildcard one level above (RFC 9525, section 6.3).
pub(crate) fn covers(certificate: &CertificateRecord, name: &DomainName) -> bool {
    let names = certificate.facts.as_ref().map_or(&certificate.names, |facts| &facts.names);
    let parent = name.as_str().split_once('.').map(|(_, parent)| parent);
    names.iter().any(|own| own == name || (own.is_wildcard() && Some(own.base()) == parent))
}

/// Whether a name is wanted that the served certificate does not cover.
pub(crate) fn lacks_a_name(certificates: &[CertificateRecord], wanted: &[DomainName]) -> bool {
    facts::live(certificates).is_none_or(|live| wanted.iter().any(|name| !covers(live, name)))
}

/// What a distribution should serve: the wanted names that are covered, under the certificate of the instance's that it has.
/// `None` when no certificate of the instance has ever been live.
pub(crate) fn serving_at(
    certificates: &[CertificateRecord],
    seen: &Distribution,
    wanted: &[DomainName],
) -> Option<Serving> {
    serving_under(serving_now(certificates, seen)?, wanted)
}

/// The certificate that the distribution has, if it is one of the instance's; otherwise the one it should have.
fn serving_now<'a>(
    certificates: &'a [CertificateRecord],
    seen: &Distribution,
) -> Option<&'a CertificateRecord> {
    let is_of_use =
        |one: &CertificateRecord| !matches!(one.state, CertificateState::Retired | CertificateState::Removed);
    let attached = certificates
        .iter()
        .rfind(|one| is_of_use(one) && one.stored.is_some() && one.stored == seen.certificate);
    attached.or_else(|| facts::live(certificates))
}

/// The wanted names that a certificate covers, together with it. A name that has lapsed comes back with the next
/// certificate.
fn serving_under(certificate: &CertificateRecord, wanted: &[DomainName]) -> Option<Serving> {
    let names: Vec<DomainName> = wanted.iter().filter(|name| covers(certificate, name)).cloned().collect();
    let certificate = certificate.stored.clone().filter(|_| !names.is_empty())?;
    Some(Serving { names, certificate })
}

fn nothing_live(id: &DistributionId) -> PortError {
    let cause = format!("no certificate of the instance is on {id}");
    PortError::new("apply the settings", Remedy::AwaitOperator, cause)
}
