//! Distributions that an earlier broker has made: what they call by other names is called by ours, so that a change finds it.
//! Nothing else of theirs is touched, timeouts and headers that an operator has set among it.

use aws_sdk_cloudfront::types::{CacheBehavior, DistributionConfig, Origin};
use contract::DistributionSpec;

use super::{behaviours, comment, origins, policies};

/// What `external-domain-broker` calls the user's origin.
const DEFAULT_ORIGIN: &str = "default-origin";

/// The same configuration under our names; unchanged when no earlier broker has made it.
pub(super) fn take_over(current: &DistributionConfig, spec: &DistributionSpec) -> DistributionConfig {
    let mut config = current.clone();
    let reference = current.caller_reference.clone();
    let is_content = |origin: &Origin| origin.id == reference || origin.id == DEFAULT_ORIGIN;
    let is_bucket =
        |origin: &Origin| origin.id.starts_with("s3-") && origin.id.ends_with(&format!("-{reference}"));
    if let Some(content) = foreign(current, origins::CONTENT, is_content) {
        rename(&mut config, &content, origins::CONTENT);
        config.comment = comment(&spec.instance);
    }
    if let Some(bucket) = foreign(current, origins::CHALLENGES, is_bucket) {
        rename(&mut config, &bucket, origins::CHALLENGES);
        renew_behaviour(&mut config);
    }
    config
}

/// The id of the origin that stands for ours, where there is none of ours.
fn foreign(config: &DistributionConfig, ours: &str, is_theirs: impl Fn(&Origin) -> bool) -> Option<String> {
    let origins = config.origins()?.items();
    if origins.iter().any(|origin| origin.id == ours) {
        return None;
    }
    origins.iter().find(|origin| is_theirs(origin)).map(|origin| origin.id.clone())
}

fn rename(config: &mut DistributionConfig, from: &str, to: &str) {
    let renamed = |id: &mut String| {
        if id == from {
            to.clone_into(id);
        }
    };
    if let Some(origins) = &mut config.origins {
        origins.items.iter_mut().for_each(|origin| renamed(&mut origin.id));
    }
    if let Some(default) = &mut config.default_cache_behavior {
        renamed(&mut default.target_origin_id);
    }
    for behaviour in behaviours_of(config) {
        renamed(&mut behaviour.target_origin_id);
    }
}

/// Theirs keeps answers for a day, and remembers for minutes that there was none. What an update has to repeat stays.
fn renew_behaviour(config: &mut DistributionConfig) {
    for behaviour in behaviours_of(config) {
        let is_challenge = behaviour.path_pattern == behaviours::CHALLENGE_PATTERN;
        if is_challenge && behaviour.target_origin_id == origins::CHALLENGES {
            behaviour.cache_policy_id = Some(policies::CACHING_DISABLED.to_owned());
            behaviour.forwarded_values = None;
            (behaviour.min_ttl, behaviour.default_ttl, behaviour.max_ttl) = (None, None, None);
        }
    }
}

fn behaviours_of(config: &mut DistributionConfig) -> &mut [CacheBehavior] {
    config.cache_behaviors.as_mut().and_then(|behaviours| behaviours.items.as_deref_mut()).unwrap_or_default()
}
