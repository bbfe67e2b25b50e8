use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    CacheBehaviors, CookiePreference, CustomErrorResponses, DefaultCacheBehavior, DistributionConfig,
    ForwardedValues, ItemSelection, ViewerProtocolPolicy,
};
use contract::{Behaviour, DistributionSpec};

use super::{Place, behaviours, error_responses, origins, uncached_errors, viewer};

/// A configuration as CloudFront hands it out, with everything that has several spellings in the one we write. Two
/// normal configurations are equal exactly when they mean the same.
pub(crate) fn normal(current: &DistributionConfig) -> Result<DistributionConfig, BuildError> {
    let mut config = current.clone();
    config.aliases = Some(viewer::list(names(&config))?);
    config.viewer_certificate = config.viewer_certificate.as_ref().map(viewer::normal);
    if let Some(default) = &mut config.default_cache_behavior {
        default.forwarded_values = default.forwarded_values.as_ref().map(normal_forwarded).transpose()?;
    }
    Ok(config)
}

/// What a normal configuration becomes for a spec. Only what the spec speaks of is touched: the names and their
/// certificate, the place and protocol of our two origins, what is forwarded, and the way of the challenges. Logging,
/// firewall, price class, protocol versions, comment, further origins and behaviours are the operator's.
pub(crate) fn changed(
    current: &DistributionConfig,
    spec: &DistributionSpec,
    place: Place<'_>,
) -> Result<DistributionConfig, BuildError> {
    let mut config = current.clone();
    let is_new_origin = !has_origin(current, origins::CONTENT);
    config.aliases = Some(viewer::aliases(spec.serving.as_ref())?);
    config.viewer_certificate =
        Some(viewer::changed(current.viewer_certificate.as_ref(), spec.serving.as_ref()));
    config.origins = Some(origins::changed(current.origins.as_ref(), spec, place)?);
    config.cache_behaviors = Some(with_challenges(current.cache_behaviors.as_ref())?);
    config.custom_error_responses = Some(with_uncached_errors(current.custom_error_responses.as_ref())?);
    match &mut config.default_cache_behavior {
        Some(default) => change_default(default, &spec.behaviour, is_new_origin)?,
        None => config.default_cache_behavior = Some(behaviours::default(&spec.behaviour)?),
    }
    Ok(config)
}

/// The same configuration, switched off. A disabled distribution keeps its names, so that nobody else takes them
/// while it is still on its way out.
pub(crate) fn disabled(current: &DistributionConfig) -> DistributionConfig {
    let mut config = current.clone();
    config.enabled = false;
    config
}

/// The origin access control that a distribution reads its challenges with. It keeps it for life.
pub(crate) fn control_of(config: &DistributionConfig) -> Option<&str> {
    let origin = config.origins()?.items().iter().find(|origin| origin.id() == origins::CHALLENGES)?;
    origin.origin_access_control_id().filter(|id| !id.is_empty())
}

/// A policy that the operator has put in the place of forwarded values stays (the two exclude each other), and so
/// does a target that they have chosen, such as an origin group.
fn change_default(
    default: &mut DefaultCacheBehavior,
    behaviour: &Behaviour,
    is_new_origin: bool,
) -> Result<(), BuildError> {
    if is_new_origin {
        origins::CONTENT.clone_into(&mut default.target_origin_id);
    }
    if default.cache_policy_id().is_none_or(str::is_empty) {
        let mut forwarded = behaviours::forwarded(behaviour)?;
        forwarded.query_string_cache_keys =
            default.forwarded_values.take().and_then(|current| current.query_string_cache_keys);
        default.forwarded_values = Some(forwarded);
    }
    Ok(())
}

/// Challenges come before everything else unless the operator has ordered it otherwise.
fn with_challenges(current: Option<&CacheBehaviors>) -> Result<CacheBehaviors, BuildError> {
    let mut items = current.map_or_else(Vec::new, |behaviours| behaviours.items().to_vec());
    match items.iter_mut().find(|behaviour| behaviour.path_pattern == behaviours::CHALLENGE_PATTERN) {
        Some(behaviour) => {
            origins::CHALLENGES.clone_into(&mut behaviour.target_origin_id);
            behaviour.viewer_protocol_policy = ViewerProtocolPolicy::AllowAll;
        }
        None => items.insert(0, behaviours::challenges()?),
    }
    behaviours::cache_behaviors(items)
}

/// An error page that the operator has set stays as it is, its caching time included.
fn with_uncached_errors(current: Option<&CustomErrorResponses>) -> Result<CustomErrorResponses, BuildError> {
    let mut items = current.map_or_else(Vec::new, |responses| responses.items().to_vec());
    for ours in uncached_errors()? {
        if items.iter().all(|theirs| theirs.error_code != ours.error_code) {
            items.push(ours);
        }
    }
    error_responses(items)
}

fn has_origin(config: &DistributionConfig, id: &str) -> bool {
    config.origins().is_some_and(|origins| origins.items().iter().any(|origin| origin.id() == id))
}

fn names(config: &DistributionConfig) -> Vec<&str> {
    config.aliases().map_or_else(Vec::new, |aliases| aliases.items().iter().map(String::as_str).collect())
}

fn normal_forwarded(current: &ForwardedValues) -> Result<ForwardedValues, BuildError> {
    let mut forwarded = current.clone();
    let headers = current.headers().map_or(&[] as &[String], |headers| headers.items());
    forwarded.headers = Some(behaviours::headers(headers.iter().map(String::as_str))?);
    forwarded.cookies = current.cookies().map(normal_cookies).transpose()?;
    Ok(forwarded)
}

fn normal_cookies(current: &CookiePreference) -> Result<CookiePreference, BuildError> {
    let mut cookies = current.clone();
    cookies.whitelisted_names = match (&current.forward, current.whitelisted_names()) {
        (ItemSelection::Whitelist, Some(names)) => {
            Some(behaviours::cookie_names(names.items().iter().map(String::as_str))?)
        }
        _ => None,
    };
    Ok(cookies)
}
