use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{
    CacheBehaviors, DefaultCacheBehavior, DistributionConfig, ViewerProtocolPolicy,
};
use contract::{Behaviour, DistributionSpec};

use super::adopted::take_over;
use super::{Place, behaviours, delivery, origins, passing, viewer};

/// A configuration as CloudFront hands it out, with everything that has several spellings in the one we write. Two
/// normal configurations are equal exactly when they mean the same.
pub(crate) fn normal(current: &DistributionConfig) -> Result<DistributionConfig, BuildError> {
    let mut config = current.clone();
    config.aliases = Some(viewer::list(names(&config))?);
    config.viewer_certificate = config.viewer_certificate.as_ref().map(viewer::normal);
    if let Some(default) = &mut config.default_cache_behavior {
        default.forwarded_values = default.forwarded_values.as_ref().map(passing::normal).transpose()?;
    }
    Ok(config)
}

/// What a normal configuration becomes for a spec. Only what the spec speaks of is touched: the names and their
/// certificate, the place and protocol of our two origins, what is forwarded, the way of the challenges, and whatever else
/// the user has ever spoken of. Everything else is the operator's.
pub(crate) fn changed(
    current: &DistributionConfig,
    spec: &DistributionSpec,
    place: Place<'_>,
) -> Result<DistributionConfig, BuildError> {
    let mut config = take_over(current, spec);
    let is_new_origin = !has_origin(&config, origins::CONTENT);
    config.aliases = Some(viewer::aliases(spec.serving.as_ref())?);
    config.viewer_certificate =
        Some(viewer::changed(current.viewer_certificate.as_ref(), spec.serving.as_ref(), &spec.delivery));
    config.origins = Some(origins::changed(config.origins.as_ref(), spec, place)?);
    config.cache_behaviors = Some(with_challenges(config.cache_behaviors.as_ref())?);
    delivery::change(&mut config, spec, place)?;
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

/// The same configuration, switched on again.
pub(crate) fn enabled(current: &DistributionConfig) -> DistributionConfig {
    let mut config = current.clone();
    config.enabled = true;
    config
}

/// The origin access control that a distribution reads its challenges with. It keeps it for life.
pub(crate) fn control_of(config: &DistributionConfig) -> Option<&str> {
    let origin = config.origins()?.items().iter().find(|origin| origin.id() == origins::CHALLENGES)?;
    origin.origin_access_control_id().filter(|id| !id.is_empty())
}

/// A target that the operator has chosen, such as an origin group, stays.
fn change_default(
    default: &mut DefaultCacheBehavior,
    behaviour: &Behaviour,
    is_new_origin: bool,
) -> Result<(), BuildError> {
    if is_new_origin {
        origins::CONTENT.clone_into(&mut default.target_origin_id);
    }
    passing::change(default, behaviour)
}

/// Challenges come before everything else unless the operator has ordered it otherwise.
fn with_challenges(current: Option<&CacheBehaviors>) -> Result<CacheBehaviors, BuildError> {
    let mut items = current.map_or_else(Vec::new, |behaviours| behaviours.items().to_vec());
    match items.iter_mut().find(|behaviour| behaviour.path_pattern == behaviours::CHALLENGE_PATTERN) {
        Some(behaviour) => {
            origins::CHALLENGES.clone_into(&mut behaviour.target_origin_id);
            behaviour.viewer_protocol_policy = ViewerProtocolPolicy::AllowAll;
        }
        None => items.insert(0, behaviours::added_challenges()?),
    }
    behaviours::cache_behaviors(items)
}

fn has_origin(config: &DistributionConfig, id: &str) -> bool {
    config.origins().is_some_and(|origins| origins.items().iter().any(|origin| origin.id() == id))
}

fn names(config: &DistributionConfig) -> Vec<&str> {
    config.aliases().map_or_else(Vec::new, |aliases| aliases.items().iter().map(String::as_str).collect())
}
