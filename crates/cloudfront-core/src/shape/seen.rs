//! What of a distribution can be compared with what it should be, as it is read.

use aws_sdk_cloudfront::types::{CacheBehaviors, OriginProtocolPolicy, Origins};
use contract::DomainName;

use super::{behaviours, origins};

/// The user's origin; `None` when it is gone, or something that nobody can ask for.
pub(crate) fn origin(all: Option<&Origins>) -> Option<contract::Origin> {
    let origin = find(all, origins::CONTENT)?;
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

fn find<'a>(all: Option<&'a Origins>, id: &str) -> Option<&'a aws_sdk_cloudfront::types::Origin> {
    all?.items().iter().find(|origin| origin.id() == id)
}
