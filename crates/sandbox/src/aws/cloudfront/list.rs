//! `ListDistributions`: pages in a stable order, without caller references and without tags.

use super::answer;
use super::distribution::Distribution;
use super::read::recordals;
use crate::aws::clock::{Millis, rfc3339};
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::world::World;
use crate::aws::xml::Element;

/// The members of the configuration that a summary repeats.
const SUMMARY: [&str; 14] = [
    "Aliases",
    "Origins",
    "OriginGroups",
    "DefaultCacheBehavior",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Comment",
    "PriceClass",
    "Enabled",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
    "IsIPV6Enabled",
];

const LARGEST_PAGE: usize = 100;

pub(super) fn distributions(world: &World, request: &Request) -> Result<Answer, Failure> {
    let now = world.clock.now();
    let mut all: Vec<&Distribution> = world.cloudfront.distributions.iter().collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let page = Page::cut(&all, request, |distribution| &distribution.id)?;
    let items = page.items.iter().map(|distribution| summary(distribution, now)).collect();
    Ok(answer(200, &page.render("DistributionList", items)))
}

fn summary(distribution: &Distribution, now: Millis) -> Element {
    let summary = Element::new("DistributionSummary")
        .with(Element::leaf("Id", &distribution.id))
        .with(Element::leaf("ARN", distribution.arn()))
        .with(Element::leaf("ETag", &distribution.etag))
        .with(Element::leaf("Status", distribution.status(now)))
        .with(Element::leaf("LastModifiedTime", rfc3339(distribution.modified)))
        .with(Element::leaf("DomainName", &distribution.domain));
    let config = SUMMARY.iter().filter_map(|member| distribution.config().child(member)).cloned();
    config
        .fold(summary, Element::with)
        .with(recordals(distribution))
        .with(Element::leaf("Staging", distribution.config().text_at("Staging")))
}

/// One page of a list that is sorted by id. The marker is the last id of the page before.
pub(super) struct Page<'a, T> {
    pub(super) items: &'a [T],
    marker: String,
    next: Option<String>,
    size: usize,
}

impl<'a, T> Page<'a, T> {
    pub(super) fn cut(
        sorted: &'a [T],
        request: &Request,
        id: impl Fn(&T) -> &String,
    ) -> Result<Self, Failure> {
        let marker = request.query("Marker").unwrap_or_default();
        let size = page_size(request)?;
        let start = sorted.partition_point(|item| *id(item) <= marker);
        let rest = sorted.get(start..).unwrap_or_default();
        let items = rest.get(..size.min(rest.len())).unwrap_or_default();
        let next = items.last().filter(|_| rest.len() > items.len()).map(|last| id(last).clone());
        Ok(Self { items, marker, next, size })
    }

    pub(super) fn render(&self, name: &str, items: Vec<Element>) -> Element {
        let mut list = Element::list(name, items)
            .with(Element::leaf("Marker", &self.marker))
            .with(Element::leaf("MaxItems", self.size))
            .with(Element::leaf("IsTruncated", self.next.is_some()));
        if let Some(next) = &self.next {
            list = list.with(Element::leaf("NextMarker", next));
        }
        list
    }
}

fn page_size(request: &Request) -> Result<usize, Failure> {
    let size = request.query("MaxItems").map_or(Ok(LARGEST_PAGE), |size| size.parse());
    size.ok()
        .filter(|size| *size > 0)
        .map(|size| size.min(LARGEST_PAGE))
        .ok_or_else(|| Failure::argument("The parameter MaxItems is not valid."))
}
