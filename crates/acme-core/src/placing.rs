//! How an order comes to be placed.

use std::time::Duration;

use contract::{CertificateRequest, IssuanceProgress};
use instant_acme::Account;

use crate::ari::is_certificate_id;
use crate::error::AcmeError;
use crate::issuer::AcmeIssuer;
use crate::ledger::{Admission, HeldBack, Taken, Urgency};
use crate::order::LiveOrder;

/// By how much our clock may differ from the authority's at the edges of a window.
const CLOCK_LEEWAY: Duration = Duration::from_mins(5);

/// How long a certificate is taken to live of which nobody says so.
const UNKNOWN_LIFE: Duration = Duration::from_hours(24);

/// What became of wanting an order: it was placed, or held back.
pub(crate) type Placing = Result<LiveOrder, HeldBack>;

impl From<HeldBack> for IssuanceProgress {
    fn from(held: HeldBack) -> Self {
        Self::HeldBack { until: held.until, why: held.why }
    }
}

impl AcmeIssuer {
    /// Places an order for what is wanted, if the authority's limits leave room. Room is taken before the order is
    /// placed.
    pub(crate) async fn place(&self, request: &CertificateRequest) -> Result<Placing, AcmeError> {
        let account = self.accounts.account().await?;
        let invited = self.is_invited(request).await;
        let (urgency, taken) = match self.ledger.admit(request, invited).await? {
            Admission::Granted(urgency, taken) => (urgency, taken),
            Admission::HeldBack(held) => return Ok(Err(held)),
        };
        match self.order(&account, request).await {
            Ok(placed) => Ok(Ok(self.check_profile(placed))),
            Err(error) => self.not_placed(request, urgency, taken, error).await,
        }
    }

    /// Whether the authority has suggested to replace the certificate now (RFC 9773, section 4.2).
    async fn is_invited(&self, request: &CertificateRequest) -> bool {
        let Some(replaces) = &request.replaces else { return false };
        let now = self.clock.now();
        let answer =
            self.renewals.answer(Some(replaces), request.needed_by.unwrap_or(now + UNKNOWN_LIFE)).await;
        answer
            .suggestion
            .is_some_and(|window| window.start <= now + CLOCK_LEEWAY && now <= window.end + CLOCK_LEEWAY)
    }

    async fn not_placed(
        &self,
        request: &CertificateRequest,
        urgency: Urgency,
        taken: Taken,
        error: AcmeError,
    ) -> Result<Placing, AcmeError> {
        if error.is_gone() {
            self.accounts.reload().await;
        }
        let AcmeError::Refused(refusal) = &error else { return Err(error) };
        if refusal.is_certain() {
            self.ledger.give_back(taken).await;
        }
        if refusal.kind() == "rateLimited" {
            tracing::warn!(%error, "the authority's limits are reached");
            return Ok(Err(self.ledger.refused(request, urgency, refusal).await?));
        }
        Err(error)
    }

    /// An order that replaces something says so. Where the authority does not take that, it is placed without a word
    /// about it: a renewal matters more than its exemption from limits.
    async fn order(&self, account: &Account, request: &CertificateRequest) -> Result<LiveOrder, AcmeError> {
        let (names, profile) = (&request.names, self.settings.profile.as_deref());
        if let Some(replaces) = request.replaces.as_deref().filter(|id| is_certificate_id(id)) {
            match LiveOrder::place(account, names, profile, Some(replaces)).await {
                Err(error) if error.is_about_what_is_replaced() => {
                    tracing::info!(order.replaces = replaces, %error, "the order cannot say what it replaces");
                }
                placed => return placed,
            }
        }
        LiveOrder::place(account, names, profile, None).await
    }

    fn check_profile(&self, mut placed: LiveOrder) -> LiveOrder {
        let asked = self.settings.profile.as_deref();
        if asked.is_some() && asked != placed.profile() {
            tracing::warn!(order.profile = placed.profile(), asked, "the authority ignores the profile");
        }
        placed
    }
}
