//! Cache behaviours: which one a path falls under, and what it says.

use super::forwarding::Forwarding;
use crate::aws::{Element, glob};

/// One cache behaviour, read from the configuration.
#[derive(Debug)]
pub(super) struct Behaviour {
    pub(super) target: String,
    pub(super) viewer_policy: ViewerPolicy,
    pub(super) methods: Vec<String>,
    pub(super) forwarding: Forwarding,
}

/// What to do with a viewer who comes over plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewerPolicy {
    AllowAll,
    HttpsOnly,
    RedirectToHttps,
}

impl Behaviour {
    /// The first behaviour whose pattern fits the path, otherwise the default one.
    pub(super) fn pick(config: &Element, path: &str) -> Option<Self> {
        let fits = |behaviour: &&Element| {
            let pattern = behaviour.text_at("PathPattern");
            glob(pattern.trim_start_matches('/'), path.trim_start_matches('/'))
        };
        let chosen = config.items_at("CacheBehaviors").iter().find(fits);
        chosen.or_else(|| config.child("DefaultCacheBehavior")).map(Self::read)
    }

    fn read(behaviour: &Element) -> Self {
        Self {
            target: behaviour.text_at("TargetOriginId").to_owned(),
            viewer_policy: match behaviour.text_at("ViewerProtocolPolicy") {
                "allow-all" => ViewerPolicy::AllowAll,
                "redirect-to-https" => ViewerPolicy::RedirectToHttps,
                _ => ViewerPolicy::HttpsOnly,
            },
            methods: behaviour.texts_at("AllowedMethods"),
            forwarding: Forwarding::read(behaviour),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_fits_wins_and_the_default_comes_last() {
        let behaviour = |name: &str, target: &str, pattern: &str| {
            Element::new(name)
                .with(Element::leaf("PathPattern", pattern))
                .with(Element::leaf("TargetOriginId", target))
        };
        let others = vec![
            behaviour("CacheBehavior", "acme", "/.well-known/acme-challenge/*"),
            behaviour("CacheBehavior", "known", ".well-known/*"),
            behaviour("CacheBehavior", "picture", "*.jp?"),
        ];
        let config = Element::new("DistributionConfig")
            .with(behaviour("DefaultCacheBehavior", "default", ""))
            .with(Element::list("CacheBehaviors", others));
        let target = |path| Behaviour::pick(&config, path).unwrap().target;
        assert_eq!(target("/.well-known/acme-challenge/token"), "acme");
        assert_eq!(target("/.well-known/security.txt"), "known");
        assert_eq!(target("/a/b.jpg"), "picture");
        assert_eq!(target("/"), "default");
    }
}
