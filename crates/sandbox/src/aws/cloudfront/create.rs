//! `CreateDistribution` and `CreateDistributionWithTags`.

use super::distribution::Distribution;
use super::{certificate, config, origins, read, shape, tags};
use crate::aws::clock::millis;
use crate::aws::error::Failure;
use crate::aws::journal::JournalEntry;
use crate::aws::message::{Answer, Request};
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

pub(super) fn create(
    world: &mut World,
    request: &Request,
    with_tags: bool,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let document = request.xml()?;
    let config = wanted(&document, with_tags)?;
    note(config, entry);
    config.text_at("CallerReference").clone_into(&mut entry.reference);
    shape::check(config)?;
    if let Some(known) = replayed(world, config.text_at("CallerReference")) {
        return Ok(known);
    }
    fresh_reference(world, config.text_at("CallerReference"))?;
    if config.text_at("Enabled") == "false" && world.has(Rule::EnabledFromTheStart) {
        return Err(Failure::bad("InvalidArgument", "A distribution cannot be created disabled."));
    }
    origins::check(world, config, None)?;
    certificate::check(world, config, None)?;
    if world.cloudfront.distributions.len() >= world.settings.distribution_quota {
        let message = "Your request contains more distributions than are allowed per account.";
        return Err(Failure::bad("TooManyDistributions", message));
    }
    let tags = document.child("Tags").map_or(Ok(Vec::new()), tags::read)?;
    let now = world.clock.now();
    let deploys_at = now.saturating_add(millis(world.settings.deploy));
    let config = config::normalise(config.clone());
    let mut distribution = Distribution::new(&mut world.ids, config, now, deploys_at);
    distribution.tags = tags;
    entry.resource.clone_from(&distribution.id);
    let reference = distribution.config().text_at("CallerReference").to_owned();
    world.cloudfront.references.insert(reference, distribution.id.clone());
    let answer = read::answer(201, &distribution, now);
    world.cloudfront.distributions.push(distribution);
    Ok(answer)
}

/// Writes the names and the certificate that a configuration asks for into the journal.
pub(super) fn note(config: &Element, entry: &mut JournalEntry) {
    entry.aliases = config.texts_at("Aliases");
    entry.certificate = super::distribution::certificate_id(config).map(str::to_owned);
}

fn wanted(document: &Element, with_tags: bool) -> Result<&Element, Failure> {
    let config = if with_tags { document.child("DistributionConfig") } else { Some(document) };
    config.filter(|config| config.name == "DistributionConfig").ok_or_else(|| {
        Failure::bad("MalformedXML", "The XML document does not have the root that this operation wants.")
    })
}

/// What the reference has made, where there is a replay.
fn replayed(world: &World, reference: &str) -> Option<Answer> {
    let id = world.cloudfront.references.get(reference).filter(|_| world.has(Rule::ReferencesReplay))?;
    let known = world.cloudfront.find(id).ok()?;
    Some(read::answer(201, known, world.clock.now()))
}

/// There is no replay: a reference that was ever used is refused, with the id of what it made.
fn fresh_reference(world: &World, reference: &str) -> Result<(), Failure> {
    match world.cloudfront.references.get(reference) {
        Some(id) => {
            let message = format!(
                "The caller reference that you are using to create a distribution is associated with another \
                 distribution. Already exists: {id}"
            );
            Err(Failure::new(409, "DistributionAlreadyExists", message))
        }
        None => Ok(()),
    }
}
