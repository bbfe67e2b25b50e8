//! `GetDistribution`, `GetDistributionConfig`, and how a distribution is written.

use super::distribution::Distribution;
use super::{NAMESPACE, answer as document};
use crate::aws::clock::{Millis, rfc3339};
use crate::aws::error::Failure;
use crate::aws::message::Answer;
use crate::aws::world::World;
use crate::aws::xml::Element;

pub(super) fn distribution(world: &World, id: &str) -> Result<Answer, Failure> {
    Ok(answer(200, world.cloudfront.find(id)?, world.clock.now()))
}

pub(super) fn config(world: &World, id: &str) -> Result<Answer, Failure> {
    let found = world.cloudfront.find(id)?;
    Ok(document(200, found.config()).header("etag", &found.etag))
}

/// The whole distribution with its `ETag`; for a new one also where it is.
pub(super) fn answer(status: u16, distribution: &Distribution, now: Millis) -> Answer {
    let answer =
        Answer::xml(status, render(distribution, now).document(NAMESPACE)).header("etag", &distribution.etag);
    if status != 201 {
        return answer;
    }
    let location = format!("https://cloudfront.amazonaws.com/2020-05-31/distribution/{}", distribution.id);
    answer.header("location", &location)
}

fn render(distribution: &Distribution, now: Millis) -> Element {
    let inactive = |name: &str| Element::list(name, vec![]).with(Element::leaf("Enabled", "false"));
    Element::new("Distribution")
        .with(Element::leaf("Id", &distribution.id))
        .with(Element::leaf("ARN", distribution.arn()))
        .with(Element::leaf("Status", distribution.status(now)))
        .with(Element::leaf("LastModifiedTime", rfc3339(distribution.modified)))
        .with(Element::leaf("InProgressInvalidationBatches", 0))
        .with(Element::leaf("DomainName", &distribution.domain))
        .with(inactive("ActiveTrustedSigners"))
        .with(inactive("ActiveTrustedKeyGroups"))
        .with(distribution.config().clone())
        .with(recordals(distribution))
}

/// The state of each name's registration in China: always approved elsewhere.
pub(super) fn recordals(distribution: &Distribution) -> Element {
    let recordal = |alias: String| {
        Element::new("AliasICPRecordal")
            .with(Element::leaf("CNAME", alias))
            .with(Element::leaf("ICPRecordalStatus", "APPROVED"))
    };
    let aliases = distribution.aliases().into_iter();
    aliases.map(recordal).fold(Element::new("AliasICPRecordals"), Element::with)
}
