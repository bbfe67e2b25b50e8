//! `UpdateDistribution`: the whole configuration replaces the old one; viewers see it when it is deployed.

use super::distribution::{Distribution, certificate_id};
use super::{certificate, check_etag, config, create, origins, read, shape};
use crate::aws::clock::{Millis, millis};
use crate::aws::error::Failure;
use crate::aws::journal::JournalEntry;
use crate::aws::message::{Answer, Request};
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

pub(super) fn update(
    world: &mut World,
    id: &str,
    request: &Request,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let present = world.cloudfront.find(id)?;
    let wanted = request.xml();
    if let Ok(wanted) = &wanted {
        create::note(wanted, entry);
    }
    if !world.has(Rule::StaleTagsPass) {
        check_etag(request, &present.etag)?;
    }
    let wanted = wanted?;
    let now = world.clock.now();
    shape::check_update(&wanted)?;
    permitted(present, &wanted, now)?;
    permitted_still(world, present, &wanted)?;
    shape::check(&wanted)?;
    origins::check(world, &wanted, Some(id))?;
    certificate::check(world, &wanted, Some(id))?;
    replace(world, id, wanted, now)
}

fn permitted(present: &Distribution, wanted: &Element, now: Millis) -> Result<(), Failure> {
    if wanted.text_at("CallerReference") != present.config().text_at("CallerReference") {
        let message = "The update contains modifications that are not allowed.";
        return Err(Failure::bad("IllegalUpdate", message));
    }
    if certificate_id(wanted) != present.certificate_id() && present.certificate_is_changing(now) {
        let message = "Only one viewer certificate change may be in progress at a time.";
        return Err(Failure::bad("IllegalUpdate", message));
    }
    Ok(())
}

/// What today's AWS permits, and the one of a changed rule does not.
fn permitted_still(world: &World, present: &Distribution, wanted: &Element) -> Result<(), Failure> {
    let disables = present.enabled() && wanted.text_at("Enabled") == "false";
    let detaches = present.certificate_id().is_some() && certificate_id(wanted).is_none();
    let is_refused = (disables && world.has(Rule::UpdatesDisableNothing))
        || (detaches && world.has(Rule::CertificatesStay));
    if is_refused {
        let message = "The update contains modifications that are not allowed.";
        return Err(Failure::bad("IllegalUpdate", message));
    }
    Ok(())
}

fn replace(world: &mut World, id: &str, wanted: Element, now: Millis) -> Result<Answer, Failure> {
    let deploys_at = now.saturating_add(millis(world.settings.deploy));
    let etag = world.ids.cloudfront();
    let distribution = world.cloudfront.find_mut(id)?;
    let before = distribution.certificate_id().map(str::to_owned);
    distribution.change(config::normalise(wanted), etag, now, deploys_at);
    if let Some(dropped) = before.filter(|before| distribution.certificate_id() != Some(before)) {
        world.iam.released.insert(dropped, deploys_at);
    }
    Ok(read::answer(200, distribution, now))
}
