//! Tags of distributions.

use super::distribution::Distribution;
use super::{CloudFront, answer};
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::world::World;
use crate::aws::xml::Element;

const MOST: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

pub(super) fn tag(world: &mut World, arn: &str, request: &Request) -> Result<Answer, Failure> {
    let tags = read(&request.xml()?)?;
    let found = find(&mut world.cloudfront, arn)?;
    let mut merged = found.tags.clone();
    merged.retain(|(key, _)| !tags.iter().any(|(new, _)| new == key));
    merged.extend(tags);
    check(&merged)?;
    found.tags = merged;
    Ok(Answer::new(204))
}

pub(super) fn untag(world: &mut World, arn: &str, request: &Request) -> Result<Answer, Failure> {
    let keys = request.xml()?;
    let keys: Vec<&str> = keys
        .child("Items")
        .map_or(&[][..], |items| &items.children)
        .iter()
        .map(|key| key.text.trim())
        .collect();
    let found = find(&mut world.cloudfront, arn)?;
    found.tags.retain(|(key, _)| !keys.contains(&key.as_str()));
    Ok(Answer::new(204))
}

pub(super) fn list(world: &mut World, arn: &str) -> Result<Answer, Failure> {
    let tag = |(key, value): &(String, String)| {
        Element::new("Tag").with(Element::leaf("Key", key)).with(Element::leaf("Value", value))
    };
    let tags = find(&mut world.cloudfront, arn)?.tags.iter().map(tag).collect();
    let items = Element::holding("Items", tags);
    Ok(answer(200, &Element::new("Tags").with(items)))
}

/// The tags of a `Tags` element, if AWS would take them.
pub(super) fn read(tags: &Element) -> Result<Vec<(String, String)>, Failure> {
    let items = tags.child("Items").map_or(&[][..], |items| &items.children);
    let pair = |tag: &Element| (tag.text_at("Key").to_owned(), tag.text_at("Value").to_owned());
    let tags: Vec<_> = items.iter().map(pair).collect();
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &[(String, String)]) -> Result<(), Failure> {
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    let fits = |text: &str, most: usize| text.chars().count() <= most && text.chars().all(allowed);
    let valid = |(key, value): &(String, String)| {
        !key.is_empty()
            && fits(key, LONGEST_KEY)
            && fits(value, LONGEST_VALUE)
            && !key.to_ascii_lowercase().starts_with("aws:")
    };
    let twice =
        tags.iter().enumerate().any(|(i, (key, _))| tags.iter().skip(i + 1).any(|(other, _)| other == key));
    if tags.len() > MOST || twice || !tags.iter().all(valid) {
        return Err(Failure::bad("InvalidTagging", "The tagging specified is not valid."));
    }
    Ok(())
}

fn find<'a>(cloudfront: &'a mut CloudFront, arn: &str) -> Result<&'a mut Distribution, Failure> {
    let found = cloudfront.distributions.iter_mut().find(|distribution| distribution.arn() == arn);
    found.ok_or_else(|| {
        Failure::new(404, "NoSuchResource", "A resource that was specified is not valid or does not exist.")
    })
}
