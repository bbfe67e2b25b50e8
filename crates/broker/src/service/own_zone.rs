//! Names under the managed zone. They are the service's own: its records stand there, and what it tries itself out with.

use contract::{DomainName, InstanceId, PortResult};
use osb_core::{ErrorCode, Provision, Response};

use super::Service;
use crate::canary::{CanaryStore, ORGANIZATION};
use crate::describe;

impl Service {
    /// The answer to somebody who asks for names that are the service's own.
    pub(super) fn refuse_names_of_ours(&self, added: &[DomainName]) -> Option<Response> {
        let zone = self.rules.managed_zone.as_ref()?;
        let ours: Vec<DomainName> = added.iter().filter(|name| is_within(name, zone)).cloned().collect();
        let refusal = |text: String| Response::error(ErrorCode::InvalidParameters, &text);
        (!ours.is_empty()).then(|| refusal(describe::of_the_service(&ours, zone)))
    }

    /// Whether a broker of this store asks for its canary at this moment. It has kept instance and name, both random, before
    /// it asked: whoever else takes the canary's organization cannot know them, and gets nothing by it.
    pub(super) async fn is_canary(&self, wanted: &Provision, names: &[DomainName]) -> PortResult<bool> {
        let Some(zone) = self.rules.managed_zone.as_ref() else { return Ok(false) };
        if wanted.organization_guid != ORGANIZATION || !names.iter().all(|name| is_within(name, zone)) {
            return Ok(false);
        }
        let canaries = CanaryStore::new(self.ports.chores.clone());
        canaries.is_asked_for(&InstanceId::new(&wanted.instance_id), names).await
    }
}

/// Whether a name is the zone's, or below it.
fn is_within(name: &DomainName, zone: &DomainName) -> bool {
    let above = name.base().strip_suffix(zone.as_str());
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}
