use contract::{
    Behaviour, CachePolicy, Cookies, DomainName, MinimumTls, OriginRequestPolicy, PriceClass, Settings,
};
use serde_json::{Map, Value, json};

/// Seconds for which an answer is kept whose origin does not say, unless the user has said otherwise.
const ONE_DAY: u32 = 86_400;

/// What an instance is, in the form in which it could be asked for (R80). What policies have taken the place of is not
/// shown: it could not be asked for beside them.
pub(crate) fn parameters(settings: &Settings) -> Map<String, Value> {
    let domains: Vec<&str> = settings.domains.iter().map(DomainName::as_str).collect();
    let (origin, behaviour, delivery) = (&settings.origin, &settings.behaviour, &settings.delivery);
    let price_class = delivery.price_class.or(PriceClass::Class100).as_str();
    let minimum_tls = delivery.minimum_tls.or(MinimumTls::Tls12In2021).as_str();
    [
        ("domain", json!(domains.join(","))),
        ("origin", json!(origin.domain.as_str())),
        ("path", json!(origin.path)),
        ("insecure_origin", json!(origin.insecure)),
        ("error_responses", json!(delivery.error_pages.value().cloned().unwrap_or_default())),
        ("compress", json!(behaviour.compress.or(false))),
        ("hsts", json!(behaviour.hsts.or(false))),
        ("price_class", json!(price_class)),
        ("minimum_tls", json!(minimum_tls)),
        ("logging", json!(delivery.logging.or(false))),
    ]
    .into_iter()
    .chain(passing(behaviour))
    .chain(settings.notify.iter().map(|address| ("notify", json!(address))))
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn passing(behaviour: &Behaviour) -> Vec<(&'static str, Value)> {
    if let Some(policies) = behaviour.policies.value() {
        let request = policies.origin_request.map(OriginRequestPolicy::as_str);
        let cache = ("cache_policy", json!(CachePolicy::as_str(policies.cache)));
        return vec![cache, ("origin_request_policy", json!(request))];
    }
    let cookies = match &behaviour.cookies {
        Cookies::All => json!(true),
        Cookies::None => json!(false),
        Cookies::Only(names) => json!(names),
    };
    vec![
        ("cookies", cookies),
        ("headers", json!(behaviour.headers)),
        ("default_ttl", json!(behaviour.default_ttl.or(ONE_DAY))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::Offer;
    use crate::read_settings;

    /// What is asked for, whether or not a default was asked for by name.
    fn meaning(shown: &Map<String, Value>) -> Map<String, Value> {
        let default = DomainName::parse("apps.example.org").expect("a name");
        parameters(&read_settings(shown, &default, Offer { logging: true, letters: true }).expect("good"))
    }

    #[test]
    fn what_is_shown_can_be_asked_for_again() {
        for asked in [
            json!({"domain": "a.gov"}),
            json!({"domains": ["a.gov", "*.b.gov"], "cookies": false, "headers": ["*"]}),
            json!({"domain": "a.gov", "origin": "o.gov", "path": "/p", "insecure_origin": true, "cookies": ["c"]}),
            json!({"domain": "a.gov", "default_ttl": 0, "error_responses": {"404": "/404.html"}}),
            json!({"domain": "a.gov", "cache_policy": "CachingOptimized"}),
            json!({"domain": "a.gov", "origin": "o.gov", "cache_policy": "CachingDisabled"}),
            json!({"domain": "a.gov", "origin_request_policy": "AllViewer"}),
            json!({"domain": "a.gov", "compress": true, "hsts": true, "price_class": "PriceClass_All",
                   "minimum_tls": "TLSv1.3_2025", "logging": true, "notify": "a@b.gov"}),
        ] {
            let shown = meaning(asked.as_object().expect("an object"));
            assert_eq!(meaning(&shown), shown);
            for (name, value) in asked.as_object().expect("an object") {
                let is_shown = shown.get(name).is_none_or(|shown| shown == value);
                assert!(is_shown || name == "headers", "{name}: {value} became {shown:?}");
            }
        }
    }
}
