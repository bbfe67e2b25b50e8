//! What of a distribution can be compared with what it should be, as it is read.

use std::collections::BTreeMap;

use aws_sdk_cloudfront::types::{self, CacheBehaviors, DistributionConfig, OriginProtocolPolicy, Origins};
use contract::DomainName;

use super::{behaviours, origins, passing};

/// The user's origin; `None` when it is gone, or something that nobody can ask for.
pub(crate) fn origin(all: Option<&Origins>) -> Option<contract::Origin> {
    asked(find(all, origins::CONTENT)?)
}

/// Where requests go that nothing else is said about, whatever the origin is called.
pub(crate) fn target(config: &DistributionConfig) -> Option<contract::Origin> {
    asked(find(config.origins(), config.default_cache_behavior()?.target_origin_id())?)
}

/// How they are passed on, as it can be asked for.
pub(crate) fn behaviour(config: &DistributionConfig) -> contract::Behaviour {
    config.default_cache_behavior().map(passing::seen).unwrap_or_default()
}

/// The pages that stand for the origin's answers.
pub(crate) fn error_pages(config: &DistributionConfig) -> BTreeMap<u16, String> {
    let responses = config.custom_error_responses().map_or(&[][..], |responses| responses.items());
    let page = |response: &types::CustomErrorResponse| {
        let page = response.response_page_path().filter(|page| !page.is_empty())?;
        Some((u16::try_from(response.error_code()).ok()?, page.to_owned()))
    };
    responses.iter().filter_map(page).collect()
}

fn asked(origin: &types::Origin) -> Option<contract::Origin> {
    let insecure = match origin.custom_origin_config()?.origin_protocol_policy() {
        OriginProtocolPolicy::HttpOnly => true,
        OriginProtocolPolicy::HttpsOnly => false,
        _ => return None,
    };
    let domain = DomainName::parse(origin.domain_name()).ok()?;
    Some(contract::Origin { domain, path: origin.origin_path().unwrap_or_default().to_owned(), insecure })
}

/// The folder of the bucket that challenges are looked for in; `None` when they lead elsewhere.
pub(crate) fn folder(
    all: Option<&Origins>,
    behaviours: Option<&CacheBehaviors>,
    bucket_host: &str,
) -> Option<String> {
    let mut behaviours = behaviours?.items().iter();
    let challenges = behaviours.find(|one| one.path_pattern() == behaviours::CHALLENGE_PATTERN)?;
    let origin = find(all, origins::CHALLENGES)?;
    let is_ours = challenges.target_origin_id() == origins::CHALLENGES && origin.domain_name() == bucket_host;
    origin.origin_path()?.strip_prefix('/').filter(|_| is_ours).map(str::to_owned)
}

fn find<'a>(all: Option<&'a Origins>, id: &str) -> Option<&'a types::Origin> {
    all?.items().iter().find(|origin| origin.id() == id)
}
