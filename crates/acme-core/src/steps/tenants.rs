//! Whose proof it is. All tenants share one account, and authorities give to whoever asks under it what it has already:
//! the same order for the same names while it is pending, an authorization that was proven for weeks after. With it come
//! the same values, so that one tenant's record would prove another's domain. Therefore an authorization belongs to the
//! tenant that was given it first, and to nobody else.

use std::time::Duration;

use contract::IssuanceProgress;

use super::{Flow, StepResult, Work};
use crate::error::AcmeError;
use crate::order::{LiveAuthorization, LiveOrder};

/// How long to leave others alone who are at work on what this tenant has asked for too.
const OTHERS_AT_WORK: Duration = Duration::from_mins(1);
const WHY: &str = "Another organization is asking for a certificate for the same domains at the moment, and the certificate \
                   authority keeps one set of proofs for both. This request goes on by itself as soon as the other one \
                   has ended.";

/// An authorization that belongs to somebody else.
pub(super) struct Foreign {
    url: String,
    /// To whom; `None` when that was never noted.
    tenant: Option<String>,
}

impl Work<'_> {
    /// Notes that the authorizations belong to this tenant, and gives those that do not. What has no challenge was given
    /// by the authority to the account's owner, and is everybody's.
    pub(super) async fn foreign(
        &self,
        authorizations: &[LiveAuthorization],
    ) -> Result<Vec<Foreign>, AcmeError> {
        let (issuances, ours) = (&self.issuer.issuances, &self.record.request.tenant);
        let mut foreign = Vec::new();
        for one in authorizations.iter().filter(|one| one.has_challenge()) {
            let tenant = if one.is_answered() {
                // Whoever has proven it was noted before.
                issuances.credited(&one.url).await?
            } else {
                Some(issuances.credit(&one.url, ours).await?)
            };
            if tenant.as_ref() != Some(ours) {
                foreign.push(Foreign { url: one.url.clone(), tenant });
            }
        }
        Ok(foreign)
    }

    /// Gives up an order that rests on what belongs to others, together with that, so that the next one asks for proofs of
    /// this tenant's own. Not while its owners are at work with it.
    pub(super) async fn leave_to_others(
        &mut self,
        mut order: LiveOrder,
        foreign: Vec<Foreign>,
    ) -> StepResult {
        for one in &foreign {
            if let Some(tenant) = &one.tenant
                && self.issuer.issuances.relies_on(tenant, &one.url).await?
            {
                let until = self.issuer.clock.now() + OTHERS_AT_WORK;
                return Ok(Flow::Pause(IssuanceProgress::HeldBack { until, why: WHY.to_owned() }));
            }
        }
        let urls: Vec<String> = foreign.into_iter().map(|one| one.url).collect();
        tracing::info!(issuance.id = %self.record.id, ?urls, "what belongs to somebody else proves nothing");
        match order.deactivate(|url, _| urls.iter().any(|foreign| foreign == url)).await {
            // What is dead already cannot be given back.
            Err(error) if !error.is_refusal() => Err(error),
            Ok(()) | Err(_) => self.forget_order().await,
        }
    }
}
