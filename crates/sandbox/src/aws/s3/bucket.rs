//! Buckets: create, list, policy.

use super::policy::Policy;
use super::{Bucket, NAMESPACE, Object};
use crate::aws::clock::{Millis, rfc3339};
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

/// How long an object is not listed where lists lag.
const LAG: Millis = 3_600_000;

pub(super) fn create(world: &mut World, bucket: &str) -> Result<Answer, Failure> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(allowed) {
        return Err(Failure::bad("InvalidBucketName", "The specified bucket is not valid."));
    }
    // In us-east-1, creating a bucket of one's own again succeeds and changes nothing.
    world.s3.0.entry(bucket.to_owned()).or_default();
    Ok(Answer::new(200).header("location", &format!("/{bucket}")))
}

pub(super) fn put_policy(world: &mut World, bucket: &str, request: &Request) -> Result<Answer, Failure> {
    let found = world.s3.bucket_mut(bucket)?;
    found.policy = Some(Policy::parse(&request.body)?);
    Ok(Answer::new(204))
}

pub(super) fn get_policy(world: &World, bucket: &str) -> Result<Answer, Failure> {
    match &world.s3.bucket(bucket)?.policy {
        Some(policy) => {
            let answer = Answer::new(200).header("content-type", "application/json");
            Ok(answer.body(policy.text().to_owned()))
        }
        None => Err(Failure::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist")),
    }
}

pub(super) fn list(world: &World, bucket: &str, request: &Request) -> Result<Answer, Failure> {
    let found = world.s3.bucket(bucket)?;
    let prefix = request.query("prefix").unwrap_or_default();
    let size = page_size(request)?;
    let after = request.query("continuation-token").or_else(|| request.query("start-after"));
    let mut keys = keys(found, &prefix, after.as_deref());
    if world.has(Rule::ListsLag) {
        let now = world.clock.now();
        keys.retain(|(_, object)| object.modified.saturating_add(LAG) <= now);
    }
    let page = keys.get(..size.min(keys.len())).unwrap_or_default();
    let truncated = keys.len() > page.len();
    let mut result = Element::new("ListBucketResult")
        .with(Element::leaf("Name", bucket))
        .with(Element::leaf("Prefix", prefix))
        .with(Element::leaf("KeyCount", page.len()))
        .with(Element::leaf("MaxKeys", size))
        .with(Element::leaf("IsTruncated", truncated));
    if let Some((last, _)) = page.last().filter(|_| truncated) {
        result = result.with(Element::leaf("NextContinuationToken", last));
    }
    let result = page.iter().fold(result, |result, (key, object)| result.with(contents(key, object)));
    Ok(Answer::xml(200, result.document(NAMESPACE)).header("content-type", "application/xml"))
}

fn page_size(request: &Request) -> Result<usize, Failure> {
    let size = request.query("max-keys").map_or(Ok(1000), |size| size.parse::<usize>());
    size.map(|size| size.min(1000))
        .map_err(|_| Failure::argument("Provided max-keys not an integer or within integer range"))
}

fn keys<'a>(bucket: &'a Bucket, prefix: &str, after: Option<&str>) -> Vec<(&'a String, &'a Object)> {
    let wanted = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
    bucket.objects.iter().filter(|(key, _)| wanted(key)).collect()
}

fn contents(key: &str, object: &Object) -> Element {
    Element::new("Contents")
        .with(Element::leaf("Key", key))
        .with(Element::leaf("LastModified", rfc3339(object.modified)))
        .with(Element::leaf("ETag", &object.etag))
        .with(Element::leaf("Size", object.body.len()))
        .with(Element::leaf("StorageClass", "STANDARD"))
}
