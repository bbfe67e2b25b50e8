use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    AllowedMethods, CacheBehavior, CacheBehaviors, CachedMethods, CookieNames, CookiePreference,
    DefaultCacheBehavior, ForwardedValues, Headers, ItemSelection, Method, ViewerProtocolPolicy,
};
use contract::{Behaviour, Cookies};

use super::{count, non_empty, origins, sorted};

/// The requests of a certificate authority (RFC 8555, section 8.3).
pub(super) const CHALLENGE_PATTERN: &str = "/.well-known/acme-challenge/*";

/// CloudFront's managed policy `CachingDisabled`.
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

const ONE_DAY: i64 = 86_400;
const ONE_YEAR: i64 = 31_536_000;

/// Everything that is not a challenge goes to the user's origin.
///
/// Nothing is compressed on the way: the origin decides what its bytes are. Compressing at the edge would weaken its
/// entity tags and mix secrets with what an attacker chooses (BREACH) for applications that took care not to.
pub(super) fn default(behaviour: &Behaviour) -> Result<DefaultCacheBehavior, BuildError> {
    DefaultCacheBehavior::builder()
        .target_origin_id(origins::CONTENT)
        .viewer_protocol_policy(ViewerProtocolPolicy::RedirectToHttps)
        .allowed_methods(all_methods()?)
        .forwarded_values(forwarded(behaviour)?)
        .min_ttl(0)
        .default_ttl(ONE_DAY)
        .max_ttl(ONE_YEAR)
        .compress(false)
        .smooth_streaming(false)
        .build()
}

/// Challenges come from the bucket, over plain HTTP too, because that is what an authority asks by; a redirect would
/// end at a certificate that is not there yet.
pub(super) fn challenges() -> Result<CacheBehavior, BuildError> {
    CacheBehavior::builder()
        .path_pattern(CHALLENGE_PATTERN)
        .target_origin_id(origins::CHALLENGES)
        .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll)
        .allowed_methods(reading_methods()?)
        .cache_policy_id(CACHING_DISABLED)
        .compress(false)
        .smooth_streaming(false)
        .build()
}

pub(super) fn cache_behaviors(items: Vec<CacheBehavior>) -> Result<CacheBehaviors, BuildError> {
    CacheBehaviors::builder().quantity(count(&items)).set_items(non_empty(items)).build()
}

/// What of a request reaches the origin.
pub(super) fn forwarded(behaviour: &Behaviour) -> Result<ForwardedValues, BuildError> {
    ForwardedValues::builder()
        .query_string(true)
        .cookies(cookies(&behaviour.cookies)?)
        .headers(headers(behaviour.headers.iter().map(String::as_str))?)
        .build()
}

pub(super) fn headers<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Headers, BuildError> {
    let names = sorted(names);
    Headers::builder().quantity(count(&names)).set_items(non_empty(names)).build()
}

pub(super) fn cookie_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<CookieNames, BuildError> {
    let names = sorted(names);
    CookieNames::builder().quantity(count(&names)).set_items(non_empty(names)).build()
}

fn cookies(cookies: &Cookies) -> Result<CookiePreference, BuildError> {
    let preference = CookiePreference::builder();
    match cookies {
        Cookies::All => preference.forward(ItemSelection::All),
        Cookies::None => preference.forward(ItemSelection::None),
        Cookies::Only(names) => preference
            .forward(ItemSelection::Whitelist)
            .whitelisted_names(cookie_names(names.iter().map(String::as_str))?),
    }
    .build()
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
