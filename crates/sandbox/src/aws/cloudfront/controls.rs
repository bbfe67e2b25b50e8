//! Origin access controls: how CloudFront signs what it asks of a bucket.

use super::list::Page;
use super::{answer, check_etag};
use crate::aws::error::Failure;
use crate::aws::journal::JournalEntry;
use crate::aws::message::{Answer, Request};
use crate::aws::world::World;
use crate::aws::xml::Element;

const REQUIRED: [&str; 4] = ["Name", "SigningProtocol", "SigningBehavior", "OriginAccessControlOriginType"];
const LONGEST_NAME: usize = 64;
const MOST: usize = 100;

/// One origin access control.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) id: String,
    etag: String,
    config: Element,
}

impl Control {
    pub(crate) fn name(&self) -> &str {
        self.config.text_at("Name")
    }
}

pub(super) fn create(
    world: &mut World,
    request: &Request,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let mut config = request.xml()?.renamed("OriginAccessControlConfig");
    check(&config)?;
    let controls = &world.cloudfront.controls;
    if controls.iter().any(|control| control.name() == config.text_at("Name")) {
        let message = "An origin access control with the specified parameters already exists.";
        return Err(Failure::new(409, "OriginAccessControlAlreadyExists", message));
    }
    if controls.len() >= MOST {
        let message = "The number of origin access controls in your AWS account exceeds the maximum allowed.";
        return Err(Failure::bad("TooManyOriginAccessControls", message));
    }
    config.fill(Element::leaf("Description", ""));
    let control = Control { id: world.ids.cloudfront(), etag: world.ids.cloudfront(), config };
    entry.resource.clone_from(&control.id);
    let location =
        format!("https://cloudfront.amazonaws.com/2020-05-31/origin-access-control/{}", control.id);
    let answer = answer(201, &render(&control)).header("etag", &control.etag).header("location", &location);
    world.cloudfront.controls.push(control);
    Ok(answer)
}

pub(super) fn get(world: &World, id: &str) -> Result<Answer, Failure> {
    let control = find(world, id)?;
    Ok(answer(200, &render(control)).header("etag", &control.etag))
}

pub(super) fn config(world: &World, id: &str) -> Result<Answer, Failure> {
    let control = find(world, id)?;
    Ok(answer(200, &control.config).header("etag", &control.etag))
}

pub(super) fn list(world: &World, request: &Request) -> Result<Answer, Failure> {
    let mut all: Vec<&Control> = world.cloudfront.controls.iter().collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let page = Page::cut(&all, request, |control| &control.id)?;
    let items = page.items.iter().map(|control| summary(control)).collect();
    Ok(answer(200, &page.render("OriginAccessControlList", items)))
}

pub(super) fn delete(world: &mut World, id: &str, request: &Request) -> Result<Answer, Failure> {
    check_etag(request, &find(world, id)?.etag)?;
    if world.cloudfront.distributions.iter().any(|distribution| distribution.uses_control(id)) {
        let message =
            "Cannot delete the origin access control because it's in use by one or more distributions.";
        return Err(Failure::new(409, "OriginAccessControlInUse", message));
    }
    world.cloudfront.controls.retain(|control| control.id != id);
    Ok(Answer::new(204))
}

fn check(config: &Element) -> Result<(), Failure> {
    if let Some(member) = REQUIRED.iter().find(|member| config.text_at(member).is_empty()) {
        return Err(Failure::argument(format!("The parameter {member} is required.")));
    }
    let known = |member: &str, allowed: &[&str]| allowed.contains(&config.text_at(member));
    let valid = config.text_at("Name").chars().count() <= LONGEST_NAME
        && known("SigningProtocol", &["sigv4"])
        && known("SigningBehavior", &["always", "never", "no-override"])
        && known("OriginAccessControlOriginType", &["s3", "mediastore", "mediapackagev2", "lambda"]);
    if valid { Ok(()) } else { Err(Failure::argument("A value of the origin access control is not valid.")) }
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Control, Failure> {
    world.cloudfront.controls.iter().find(|control| control.id == id).ok_or_else(|| {
        let message = "The origin access control does not exist.";
        Failure::new(404, "NoSuchOriginAccessControl", message)
    })
}

fn render(control: &Control) -> Element {
    Element::new("OriginAccessControl").with(Element::leaf("Id", &control.id)).with(control.config.clone())
}

fn summary(control: &Control) -> Element {
    let summary = Element::new("OriginAccessControlSummary").with(Element::leaf("Id", &control.id));
    control.config.children.iter().cloned().fold(summary, Element::with)
}
