//! `DeleteDistribution`: only what is disabled, and has been disabled everywhere.

use super::check_etag;
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::rules::Rule;
use crate::aws::world::World;

pub(super) fn delete(world: &mut World, id: &str, request: &Request) -> Result<Answer, Failure> {
    let now = world.clock.now();
    let found = world.cloudfront.find(id)?;
    check_etag(request, &found.etag)?;
    let is_early = !found.deployed(now) && !world.has(Rule::DeletesEarly);
    let is_free = (!found.enabled() && !is_early) || world.has(Rule::DeletesAnything);
    if !is_free || world.has(Rule::DeletesLate) {
        let message = "The distribution you are trying to delete has not been disabled.";
        return Err(Failure::new(409, "DistributionNotDisabled", message));
    }
    if let Some(certificate) = found.certificate_id().map(str::to_owned) {
        world.iam.released.insert(certificate, now);
    }
    world.cloudfront.distributions.retain(|distribution| distribution.id != id);
    Ok(Answer::new(204))
}
