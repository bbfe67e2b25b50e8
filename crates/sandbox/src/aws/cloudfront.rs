//! CloudFront's control plane (REST XML, API version 2020-05-31), with the rules that made 2019 (`aws.md` 1.1 to 1.3).

mod certificate;
mod config;
mod controls;
mod create;
mod delete;
mod distribution;
mod invalidation;
mod list;
mod origins;
mod read;
mod shape;
mod tags;
mod update;

use std::collections::{BTreeSet, HashMap};

use super::error::Failure;
use super::journal::JournalEntry;
use super::message::{Answer, Request};
use super::world::World;
use super::xml::Element;

pub(crate) use controls::Control;
pub(crate) use distribution::Distribution;
pub(crate) use origins::s3_bucket;

/// The XML namespace of requests and answers.
pub(crate) const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

const VERSION: &str = "/2020-05-31/";

/// The calls this emulator answers, named as in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateDistribution,
    CreateDistributionWithTags,
    GetDistribution,
    GetDistributionConfig,
    UpdateDistribution,
    DeleteDistribution,
    ListDistributions,
    TagResource,
    UntagResource,
    ListTagsForResource,
    CreateOriginAccessControl,
    GetOriginAccessControl,
    GetOriginAccessControlConfig,
    ListOriginAccessControls,
    DeleteOriginAccessControl,
    CreateInvalidation,
    GetInvalidation,
    ListInvalidations,
}

/// Everything CloudFront knows.
#[derive(Debug, Default)]
pub(crate) struct CloudFront {
    pub(crate) distributions: Vec<Distribution>,
    pub(crate) controls: Vec<Control>,
    /// Alternate domain names that distributions of others hold.
    pub(crate) held_elsewhere: BTreeSet<String>,
    invalidations: Vec<invalidation::Invalidation>,
    /// Every caller reference that was ever used, with the distribution it made. Deleting does not free it.
    references: HashMap<String, String>,
}

impl CloudFront {
    /// Whether a distribution holds this server certificate now.
    pub(crate) fn uses_certificate(&self, id: &str) -> bool {
        self.distributions.iter().any(|distribution| distribution.certificate_id() == Some(id))
    }

    fn find(&self, id: &str) -> Result<&Distribution, Failure> {
        self.distributions.iter().find(|distribution| distribution.id == id).ok_or_else(no_such_distribution)
    }

    fn find_mut(&mut self, id: &str) -> Result<&mut Distribution, Failure> {
        let found = self.distributions.iter_mut().find(|distribution| distribution.id == id);
        found.ok_or_else(no_such_distribution)
    }
}

fn no_such_distribution() -> Failure {
    Failure::new(404, "NoSuchDistribution", "The specified distribution does not exist.")
}

/// Which call a request is, and the id or ARN it is about.
pub(crate) fn identify(request: &Request) -> Result<(Operation, String), Failure> {
    use Operation::{
        CreateDistribution, CreateDistributionWithTags, CreateInvalidation, CreateOriginAccessControl,
        DeleteDistribution, DeleteOriginAccessControl, GetDistribution, GetDistributionConfig,
        GetInvalidation, GetOriginAccessControl, GetOriginAccessControlConfig, ListDistributions,
        ListInvalidations, ListOriginAccessControls, ListTagsForResource, TagResource, UntagResource,
        UpdateDistribution,
    };
    let path = request.path().strip_prefix(VERSION).unwrap_or_default().trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    let operation = match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["distribution"]) if request.query("WithTags").is_some() => CreateDistributionWithTags,
        ("POST", ["distribution"]) => CreateDistribution,
        ("GET", ["distribution"]) => ListDistributions,
        ("GET", ["distribution", _]) => GetDistribution,
        ("GET", ["distribution", _, "config"]) => GetDistributionConfig,
        ("PUT", ["distribution", _, "config"]) => UpdateDistribution,
        ("DELETE", ["distribution", _]) => DeleteDistribution,
        ("POST", ["distribution", _, "invalidation"]) => CreateInvalidation,
        ("GET", ["distribution", _, "invalidation"]) => ListInvalidations,
        ("GET", ["distribution", _, "invalidation", _]) => GetInvalidation,
        ("GET", ["tagging"]) => ListTagsForResource,
        ("POST", ["tagging"]) if request.query("Operation").as_deref() == Some("Untag") => UntagResource,
        ("POST", ["tagging"]) => TagResource,
        ("POST", ["origin-access-control"]) => CreateOriginAccessControl,
        ("GET", ["origin-access-control"]) => ListOriginAccessControls,
        ("GET", ["origin-access-control", _]) => GetOriginAccessControl,
        ("GET", ["origin-access-control", _, "config"]) => GetOriginAccessControlConfig,
        ("DELETE", ["origin-access-control", _]) => DeleteOriginAccessControl,
        _ => return Err(Failure::new(404, "UnknownOperationException", "The operation is not known.")),
    };
    let id = segments.get(1).map(|id| (*id).to_owned());
    Ok((operation, id.or_else(|| request.query("Resource")).unwrap_or_default()))
}

/// Does the call.
pub(crate) fn perform(
    operation: Operation,
    world: &mut World,
    request: &Request,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let id = entry.resource.clone();
    match operation {
        Operation::CreateDistribution => create::create(world, request, false, entry),
        Operation::CreateDistributionWithTags => create::create(world, request, true, entry),
        Operation::GetDistribution => read::distribution(world, &id),
        Operation::GetDistributionConfig => read::config(world, &id),
        Operation::UpdateDistribution => update::update(world, &id, request, entry),
        Operation::DeleteDistribution => delete::delete(world, &id, request),
        Operation::ListDistributions => list::distributions(world, request),
        Operation::TagResource => tags::tag(world, &id, request),
        Operation::UntagResource => tags::untag(world, &id, request),
        Operation::ListTagsForResource => tags::list(world, &id),
        Operation::CreateOriginAccessControl => controls::create(world, request, entry),
        Operation::GetOriginAccessControl => controls::get(world, &id),
        Operation::GetOriginAccessControlConfig => controls::config(world, &id),
        Operation::ListOriginAccessControls => controls::list(world, request),
        Operation::DeleteOriginAccessControl => controls::delete(world, &id, request),
        Operation::CreateInvalidation => invalidation::create(world, &id, request),
        Operation::GetInvalidation => invalidation::get(world, &id, request),
        Operation::ListInvalidations => invalidation::list(world, &id, request),
    }
}

fn answer(status: u16, root: &Element) -> Answer {
    Answer::xml(status, root.document(NAMESPACE))
}

/// The precondition of every change: an `If-Match` that looks like an `ETag`, and is the present one.
fn check_etag(request: &Request, present: &str) -> Result<(), Failure> {
    let sent = request.header("if-match").unwrap_or_default().trim_matches('"');
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if sent.is_empty() || !sent.starts_with('E') || !sent.chars().all(allowed) {
        let message = "The If-Match version is missing or not valid for the resource.";
        return Err(Failure::bad("InvalidIfMatchVersion", message));
    }
    if sent != present {
        let message = "The request failed because it didn't meet the preconditions in one or more request-header \
                       fields.";
        return Err(Failure::new(412, "PreconditionFailed", message));
    }
    Ok(())
}
