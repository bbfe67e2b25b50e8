//! Where the names that are served lead today, and how they will be proven next time.

use contract::{
    CertificateRequest, DomainName, Instance, KeyType, Lead, LeadQuestion, Outlook, PortError, PortResult,
    Remedy, Sight,
};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::Service;

impl Service {
    /// Looks at all these names at once. What takes too long is left out.
    pub(super) async fn survey(&self, instance: &Instance, names: &[DomainName]) -> Vec<Sight> {
        let Some(target) = &instance.distribution_domain else { return Vec::new() };
        let deadline = Instant::now() + self.patience();
        join_all(names.iter().map(|name| self.sight(instance, name, target, deadline))).await
    }

    async fn sight(&self, instance: &Instance, name: &DomainName, target: &str, deadline: Instant) -> Sight {
        let question = LeadQuestion { name: name.clone(), target: target.to_owned() };
        let lead = within(deadline, self.ports.names.lead(&question)).await;
        let outlook = match &lead {
            Some(lead) => within(deadline, self.outlook(instance, name, lead)).await,
            None => None,
        };
        Sight { name: name.clone(), lead, outlook }
    }

    /// How a name that leads there would be proven if the certificate were renewed now.
    async fn outlook(&self, instance: &Instance, name: &DomainName, lead: &Lead) -> PortResult<Outlook> {
        let names = vec![name.clone()];
        let request = CertificateRequest {
            tenant: instance.request.organization.clone(),
            site: instance.id.clone(),
            served: if lead.is_right() { names.clone() } else { Vec::new() },
            inherited: self.ports.inherited(&instance.id).await?,
            ..CertificateRequest::new(names, KeyType::default())
        };
        let outlook = self.ports.issuer.outlook(&request).await?.pop();
        outlook.ok_or_else(|| PortError::new("look ahead", Remedy::GiveUp, "nothing was said about the name"))
    }
}

/// What comes before the deadline; nothing otherwise.
async fn within<T>(deadline: Instant, look: impl Future<Output = PortResult<T>>) -> Option<T> {
    match tokio::time::timeout_at(deadline, look).await {
        Ok(Ok(seen)) => Some(seen),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a look at a name has failed");
            None
        }
        Err(_) => None,
    }
}
