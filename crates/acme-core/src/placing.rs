//! How an order comes to be placed.

use contract::CertificateRequest;
use instant_acme::Account;

use crate::ari::is_certificate_id;
use crate::error::AcmeError;
use crate::issuer::AcmeIssuer;
use crate::order::LiveOrder;

impl AcmeIssuer {
    /// Places an order for what is wanted.
    pub(crate) async fn place(&self, request: &CertificateRequest) -> Result<LiveOrder, AcmeError> {
        let account = self.accounts.account().await?;
        let placed = self.order(&account, request).await;
        if placed.as_ref().is_err_and(AcmeError::is_gone) {
            self.accounts.reload().await;
        }
        let mut placed = placed?;
        if self.settings.profile.as_deref() != placed.profile() && self.settings.profile.is_some() {
            let asked = self.settings.profile.as_deref();
            tracing::warn!(order.profile = placed.profile(), asked, "the authority ignores the profile");
        }
        Ok(placed)
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
}
