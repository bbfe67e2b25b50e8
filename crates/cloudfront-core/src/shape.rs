//! What a distribution should look like: pure functions from a spec to CloudFront's configuration.
//!
//! The shape is that of the earlier broker with today's settings. What nobody has asked for is said once, when the
//! distribution is made, and left to the operator ever after.

#![expect(
    deprecated,
    reason = "headers and cookies by choice are `ForwardedValues`: 20 cache policies in an account are too few for \
              one per choice; and what CloudFront hands out in deprecated fields has to be taken out"
)]

mod adopted;
mod behaviours;
mod change;
mod delivery;
mod origins;
mod passing;
mod policies;
pub(crate) mod seen;
mod viewer;

use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    DistributionConfig, DistributionConfigWithTags, HttpVersion, InvalidationBatch, Paths, Tag, Tags,
};
use contract::{DistributionSpec, InstanceId, Reference};

pub(crate) use change::{changed, control_of, disabled, enabled, normal};

/// What the comment of every distribution begins with.
const COMMENT_START: &str = "cdn-broker ";
/// CloudFront's limit for a comment.
const COMMENT_MAX: usize = 128;

/// What a shape needs to know besides the spec.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The host name of the challenge bucket, regional and below its own name.
    pub(crate) bucket_host: &'a str,
    /// The id of the origin access control to read it with.
    pub(crate) control: &'a str,
    /// The bucket of access logs, if the operator has one.
    pub(crate) log_bucket: Option<&'a str>,
    /// The web ACL of the plan that has one, if the operator has one.
    pub(crate) web_acl: Option<&'a str>,
}

/// A distribution that does not exist yet.
pub(crate) fn fresh(
    reference: &Reference,
    spec: &DistributionSpec,
    place: Place<'_>,
) -> Result<DistributionConfigWithTags, BuildError> {
    let config = DistributionConfig::builder()
        .caller_reference(reference.as_str())
        .comment(comment(&spec.instance))
        .enabled(true)
        .aliases(viewer::aliases(spec.serving.as_ref())?)
        .viewer_certificate(viewer::certificate(spec.serving.as_ref(), &spec.delivery))
        .origins(origins::fresh(spec, place)?)
        .default_cache_behavior(behaviours::default(&spec.behaviour)?)
        .cache_behaviors(behaviours::cache_behaviors(vec![behaviours::challenges()?])?)
        .custom_error_responses(delivery::error_responses(&spec.delivery)?)
        .default_root_object("")
        .http_version(HttpVersion::Http2and3)
        .is_ipv6_enabled(true)
        .price_class(delivery::price_class(&spec.delivery))
        .set_logging(delivery::logging(spec, place))
        .set_web_acl_id(place.web_acl.filter(|_| spec.web_acl).map(str::to_owned))
        .build()?;
    Ok(DistributionConfigWithTags::builder().distribution_config(config).tags(tags(spec)?).build())
}

/// How a person finds the distribution of an instance.
fn comment(instance: &InstanceId) -> String {
    format!("{COMMENT_START}{instance}").chars().take(COMMENT_MAX).collect()
}

/// The instance that a comment names. One that may have been cut short names none.
pub(crate) fn instance_of(comment: &str) -> Option<InstanceId> {
    let id = comment.strip_prefix(COMMENT_START).filter(|id| !id.is_empty())?;
    (comment.chars().count() < COMMENT_MAX).then(|| InstanceId::new(id))
}

fn tags(spec: &DistributionSpec) -> Result<Tags, BuildError> {
    let tags: Result<Vec<_>, _> = spec
        .tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(tag_value(value)).build())
        .collect();
    Ok(Tags::builder().set_items(Some(tags?)).build())
}

/// What AWS takes as the value of a tag: letters, digits, white space and `_.:/=+-@`, 256 of them at most. People call their
/// organizations otherwise too, and no distribution should fail for that.
fn tag_value(text: &str) -> String {
    let is_taken = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    text.chars().map(|c| if is_taken(c) && !c.is_control() { c } else { '_' }).take(256).collect()
}

/// The paths that every edge is to fetch anew. CloudFront answers a reference that it knows as it did the first time.
pub(crate) fn invalidation(reference: &Reference, paths: &[String]) -> Result<InvalidationBatch, BuildError> {
    let paths = Paths::builder().quantity(count(paths)).set_items(Some(paths.to_vec())).build()?;
    InvalidationBatch::builder().caller_reference(reference.as_str()).paths(paths).build()
}

/// The `Quantity` that CloudFront wants in front of every list. No list here is near two thousand million entries.
fn count<T>(items: &[T]) -> i32 {
    i32::try_from(items.len()).unwrap_or(i32::MAX)
}

/// A list in the one order in which it is sent (D17): equal sets give equal configurations.
pub(crate) fn sorted<'a>(items: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut items: Vec<String> = items.into_iter().map(str::to_owned).collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// Absent rather than empty, as CloudFront itself writes lists.
fn non_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    if items.is_empty() { None } else { Some(items) }
}

#[cfg(test)]
mod tests;
