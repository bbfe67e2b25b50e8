//! Which distribution a request is for.

use crate::aws::{Distribution, Element, Rule, World, matches_wildcard};

/// A distribution as viewers see it at this moment.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) arn: String,
    pub(super) domain: String,
    pub(super) config: Element,
}

/// By the host a viewer names: an exact alias, then a wildcard alias, then the name below `cloudfront.net`.
/// Nothing if that distribution is disabled, even if another has a wildcard for the name.
pub(super) fn by_host(world: &World, host: &str) -> Option<Site> {
    find(world, host, true)
}

/// The same without the names below `cloudfront.net`, which have CloudFront's certificate.
pub(super) fn by_alias(world: &World, name: &str) -> Option<Site> {
    find(world, name, false)
}

fn find(world: &World, name: &str, own_domains: bool) -> Option<Site> {
    let now = world.clock.now();
    let live: Vec<(&Distribution, &Element)> = world
        .cloudfront
        .distributions
        .iter()
        .filter_map(|distribution| Some((distribution, distribution.live(now)?)))
        .collect();
    let with_alias = |matches: &dyn Fn(&str) -> bool| {
        live.iter().find(|(_, config)| config.texts_at("Aliases").iter().any(|alias| matches(alias)))
    };
    let found = with_alias(&|alias| alias == name)
        .or_else(|| with_alias(&|alias| matches_wildcard(alias, name)))
        .or_else(|| live.iter().find(|(distribution, _)| own_domains && distribution.domain == name))
        .or_else(|| live.first().filter(|_| own_domains && world.has(Rule::UnknownHostsServed)));
    let (distribution, config) = found.filter(|(_, config)| config.text_at("Enabled") == "true")?;
    Some(Site { arn: distribution.arn(), domain: distribution.domain.clone(), config: (*config).clone() })
}
