//! Policies that AWS maintains, in the place of headers, cookies and time.

use contract::{CachePolicy, OriginRequestPolicy, Policies, Wish};
use serde_json::{Map, Value};

use super::{ParameterError, choice, present};

/// What policies take the place of, under every name.
const INSTEAD_OF: &[&str] = &["cookies", "forward_cookies", "headers", "forward_headers", "default_ttl"];

/// The two policies; each alone is enough. CloudFront knows no origin request policy without a cache policy: the one that
/// is put beside it keeps what the origin says for as long as it says, by everything that is forwarded otherwise.
pub(super) fn read(
    parameters: &Map<String, Value>,
    is_default_origin: bool,
) -> Result<Wish<Policies>, ParameterError> {
    let cache = choice(parameters, "cache_policy", CachePolicy::ALL, CachePolicy::as_str, plain)?;
    let request = choice(
        parameters,
        "origin_request_policy",
        OriginRequestPolicy::ALL,
        OriginRequestPolicy::as_str,
        plain,
    )?;
    let policies = match (cache, request) {
        (Wish::Is(cache), request) => Policies { cache, origin_request: request.value().copied() },
        (_, Wish::Is(request)) => Policies {
            cache: CachePolicy::UseOriginCacheControlHeadersQueryStrings,
            origin_request: Some(request),
        },
        (Wish::Unsaid, Wish::Unsaid) => return Ok(Wish::Unsaid),
        _ => return Ok(Wish::Default),
    };
    exclude(parameters)?;
    with_host(policies, is_default_origin).map(Wish::Is)
}

/// Some tools show these names with `Managed-` before them.
fn plain(name: &str) -> &str {
    name.strip_prefix("Managed-").unwrap_or(name)
}

fn exclude(parameters: &Map<String, Value>) -> Result<(), ParameterError> {
    match INSTEAD_OF.iter().find(|name| present(parameters, name).is_some()) {
        None => Ok(()),
        Some(name) => Err(ParameterError::new(format!(
            "The parameters `cache_policy` and `origin_request_policy` take the place of `{name}`: give one or the other, \
             and set the one that you gave earlier to null."
        ))),
    }
}

/// Behind the default origin is the platform's router, which finds the application by `Host`.
fn with_host(policies: Policies, is_default_origin: bool) -> Result<Policies, ParameterError> {
    if !is_default_origin || policies.cache.forwards_host() {
        return Ok(policies);
    }
    match policies.origin_request {
        None => Ok(Policies { origin_request: Some(OriginRequestPolicy::HostHeaderOnly), ..policies }),
        Some(policy) if policy.forwards_host() => Ok(policies),
        Some(policy) => Err(ParameterError::new(format!(
            "The parameter `origin_request_policy` is not acceptable: with `{}` the default origin would not be told which \
             domain was asked for; use `AllViewer` or `HostHeaderOnly`, or an `origin` of your own.",
            policy.as_str()
        ))),
    }
}
