use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    AllowedMethods, CacheBehavior, CacheBehaviors, CachedMethods, DefaultCacheBehavior,
    LambdaFunctionAssociations, Method, ViewerProtocolPolicy,
};
use contract::Behaviour;

use super::{count, non_empty, origins, passing, policies};

/// The requests of a certificate authority (RFC 8555, section 8.3).
pub(super) const CHALLENGE_PATTERN: &str = "/.well-known/acme-challenge/*";

/// Everything that is not a challenge goes to the user's origin.
///
/// Nothing is compressed on the way unless the user asks for it: the origin decides what its bytes are. Compressing at the
/// edge would weaken its entity tags and mix secrets with what an attacker chooses (BREACH) for applications that took care
/// not to.
pub(super) fn default(behaviour: &Behaviour) -> Result<DefaultCacheBehavior, BuildError> {
    let mut default = DefaultCacheBehavior::builder()
        .target_origin_id(origins::CONTENT)
        .viewer_protocol_policy(ViewerProtocolPolicy::RedirectToHttps)
        .allowed_methods(all_methods()?)
        .compress(false)
        .smooth_streaming(false)
        .build()?;
    passing::change(&mut default, behaviour)?;
    Ok(default)
}

/// Challenges come from the bucket, over plain HTTP too, because that is what an authority asks by; a redirect would
/// end at a certificate that is not there yet.
pub(super) fn challenges() -> Result<CacheBehavior, BuildError> {
    CacheBehavior::builder()
        .path_pattern(CHALLENGE_PATTERN)
        .target_origin_id(origins::CHALLENGES)
        .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll)
        .allowed_methods(reading_methods()?)
        .cache_policy_id(policies::CACHING_DISABLED)
        .compress(false)
        .smooth_streaming(false)
        .build()
}

/// The same, for a distribution that exists: an update has to say what a new distribution gets by itself.
pub(super) fn added_challenges() -> Result<CacheBehavior, BuildError> {
    let mut added = challenges()?;
    added.lambda_function_associations = Some(LambdaFunctionAssociations::builder().quantity(0).build()?);
    added.field_level_encryption_id = Some(String::new());
    Ok(added)
}

pub(super) fn cache_behaviors(items: Vec<CacheBehavior>) -> Result<CacheBehaviors, BuildError> {
    CacheBehaviors::builder().quantity(count(&items)).set_items(non_empty(items)).build()
}

fn all_methods() -> Result<AllowedMethods, BuildError> {
    let all = [
        Method::Delete,
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Patch,
        Method::Post,
        Method::Put,
    ];
    allowed(all.into())
}

fn reading_methods() -> Result<AllowedMethods, BuildError> {
    allowed(vec![Method::Get, Method::Head])
}

fn allowed(methods: Vec<Method>) -> Result<AllowedMethods, BuildError> {
    let cached = CachedMethods::builder().quantity(2).items(Method::Get).items(Method::Head).build()?;
    AllowedMethods::builder()
        .quantity(count(&methods))
        .set_items(Some(methods))
        .cached_methods(cached)
        .build()
}
