//! What a distribution does towards viewers: error pages, price class, access log, web ACL.

use std::collections::BTreeMap;

use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    CustomErrorResponse, CustomErrorResponses, DistributionConfig, LoggingConfig, PriceClass,
};
use contract::{Delivery, DistributionSpec, InstanceId, Wish};

use super::{Place, count};
use crate::folder::folder;

/// Seconds for which an edge remembers an error of the origin's: CloudFront's own default.
const ERROR_TTL: i64 = 10;

/// Errors that no edge may remember: one that it does makes a challenge fail that would succeed a moment later. S3 answers
/// 403 for an object that is not there.
const UNCACHED: [i32; 2] = [403, 404];

/// The class of a distribution whose user has not chosen one.
pub(super) fn price_class(delivery: &Delivery) -> PriceClass {
    delivery.price_class.value().map_or(PriceClass::PriceClass100, |class| PriceClass::from(class.as_str()))
}

/// The error responses of a new distribution.
pub(super) fn error_responses(delivery: &Delivery) -> Result<CustomErrorResponses, BuildError> {
    changed_error_responses(None, delivery)
}

/// What of the present configuration the spec speaks of, brought to what it says.
pub(super) fn change(
    config: &mut DistributionConfig,
    spec: &DistributionSpec,
    place: Place<'_>,
) -> Result<(), BuildError> {
    let delivery = &spec.delivery;
    if delivery.price_class.is_said() {
        config.price_class = Some(price_class(delivery));
    }
    let responses = changed_error_responses(config.custom_error_responses.as_ref(), delivery)?;
    config.custom_error_responses = Some(responses);
    if let Some(logging) = logging(spec, place) {
        config.logging = Some(logging);
    }
    change_web_acl(config, spec.web_acl, place);
    Ok(())
}

/// The access log; `None` where nothing is to be said about it. A bucket that the operator does not name any more is
/// left to them.
pub(super) fn logging(spec: &DistributionSpec, place: Place<'_>) -> Option<LoggingConfig> {
    let log = LoggingConfig::builder().include_cookies(false);
    match (&spec.delivery.logging, place.log_bucket) {
        (Wish::Is(true), Some(bucket)) => {
            let bucket = format!("{bucket}.s3.amazonaws.com");
            Some(log.enabled(true).bucket(bucket).prefix(log_prefix(&spec.instance)).build())
        }
        (Wish::Unsaid, _) | (Wish::Is(true), None) => None,
        (Wish::Default | Wish::Is(false), _) => Some(log.enabled(false).bucket("").prefix("").build()),
    }
}

/// Where in the log bucket the requests of an instance are written.
fn log_prefix(instance: &InstanceId) -> String {
    format!("{}/", folder(instance))
}

/// Takes off only what the operator's setting put on.
fn change_web_acl(config: &mut DistributionConfig, is_wanted: bool, place: Place<'_>) {
    let Some(ours) = place.web_acl else { return };
    if is_wanted {
        config.web_acl_id = Some(ours.to_owned());
    } else if config.web_acl_id() == Some(ours) {
        config.web_acl_id = Some(String::new());
    }
}

/// A page that the operator has set stays as it is, its caching time included, until the user speaks of pages.
fn changed_error_responses(
    current: Option<&CustomErrorResponses>,
    delivery: &Delivery,
) -> Result<CustomErrorResponses, BuildError> {
    let mut items = current.map_or_else(Vec::new, |responses| responses.items().to_vec());
    if delivery.error_pages.is_said() {
        set_pages(&mut items, &delivery.error_pages.or(BTreeMap::new()))?;
    }
    for code in UNCACHED {
        if items.iter().all(|item| item.error_code != code) {
            items.push(CustomErrorResponse::builder().error_code(code).error_caching_min_ttl(0).build()?);
        }
    }
    CustomErrorResponses::builder().quantity(count(&items)).set_items(Some(items)).build()
}

/// The viewer gets the page under the status that the origin answered with.
fn set_pages(items: &mut Vec<CustomErrorResponse>, pages: &BTreeMap<u16, String>) -> Result<(), BuildError> {
    let is_wanted = |item: &CustomErrorResponse| pages.keys().any(|code| i32::from(*code) == item.error_code);
    items.retain(|item| is_wanted(item) || item.response_page_path().is_none_or(str::is_empty));
    for (code, page) in pages {
        let code = i32::from(*code);
        let is_uncached = UNCACHED.contains(&code);
        let fresh = CustomErrorResponse::builder()
            .error_code(code)
            .response_page_path(page)
            .response_code(code.to_string())
            .error_caching_min_ttl(if is_uncached { 0 } else { ERROR_TTL })
            .build()?;
        match items.iter_mut().find(|item| item.error_code == code) {
            Some(item) => {
                item.response_page_path = fresh.response_page_path;
                item.response_code = fresh.response_code;
            }
            None => items.push(fresh),
        }
    }
    Ok(())
}
