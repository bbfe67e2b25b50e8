//! What users ask for beyond the defaults, and how they get the defaults back.

use contract::{CachePolicy, MinimumTls, OriginRequestPolicy, Policies, Wish};

use super::*;

fn with_behaviour(behaviour: Behaviour) -> DistributionSpec {
    DistributionSpec { behaviour, ..spec() }
}

fn with_delivery(delivery: Delivery) -> DistributionSpec {
    DistributionSpec { delivery, ..spec() }
}

fn apply(read: &DistributionConfig, spec: &DistributionSpec) -> DistributionConfig {
    let once = changed(read, spec, PLACE).unwrap();
    assert_eq!(changed(&once, spec, PLACE).unwrap(), once, "the second time changes nothing");
    once
}

fn default_of(config: &DistributionConfig) -> &DefaultCacheBehavior {
    config.default_cache_behavior().unwrap()
}

#[test]
fn everything_that_can_be_asked_for_is_there_from_the_start() {
    let pages = BTreeMap::from([(404, "/404.html".to_owned()), (503, "/busy.html".to_owned())]);
    let asked = DistributionSpec {
        behaviour: Behaviour {
            default_ttl: Wish::Is(60),
            compress: Wish::Is(true),
            hsts: Wish::Is(true),
            ..spec().behaviour
        },
        delivery: Delivery {
            error_pages: Wish::Is(pages),
            price_class: Wish::Is(contract::PriceClass::All),
            minimum_tls: Wish::Is(MinimumTls::Tls13In2025),
            logging: Wish::Is(true),
        },
        web_acl: true,
        ..serving(&["a.org"], "ASCA1")
    };
    let config = fresh_config(&asked);
    insta::assert_snapshot!("everything", text(&config));
    assert_eq!(changed(&normal(&config).unwrap(), &asked, PLACE).unwrap(), normal(&config).unwrap());
    // Asked for later, all of it arrives as well.
    let mut later = apply(&live(&serving(&["a.org"], "ASCA1")), &asked);
    let mut now = normal(&config).unwrap();
    assert_eq!(responses(&mut later), responses(&mut now));
    assert_eq!(later, now);
}

/// Takes the error responses out, in the order of their codes.
fn responses(config: &mut DistributionConfig) -> Vec<CustomErrorResponse> {
    let mut items = config.custom_error_responses.take().unwrap().items.unwrap();
    items.sort_by_key(|item| item.error_code);
    items
}

#[test]
fn the_default_comes_back_when_it_is_asked_for() {
    let pages = BTreeMap::from([(404, "/404.html".to_owned()), (503, "/busy.html".to_owned())]);
    let chosen = DistributionSpec {
        behaviour: Behaviour {
            default_ttl: Wish::Is(60),
            compress: Wish::Is(true),
            hsts: Wish::Is(true),
            ..spec().behaviour
        },
        delivery: Delivery {
            error_pages: Wish::Is(pages),
            price_class: Wish::Is(contract::PriceClass::All),
            minimum_tls: Wish::Is(MinimumTls::Tls13In2025),
            logging: Wish::Is(true),
        },
        ..serving(&["a.org"], "ASCA1")
    };
    let defaults = DistributionSpec {
        behaviour: Behaviour {
            default_ttl: Wish::Default,
            policies: Wish::Default,
            compress: Wish::Default,
            hsts: Wish::Is(false),
            ..spec().behaviour
        },
        delivery: Delivery {
            error_pages: Wish::Default,
            price_class: Wish::Default,
            minimum_tls: Wish::Default,
            logging: Wish::Is(false),
        },
        ..serving(&["a.org"], "ASCA1")
    };
    let mut after = apply(&live(&chosen), &defaults);
    assert_eq!(after.logging.take().map(|log| log.enabled), Some(false));
    assert_eq!(after, live(&serving(&["a.org"], "ASCA1")));
}

#[test]
fn policies_take_the_place_of_forwarding_and_give_it_back() {
    let policies = Policies {
        cache: CachePolicy::CachingOptimized,
        origin_request: Some(OriginRequestPolicy::HostHeaderOnly),
    };
    let by_policies = with_behaviour(Behaviour { policies: Wish::Is(policies), ..Behaviour::default() });
    let config = apply(&live(&spec()), &by_policies);
    let default = default_of(&config);
    assert_eq!(default.cache_policy_id(), Some("658327ea-f89d-4fab-a63d-7e88639e58f6"));
    assert_eq!(default.origin_request_policy_id(), Some("bf0718e1-ba1e-49d1-88b1-f726733018ae"));
    assert!(default.forwarded_values().is_none() && default.default_ttl().is_none());
    assert_eq!(default_of(&live(&by_policies)), default);

    let alone = Policies { origin_request: None, ..policies };
    let config =
        apply(&config, &with_behaviour(Behaviour { policies: Wish::Is(alone), ..Behaviour::default() }));
    assert_eq!(default_of(&config).origin_request_policy_id(), None);

    let back = with_behaviour(Behaviour { policies: Wish::Default, ..spec().behaviour });
    assert_eq!(apply(&config, &back), live(&spec()));
}

#[test]
fn a_longer_default_than_the_operators_most_raises_it() {
    let mut read = live(&spec());
    let default = read.default_cache_behavior.as_mut().unwrap();
    (default.min_ttl, default.max_ttl) = (Some(30), Some(100));
    let asked = |ttl| with_behaviour(Behaviour { default_ttl: Wish::Is(ttl), ..spec().behaviour });
    let times = |config: &DistributionConfig| {
        let default = default_of(config);
        (default.min_ttl(), default.default_ttl(), default.max_ttl())
    };
    assert_eq!(times(&apply(&read, &asked(60))), (Some(30), Some(60), Some(100)));
    assert_eq!(times(&apply(&read, &asked(0))), (Some(0), Some(0), Some(100)));
    assert_eq!(times(&apply(&read, &asked(200))), (Some(30), Some(200), Some(200)));
}

#[test]
fn error_pages_replace_one_another_and_leave_the_operators_times() {
    let asked = |pages: &[(u16, &str)]| {
        let pages = pages.iter().map(|(code, page)| (*code, (*page).to_owned())).collect();
        with_delivery(Delivery { error_pages: Wish::Is(pages), ..Delivery::default() })
    };
    let mut read = live(&asked(&[(404, "/404"), (500, "/500")]));
    let items = read.custom_error_responses.as_mut().unwrap().items.as_mut().unwrap();
    items.push(CustomErrorResponse::builder().error_code(502).error_caching_min_ttl(1).build().unwrap());
    items[0].error_caching_min_ttl = Some(5);
    read.custom_error_responses.as_mut().unwrap().quantity += 1;
    let config = apply(&read, &asked(&[(404, "/gone"), (503, "/503")]));
    let mut shown: Vec<_> = config.custom_error_responses().unwrap().items().to_vec();
    shown.sort_by_key(|item| item.error_code);
    let shown: Vec<_> = shown
        .iter()
        .map(|item| {
            (
                item.error_code,
                item.response_page_path().unwrap_or_default(),
                item.error_caching_min_ttl.unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [(403, "", 0), (404, "/gone", 5), (502, "", 1), (503, "/503", 10)]);
}

#[test]
fn the_web_acl_goes_with_the_plan_and_a_foreign_one_stays() {
    let guarded = DistributionSpec { web_acl: true, ..spec() };
    let config = apply(&live(&spec()), &guarded);
    assert_eq!(config.web_acl_id(), Some(ACL));
    assert_eq!(apply(&config, &spec()).web_acl_id(), Some(""));
    let mut read = live(&spec());
    read.web_acl_id = Some("theirs".to_owned());
    assert_eq!(apply(&read, &spec()).web_acl_id(), Some("theirs"));
    assert_eq!(apply(&read, &guarded).web_acl_id(), Some(ACL));
    let unset = Place { web_acl: None, ..PLACE };
    assert_eq!(changed(&config, &guarded, unset).unwrap().web_acl_id(), Some(ACL));
}

#[test]
fn a_headers_policy_of_the_operators_stays_until_hsts_is_asked_for() {
    let mut read = live(&spec());
    read.default_cache_behavior.as_mut().unwrap().response_headers_policy_id = Some("theirs".to_owned());
    let policy = |wish| {
        let asked = with_behaviour(Behaviour { hsts: wish, ..spec().behaviour });
        default_of(&apply(&read, &asked)).response_headers_policy_id.clone()
    };
    assert_eq!(policy(Wish::Unsaid).as_deref(), Some("theirs"));
    assert_eq!(policy(Wish::Is(false)).as_deref(), Some("theirs"));
    assert_eq!(policy(Wish::Is(true)).as_deref(), Some("67f7725c-6f97-4210-82d7-5512b31e9d03"));
}

#[test]
fn an_invalidation_counts_its_paths() {
    let batch = invalidation(&Reference::new("operation-1"), &["/a".to_owned(), "/b/*".to_owned()]).unwrap();
    assert_eq!((batch.caller_reference(), batch.paths().unwrap().quantity()), ("operation-1", 2));
}
