//! What an update that changes nothing is answered with: how the instance stands, which the platform stores and shows
//! (C14). The world is looked at for it, within a bound; whatever there is to be done about it is the worker's.

use std::time::Duration;

use contract::{
    DomainInstructions, DomainName, DomainState, IssuanceId, PortResult, ProofState, Standing, Track,
};
use osb_core::Response;

use super::Service;
use crate::describe::{self, Idle, Open, Sights};
use crate::workflow::facts;

/// What is asked of the user in some issuance, and whether it could be looked at.
pub(super) struct Asked {
    instructions: Vec<DomainInstructions>,
    in_time: bool,
}

impl Service {
    /// `PATCH` with `{}`: R83, R85.
    pub(super) async fn look(&self, standing: &Standing) -> PortResult<Response> {
        let id = &standing.instance.id;
        let (lapsed, served) = self.lapsed_and_served(standing).await?;
        let plan = self.ports.renewals.of_instance(id).await?;
        let renewal = facts::in_work(&standing.certificates, &served, self.ports.clock.now());
        let renewal = renewal.map(|certificate| &certificate.issuance);
        let needs_user = self.hasten(standing, renewal).await?;
        // What a renewal needs says more about its names than where they lead.
        let surveyed = if needs_user { &[][..] } else { &served };
        let (renewing, update, seen) = tokio::join!(
            self.look_at(renewal),
            self.look_at(self.failed_update(standing)),
            self.survey(&standing.instance, surveyed)
        );
        let sights = Sights {
            tenant: &standing.instance.request.organization,
            target: standing.instance.distribution_domain.as_deref().unwrap_or_default(),
            zone: self.ports.managed.as_ref().map(|managed| managed.apex.as_str()),
            seen: &seen,
            at: self.ports.clock.now(),
            patience: self.patience(),
        };
        let findings = describe::for_user(self.ports.troubles.findings(id).await?, &served, &sights);
        let (renewing, update) = (renewing?, update?.while_good(self.ports.clock.now()));
        let live = facts::live(&standing.certificates);
        let idle = Idle {
            instance: &standing.instance,
            served: &served,
            certificate: live.and_then(|live| live.facts.as_ref()),
            lapsed: &lapsed,
            renewal: plan.and_then(|plan| plan.chosen).map(|chosen| chosen.at),
            renewing: renewing.open(),
            update: update.open(),
            sights,
            findings: &findings,
            latest: standing.latest.as_ref(),
        };
        // The platform keeps it: a link that was replaced is right again (R92).
        let page = self.dashboard_url(&standing.instance).await?;
        Ok(Response::updated(page.as_deref(), Some(&idle.text())))
    }

    /// How long a look may take.
    pub(super) fn patience(&self) -> Duration {
        self.rules.pace.look_time
    }

    pub(super) async fn lapsed_and_served(
        &self,
        standing: &Standing,
    ) -> PortResult<(Vec<DomainName>, Vec<DomainName>)> {
        let known = self.ports.domains.of_instance(&standing.instance.id).await?;
        let has_lapsed =
            |name: &DomainName| known.iter().any(|it| it.name == *name && it.state == DomainState::Lapsed);
        Ok(standing.instance.settings.domains.iter().cloned().partition(has_lapsed))
    }

    /// Lets the worker go on with a renewal at once. Gives whether that waits for its user.
    async fn hasten(&self, standing: &Standing, renewal: Option<&IssuanceId>) -> PortResult<bool> {
        let Some(renewal) = renewal else { return Ok(false) };
        let instructions = self.ports.issuer.instructions(renewal).await?;
        if !instructions.is_empty() {
            let now = self.ports.clock.now();
            self.ports.operations.hasten(&standing.instance.id, Track::Renewal, now).await?;
            self.bell.notify_one();
        }
        Ok(instructions.iter().any(|one| one.state == ProofState::Open))
    }

    /// The issuance of an update that has waited for its user in vain.
    fn failed_update<'a>(&self, standing: &'a Standing) -> Option<&'a IssuanceId> {
        standing.latest.as_ref().and_then(|latest| self.issuance_of(standing, latest))
    }

    /// Looks at what is open now. What could not be looked at in time is shown as it was seen last.
    pub(super) async fn look_at(&self, issuance: Option<&IssuanceId>) -> PortResult<Asked> {
        let Some(issuance) = issuance else { return Ok(Asked { instructions: Vec::new(), in_time: true }) };
        let look = tokio::time::timeout(self.patience(), self.ports.issuer.look(issuance)).await;
        let in_time = match look {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, issuance.id = %issuance, "a look has failed");
                false
            }
            Err(_) => false,
        };
        let instructions = self.ports.issuer.instructions(issuance).await?;
        Ok(Asked { instructions, in_time })
    }
}

impl Asked {
    /// Nobody replaces the order of an update that has failed; when it has run out, its records prove nothing any more.
    fn while_good(mut self, now: contract::Timestamp) -> Self {
        if self.instructions.iter().any(|one| one.expires.is_some_and(|expires| expires <= now)) {
            self.instructions.clear();
        }
        self
    }

    fn open(&self) -> Open<'_> {
        Open { instructions: &self.instructions, in_time: self.in_time }
    }
}
