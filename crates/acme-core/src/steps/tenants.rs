//! Whose proof it is. All tenants share one account, and authorities give to whoever asks under it what it has already:
//! the same order for the same names while it is pending, an authorization that was proven for weeks after. With it come
//! the same values, so that one tenant's record would prove another's domain. Therefore an authorization belongs to the
//! tenant that was given it first, and to nobody else.

use std::time::Duration;

use contract::{AuthorizationRecord, DomainName, IssuanceProgress, ProofState};

use super::{Flow, StepResult, Work};
use crate::error::AcmeError;
use crate::order::{LiveAuthorization, LiveOrder};
use crate::orders;

/// How often to look in the store whether others are still at work on what this tenant has asked for too.
const OTHERS_AT_WORK: Duration = Duration::from_mins(1);
const WHY: &str = "Another organization is asking for a certificate for the same domains at the moment, and the certificate \
                   authority keeps one set of proofs for both. This request goes on by itself as soon as the other one \
                   has ended.";

/// An authorization that belongs to somebody else.
pub(super) struct Foreign {
    name: DomainName,
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
                foreign.push(Foreign { name: one.name.clone(), url: one.url.clone(), tenant });
            }
        }
        Ok(foreign)
    }

    /// Gives up an order that rests on what belongs to others, together with that, so that the next one asks for proofs of
    /// this tenant's own. Not while its owners are at work with it: then what is theirs is noted, so that waiting for them
    /// costs no request.
    pub(super) async fn leave_to_others(
        &mut self,
        mut order: LiveOrder,
        foreign: Vec<Foreign>,
    ) -> StepResult {
        for one in &foreign {
            if self.is_at_work(one.tenant.as_deref(), &one.url).await? {
                let note =
                    |one: &Foreign| AuthorizationRecord::new(one.name.clone(), &one.url, ProofState::Open);
                self.record.authorizations = foreign.iter().map(note).collect();
                self.save().await?;
                return Ok(self.held_back());
            }
        }
        let urls: Vec<String> = foreign.into_iter().map(|one| one.url).collect();
        tracing::info!(issuance.id = %self.record.id, ?urls, "what belongs to somebody else proves nothing");
        match order.deactivate(|url, _| urls.iter().any(|foreign| foreign == url)).await {
            // What has died meanwhile cannot be given back.
            Err(error) if !error.is_refusal() => Err(error),
            Ok(()) | Err(_) => self.forget_order().await,
        }
    }

    /// How to go on while others are at work with what was noted to be theirs; `None` when nobody is any more. Only the
    /// store is asked: they are in it as well.
    pub(super) async fn wait_for_others(&mut self) -> Result<Option<Flow>, AcmeError> {
        if orders::has_expired(&self.record, self.issuer.clock.now()) {
            return self.forget_order().await.map(Some);
        }
        for one in &self.record.authorizations {
            let tenant = self.issuer.issuances.credited(&one.url).await?;
            if self.is_at_work(tenant.as_deref(), &one.url).await? {
                return Ok(Some(self.held_back()));
            }
        }
        Ok(None)
    }

    /// Whether this other tenant has an issuance under way that rests on the authorization.
    async fn is_at_work(&self, tenant: Option<&str>, url: &str) -> Result<bool, AcmeError> {
        match tenant.filter(|tenant| *tenant != self.record.request.tenant) {
            Some(tenant) => Ok(self.issuer.issuances.relies_on(tenant, url).await?),
            None => Ok(false),
        }
    }

    fn held_back(&self) -> Flow {
        let until = self.issuer.clock.now() + OTHERS_AT_WORK;
        Flow::Pause(IssuanceProgress::HeldBack { until, why: WHY.to_owned() })
    }
}
