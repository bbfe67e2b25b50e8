//! What the platform says before anything is stored. Only who adds a name is asked about: what has been accepted does not
//! depend on the platform any more, whatever becomes of it.

use std::sync::atomic::Ordering;

use contract::{Alert, DomainName, PlatformDirectory, PlatformDomain, PortError, Remedy, Side};
use osb_core::{ErrorCode, Response};
use serde_json::{Map, Value};

use super::Service;
use crate::{describe, places};

/// What incidents with the platform are about.
const SUBJECT: &str = "the platform";

impl Service {
    /// The answer to somebody who adds names that the platform does not have for their organization, or of which it does not
    /// say so. `None` lets the request go on; always, where the operator has not said where the platform is.
    pub(super) async fn refuse_names_unknown_to_platform(
        &self,
        organization: &str,
        context: &Map<String, Value>,
        added: &[DomainName],
    ) -> Option<Response> {
        let platform = self.ports.platform.as_deref().filter(|_| !added.is_empty())?;
        let found = match platform.domains(organization, added).await {
            Ok(found) => found,
            Err(error) => return Some(self.platform_is_silent(&error).await),
        };
        self.platform_speaks().await;
        let not_usable = |(_, found): &(&DomainName, PlatformDomain)| *found != PlatformDomain::Usable;
        let refused: Vec<(&DomainName, PlatformDomain)> =
            added.iter().zip(found).filter(not_usable).collect();
        if refused.is_empty() {
            return None;
        }
        let name = organization_name(platform, organization, context).await;
        let text = describe::not_of_the_platform(&refused, name.as_deref());
        Some(Response::error(ErrorCode::InvalidParameters, &text))
    }

    async fn platform_is_silent(&self, error: &PortError) -> Response {
        tracing::warn!(%error, "could not ask the platform");
        let is_the_operators = error.remedy() == Remedy::AwaitOperator;
        if is_the_operators {
            self.platform_trouble.store(true, Ordering::Relaxed);
            let message = describe::platform_refuses_us(error);
            self.ports.alerts.raise(Alert::new(SUBJECT, message).on(Side::Us)).await;
        }
        Response::error(ErrorCode::Unavailable, describe::platform_silent(is_the_operators))
    }

    async fn platform_speaks(&self) {
        if self.platform_trouble.swap(false, Ordering::Relaxed) {
            self.ports.alerts.resolve(Alert::new(SUBJECT, "the platform answers again")).await;
        }
    }
}

/// The platform sends the name along; if it does not, it is asked for it. Without it the user still reads what to do.
async fn organization_name(
    platform: &dyn PlatformDirectory,
    organization: &str,
    context: &Map<String, Value>,
) -> Option<String> {
    if let Some(name) = places::told(context).organization {
        return Some(name);
    }
    match platform.place(organization, "").await {
        Ok(place) => place.organization,
        Err(error) => {
            tracing::debug!(%error, "the organization stays without a name");
            None
        }
    }
}
