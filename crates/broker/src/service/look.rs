//! What an update that changes nothing is answered with: how the instance stands, which the platform stores and shows
//! (C14). What there is to be looked for in the world, the worker looks for, and is told to do so at once.

use contract::{DomainInstructions, DomainName, DomainState, PortResult, Standing};
use osb_core::Response;

use super::Service;
use crate::describe::Idle;
use crate::workflow::facts;

impl Service {
    /// `PATCH` with `{}`: R83, R85.
    pub(super) async fn look(&self, standing: &Standing) -> PortResult<Response> {
        let id = &standing.instance.id;
        let (lapsed, served) = self.lapsed_and_served(standing).await?;
        let plan = self.ports.renewals.of_instance(id).await?;
        let instructions = self.renewal_instructions(standing, &served).await?;
        if !instructions.is_empty() {
            self.ports.operations.hasten_renewal(id, self.ports.clock.now()).await?;
            self.bell.notify_one();
        }
        let live = facts::live(&standing.certificates);
        let idle = Idle {
            instance: &standing.instance,
            served: &served,
            certificate: live.and_then(|live| live.facts.as_ref()),
            lapsed: &lapsed,
            renewal: plan.and_then(|plan| plan.chosen).map(|chosen| chosen.at),
            instructions: &instructions,
            latest: standing.latest.as_ref(),
        };
        Ok(Response::updated(None, Some(&idle.text())))
    }

    async fn lapsed_and_served(&self, standing: &Standing) -> PortResult<(Vec<DomainName>, Vec<DomainName>)> {
        let known = self.ports.domains.of_instance(&standing.instance.id).await?;
        let has_lapsed =
            |name: &DomainName| known.iter().any(|it| it.name == *name && it.state == DomainState::Lapsed);
        Ok(standing.instance.settings.domains.iter().cloned().partition(has_lapsed))
    }

    /// What a renewal that runs wants of the user.
    async fn renewal_instructions(
        &self,
        standing: &Standing,
        served: &[DomainName],
    ) -> PortResult<Vec<DomainInstructions>> {
        match facts::in_work(&standing.certificates, served, self.ports.clock.now()) {
            Some(next) => self.ports.issuer.instructions(&next.issuance).await,
            None => Ok(Vec::new()),
        }
    }
}
