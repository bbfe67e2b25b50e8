//! Invalidations. The edge of this cloud caches nothing, so they change nothing; what is checked is how they are asked for.

use super::list::Page;
use super::{answer, check_etag};
use crate::aws::clock::{Millis, millis, rfc3339};
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

/// What may be in progress at once for one distribution: paths, and among them wildcards.
const MOST_PATHS: usize = 3000;
const MOST_WILDCARDS: usize = 15;

#[derive(Debug)]
pub(super) struct Invalidation {
    id: String,
    distribution: String,
    created: Millis,
    completes_at: Millis,
    batch: Element,
}

/// `CreateInvalidation`. A reference that was sent before with the same paths is answered with what it made then.
pub(super) fn create(world: &mut World, distribution: &str, request: &Request) -> Result<Answer, Failure> {
    let found = world.cloudfront.find(distribution)?;
    if world.has(Rule::InvalidationsNeedTag) {
        check_etag(request, &found.etag)?;
    }
    let batch = request.xml()?;
    check(&batch)?;
    let now = world.clock.now();
    let reference = batch.text_at("CallerReference");
    let mut known = world.cloudfront.invalidations.iter();
    let known = known.find(|known| {
        known.distribution == distribution && known.batch.text_at("CallerReference") == reference
    });
    if let Some(known) = known {
        return if known.batch == batch { Ok(created(known, now)) } else { Err(reused()) };
    }
    has_room(world, distribution, &batch, now)?;
    let completes_at = now.saturating_add(millis(world.settings.deploy));
    let distribution = distribution.to_owned();
    let id = world.ids.cloudfront().replacen('E', "I", 1);
    let made = Invalidation { id, distribution, created: now, completes_at, batch };
    let answer = created(&made, now);
    world.cloudfront.invalidations.push(made);
    Ok(answer)
}

pub(super) fn get(world: &World, distribution: &str, request: &Request) -> Result<Answer, Failure> {
    world.cloudfront.find(distribution)?;
    let id = request.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut all = world.cloudfront.invalidations.iter();
    let found = all.find(|found| found.distribution == distribution && found.id == id);
    let found = found.ok_or_else(|| {
        Failure::new(404, "NoSuchInvalidation", "The specified invalidation does not exist.")
    })?;
    Ok(answer(200, &found.element(world.clock.now())))
}

pub(super) fn list(world: &World, distribution: &str, request: &Request) -> Result<Answer, Failure> {
    world.cloudfront.find(distribution)?;
    let now = world.clock.now();
    let all = world.cloudfront.invalidations.iter();
    let mut own: Vec<&Invalidation> = all.filter(|found| found.distribution == distribution).collect();
    own.sort_by(|one, other| one.id.cmp(&other.id));
    let page = Page::cut(&own, request, |found| &found.id)?;
    let summary = |found: &&Invalidation| found.facts("InvalidationSummary", now);
    let items = page.items.iter().map(summary).collect();
    Ok(answer(200, &page.render("InvalidationList", items)))
}

impl Invalidation {
    fn facts(&self, name: &str, now: Millis) -> Element {
        let status = if now < self.completes_at { "InProgress" } else { "Completed" };
        Element::new(name)
            .with(Element::leaf("Id", &self.id))
            .with(Element::leaf("CreateTime", rfc3339(self.created)))
            .with(Element::leaf("Status", status))
    }

    fn element(&self, now: Millis) -> Element {
        self.facts("Invalidation", now).with(self.batch.clone())
    }
}

fn created(invalidation: &Invalidation, now: Millis) -> Answer {
    let location = format!(
        "https://cloudfront.amazonaws.com/2020-05-31/distribution/{}/invalidation/{}",
        invalidation.distribution, invalidation.id
    );
    answer(201, &invalidation.element(now)).header("location", &location)
}

fn reused() -> Failure {
    Failure::argument("Invalidation batch caller reference is already used with different paths.")
}

fn check(batch: &Element) -> Result<(), Failure> {
    let paths = batch.texts_at("Paths");
    if batch.name != "InvalidationBatch" || batch.text_at("CallerReference").is_empty() || paths.is_empty() {
        return Err(Failure::argument(
            "An invalidation batch needs a CallerReference and at least one path.",
        ));
    }
    if batch.text_at("Paths/Quantity") != paths.len().to_string() {
        return Err(Failure::bad(
            "InconsistentQuantities",
            "The value of Quantity and the size of Items don't match.",
        ));
    }
    let valid = |path: &String| path.starts_with('/') && !path.trim_end_matches('*').contains('*');
    if paths.iter().all(valid) {
        return Ok(());
    }
    Err(Failure::argument("Your request contains one or more invalid invalidation paths."))
}

fn has_room(world: &World, distribution: &str, batch: &Element, now: Millis) -> Result<(), Failure> {
    let all = world.cloudfront.invalidations.iter();
    let running = all.filter(|one| one.distribution == distribution && now < one.completes_at);
    let mut paths = batch.texts_at("Paths");
    paths.extend(running.flat_map(|one| one.batch.texts_at("Paths")));
    let wildcards = paths.iter().filter(|path| path.ends_with('*')).count();
    if paths.len() <= MOST_PATHS && wildcards <= MOST_WILDCARDS {
        return Ok(());
    }
    let message =
        "Processing your request will cause you to exceed the maximum number of in-progress invalidations.";
    Err(Failure::bad("TooManyInvalidationsInProgress", message))
}
