//! Where the names of an instance lead today, and how they will be proven.

use std::time::Duration;

use contract::{Adoption, CertificateRequest, DomainName, KeyType, Lead, LeadQuestion, Outlook, PortResult};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::Ports;

/// How long one look may take. A zone that does not answer must not hold up the others.
const PATIENCE: Duration = Duration::from_secs(5);

/// A name, where it leads, and how it will be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameSight {
    /// The name.
    pub name: DomainName,
    /// Where it leads; `None` when that could not be seen in time.
    pub lead: Option<Lead>,
    /// How it will be proven; `None` likewise.
    pub outlook: Option<Outlook>,
}

/// Looks at all names of an instance at once.
pub(super) async fn look(ports: &Ports, adoption: &Adoption) -> Vec<NameSight> {
    join_all(adoption.instance.settings.domains.iter().map(|name| sight(ports, adoption, name))).await
}

async fn sight(ports: &Ports, adoption: &Adoption, name: &DomainName) -> NameSight {
    let instance = &adoption.instance;
    let target = instance.distribution_domain.clone().unwrap_or_default();
    let question = LeadQuestion { name: name.clone(), target };
    let lead = within(ports.names.lead(&question)).await;
    let request = CertificateRequest {
        tenant: instance.request.organization.clone(),
        site: instance.id.clone(),
        served: lead.iter().filter(|lead| lead.is_right()).map(|_| name.clone()).collect(),
        inherited: adoption.inherited.clone(),
        ..CertificateRequest::new(vec![name.clone()], KeyType::default())
    };
    let outlook = match lead {
        Some(_) => within(ports.issuer.outlook(&request)).await.and_then(|mut all| all.pop()),
        None => None,
    };
    NameSight { name: name.clone(), lead, outlook }
}

/// What comes in time, and is no error.
async fn within<T>(look: impl Future<Output = PortResult<T>>) -> Option<T> {
    timeout(PATIENCE, look).await.ok()?.ok()
}
