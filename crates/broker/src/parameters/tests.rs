use std::collections::BTreeMap;

use contract::{CachePolicy, Cookies, MinimumTls, OriginRequestPolicy, Policies, PriceClass};
use serde_json::json;

use super::*;

fn read(parameters: &Value) -> Result<Settings, String> {
    let default = DomainName::parse("apps.example.org").expect("a name");
    let parameters = parameters.as_object().expect("an object");
    read_settings(parameters, &default, Offer { logging: true, letters: true })
        .map_err(|error| error.to_string())
}

#[test]
fn defaults_are_those_of_the_earlier_broker() {
    let settings = read(&json!({"domain": "www.example.gov"})).expect("good");
    assert_eq!(settings.origin.domain.as_str(), "apps.example.org");
    assert_eq!(settings.origin.path, "");
    assert!(!settings.origin.insecure);
    assert_eq!(settings.behaviour.headers, ["Host"]);
    assert_eq!(settings.behaviour.cookies, Cookies::All);
}

#[test]
fn a_list_and_a_text_with_commas_are_the_same_and_are_folded() {
    let expected = ["www.example.gov", "xn--bcher-kva.example"];
    for parameters in [
        json!({"domain": "WWW.Example.GOV., bücher.example"}),
        json!({"domains": ["WWW.example.gov", "bücher.example"]}),
    ] {
        let settings = read(&parameters).expect("good");
        assert_eq!(settings.domains.iter().map(DomainName::as_str).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_custom_origin_is_not_sent_the_host_header() {
    let settings = read(&json!({
        "domain": "a.gov", "origin": "Origin.example.com", "path": "/site/", "insecure_origin": true,
        "cookies": ["b", "a"], "headers": ["x-b", "X-A"],
    }))
    .expect("good");
    assert_eq!(settings.origin.domain.as_str(), "origin.example.com");
    assert_eq!(settings.origin.path, "/site");
    assert!(settings.origin.insecure);
    assert_eq!(settings.behaviour.headers, ["X-A", "X-B"]);
    assert_eq!(settings.behaviour.cookies, Cookies::Only(vec!["a".into(), "b".into()]));
}

#[test]
fn null_asks_for_the_default() {
    let nulls = json!({"domain": "a.gov", "origin": null, "path": null, "cookies": null, "headers": null});
    assert_eq!(read(&nulls), read(&json!({"domain": "a.gov"})));
}

/// Asks for each, and looks for the parts in what is answered.
fn refused<const N: usize>(table: [(Value, [&str; 2]); N]) {
    for (parameters, parts) in table {
        let sentence = read(&parameters).expect_err(&parameters.to_string());
        for part in parts {
            assert!(sentence.contains(part), "{parameters}: {sentence}");
        }
    }
}

#[test]
fn each_mistake_names_the_parameter_and_the_value() {
    refused([
        (json!({}), ["`domain`", "missing"]),
        (json!({"domain": null}), ["`domain`", "missing"]),
        (json!({"domain": ""}), ["`domain`", "empty"]),
        (json!({"domain": " , "}), ["`domain`", "empty"]),
        (json!({"domain": "a.gov,"}), ["`domain`", "empty"]),
        (json!({"domain": 7}), ["`domain`", "`7`"]),
        (json!({"domain": ["a.gov"]}), ["`domain`", "`domains`"]),
        (json!({"domain": "my site.gov"}), ["`my site.gov`", "white space"]),
        (json!({"domain": "192.0.2.7"}), ["`192.0.2.7`", "IP address"]),
        (json!({"domain": "https://a.gov/"}), ["`https://a.gov/`", "host name"]),
        (json!({"domain": "a.gov,A.GOV."}), ["`a.gov`", "twice"]),
        (json!({"domain": "a.gov", "domains": ["b.gov"]}), ["`domain`", "`domains`"]),
        (json!({"domains": []}), ["`domains`", "empty"]),
        (json!({"domains": [1]}), ["`domains`", "`1`"]),
        (json!({"domains": "a.gov"}), ["`domains`", "`\"a.gov\"`"]),
        (json!({"domain": "a.gov", "origin": ""}), ["`origin`", "empty"]),
        (json!({"domain": "a.gov", "origin": "*.b.gov"}), ["`origin`", "wildcard"]),
        (json!({"domain": "a.gov", "path": "site"}), ["`path`", "`site`"]),
        (json!({"domain": "a.gov", "path": "/a b"}), ["`path`", "`/a b`"]),
        (json!({"domain": "a.gov", "insecure_origin": true}), ["`insecure_origin`", "default origin"]),
        (json!({"domain": "a.gov", "insecure_origin": "yes"}), ["`insecure_origin`", "`\"yes\"`"]),
        (json!({"domain": "a.gov", "cookies": "all"}), ["`cookies`", "`\"all\"`"]),
        (json!({"domain": "a.gov", "cookies": ["a b"]}), ["`cookies`", "`a b`"]),
        (json!({"domain": "a.gov", "headers": "X"}), ["`headers`", "`\"X\"`"]),
        (json!({"domain": "a.gov", "headers": ["X", "x"]}), ["`headers`", "twice"]),
        (json!({"domain": "a.gov", "headers": ["X", "*"]}), ["`headers`", "`*`"]),
        (json!({"domain": "a.gov", "headers": ["X:"]}), ["`headers`", "`X:`"]),
        (json!({"domain": "a.gov", "colour": 1}), ["`colour`", "not known"]),
    ]);
}

#[test]
fn each_mistake_beyond_the_earlier_brokers_parameters_too() {
    refused([
        (json!({"domain": "a.gov", "forward_cookies": "a;b"}), ["`forward_cookies`", "`a;b`"]),
        (
            json!({"domain": "a.gov", "cookies": true, "forward_cookies": "a"}),
            ["`cookies`", "`forward_cookies`"],
        ),
        (
            json!({"domain": "a.gov", "headers": [], "forward_headers": "A"}),
            ["`headers`", "`forward_headers`"],
        ),
        (json!({"domain": "a.gov", "headers": ["Connection"]}), ["`headers`", "`Connection`"]),
        (json!({"domain": "a.gov", "headers": ["x-edge-a"]}), ["`headers`", "`x-edge-a`"]),
        (json!({"domain": "a.gov", "default_ttl": -1}), ["`default_ttl`", "`-1`"]),
        (json!({"domain": "a.gov", "default_ttl": 31_536_001}), ["`default_ttl`", "`31536001`"]),
        (json!({"domain": "a.gov", "default_ttl": "1"}), ["`default_ttl`", "`\"1\"`"]),
        (json!({"domain": "a.gov", "default_ttl": 1.5}), ["`default_ttl`", "`1.5`"]),
        (json!({"domain": "a.gov", "error_responses": "/x"}), ["`error_responses`", "`\"/x\"`"]),
        (json!({"domain": "a.gov", "error_responses": {"418": "/x"}}), ["`error_responses`", "`418`"]),
        (json!({"domain": "a.gov", "error_responses": {"0404": "/x"}}), ["`error_responses`", "`0404`"]),
        (json!({"domain": "a.gov", "error_responses": {"404": 1}}), ["`error_responses`", "`1`"]),
        (json!({"domain": "a.gov", "error_responses": {"404": "x"}}), ["`error_responses`", "`x`"]),
        (json!({"domain": "a.gov", "error_responses": {"404": ""}}), ["`error_responses`", "``"]),
        (json!({"domain": "a.gov", "cache_policy": "Mine"}), ["`cache_policy`", "`CachingOptimized`"]),
        (
            json!({"domain": "a.gov", "origin_request_policy": "x"}),
            ["`origin_request_policy`", "`AllViewer`"],
        ),
        (
            json!({"domain": "a.gov", "cache_policy": "CachingDisabled", "cookies": true}),
            ["`cache_policy`", "`cookies`"],
        ),
        (
            json!({"domain": "a.gov", "cache_policy": "CachingDisabled", "headers": []}),
            ["`cache_policy`", "`headers`"],
        ),
        (
            json!({"domain": "a.gov", "origin_request_policy": "AllViewer", "default_ttl": 0}),
            ["`origin_request_policy`", "`default_ttl`"],
        ),
        (
            json!({"domain": "a.gov", "origin_request_policy": "AllViewerExceptHostHeader",
            "cache_policy": "CachingOptimized"}),
            ["`origin_request_policy`", "default origin"],
        ),
        (json!({"domain": "a.gov", "price_class": "100"}), ["`price_class`", "`PriceClass_100`"]),
        (json!({"domain": "a.gov", "minimum_tls": "TLSv1"}), ["`minimum_tls`", "`TLSv1.2_2021`"]),
        (json!({"domain": "a.gov", "compress": 1}), ["`compress`", "`1`"]),
        (json!({"domain": "a.gov", "hsts": "on"}), ["`hsts`", "`\"on\"`"]),
        (json!({"domain": "a.gov", "logging": []}), ["`logging`", "`[]`"]),
    ]);
}

#[test]
fn a_hundred_domains_are_enough() {
    let names = |n: usize| (0..n).map(|i| format!("w{i}.example.gov")).collect::<Vec<_>>();
    assert!(read(&json!({"domains": names(100)})).is_ok());
    assert!(read(&json!({"domains": names(101)})).expect_err("too many").contains("101"));
}

#[test]
fn ten_headers_with_host_are_the_limit() {
    let headers = |n: usize| (0..n).map(|i| format!("X-{i}")).collect::<Vec<_>>();
    assert!(read(&json!({"domain": "a.gov", "headers": headers(9)})).is_ok());
    let sentence = read(&json!({"domain": "a.gov", "headers": headers(10)})).expect_err("too many");
    assert!(sentence.contains("11"), "{sentence}");
}

#[test]
fn what_was_never_said_is_told_from_the_default() {
    let settings = read(&json!({"domain": "a.gov"})).expect("good");
    assert_eq!(settings.behaviour.default_ttl, Wish::Unsaid);
    assert_eq!(settings.delivery, contract::Delivery::default());
    let names =
        ["default_ttl", "cache_policy", "error_responses", "compress", "hsts", "price_class", "minimum_tls"];
    let mut nulls = json!({"domain": "a.gov", "logging": null});
    for name in names {
        nulls[name] = Value::Null;
    }
    let Settings { behaviour, delivery, .. } = read(&nulls).expect("good");
    assert_eq!(behaviour.policies, Wish::Default);
    assert_eq!(
        (behaviour.default_ttl, behaviour.compress, behaviour.hsts),
        (Wish::Default, Wish::Default, Wish::Default)
    );
    assert_eq!((delivery.price_class, delivery.minimum_tls), (Wish::Default, Wish::Default));
    assert_eq!((delivery.error_pages, delivery.logging), (Wish::Default, Wish::Default));
}

#[test]
fn what_the_distribution_does_can_be_chosen() {
    let settings = read(&json!({
        "domain": "a.gov", "default_ttl": 0, "compress": true, "hsts": true, "price_class": "PriceClass_200",
        "minimum_tls": "TLSv1.3_2025", "logging": true,
        "error_responses": {"404": "/errors/404.html", "503": "/busy.html"},
    }))
    .expect("good");
    assert_eq!(settings.behaviour.default_ttl, Wish::Is(0));
    assert_eq!((settings.behaviour.compress, settings.behaviour.hsts), (Wish::Is(true), Wish::Is(true)));
    let pages = BTreeMap::from([(404, "/errors/404.html".to_owned()), (503, "/busy.html".to_owned())]);
    assert_eq!(
        settings.delivery,
        contract::Delivery {
            error_pages: Wish::Is(pages),
            price_class: Wish::Is(PriceClass::Class200),
            minimum_tls: Wish::Is(MinimumTls::Tls13In2025),
            logging: Wish::Is(true),
        }
    );
}

#[test]
fn policies_are_known_by_both_their_names_and_bring_host_to_the_default_origin() {
    use OriginRequestPolicy::{AllViewer, CorsS3Origin, HostHeaderOnly};
    for (asked, cache, request) in [
        (json!({"cache_policy": "CachingOptimized"}), CachePolicy::CachingOptimized, Some(HostHeaderOnly)),
        (
            json!({"cache_policy": "Managed-CachingOptimized"}),
            CachePolicy::CachingOptimized,
            Some(HostHeaderOnly),
        ),
        (json!({"cache_policy": "CachingOptimized", "origin": "o.gov"}), CachePolicy::CachingOptimized, None),
        (
            json!({"cache_policy": "UseOriginCacheControlHeaders"}),
            CachePolicy::UseOriginCacheControlHeaders,
            None,
        ),
        (
            json!({"origin_request_policy": "AllViewer"}),
            CachePolicy::UseOriginCacheControlHeadersQueryStrings,
            Some(AllViewer),
        ),
        (
            json!({"cache_policy": "CachingDisabled", "origin_request_policy": "CORS-S3Origin", "origin": "o.gov",
            "cookies": null, "headers": null}),
            CachePolicy::CachingDisabled,
            Some(CorsS3Origin),
        ),
    ] {
        let mut asked = asked;
        asked["domain"] = json!("a.gov");
        let behaviour = read(&asked).expect("good").behaviour;
        assert_eq!(behaviour.policies, Wish::Is(Policies { cache, origin_request: request }), "{asked}");
        assert!(behaviour.headers.is_empty(), "{asked}");
    }
}

#[test]
fn newer_names_take_texts_with_commas_too() {
    let read = |name: &str, value: Value| {
        let settings = read(&json!({"domain": "a.gov", "origin": "o.gov", name: value})).expect("good");
        (settings.behaviour.cookies, settings.behaviour.headers)
    };
    let only = |names: &[&str]| Cookies::Only(names.iter().map(|&name| name.to_owned()).collect());
    for (value, cookies) in [
        (json!("b, a"), only(&["a", "b"])),
        (json!(["b", "a"]), only(&["a", "b"])),
        (json!(""), Cookies::None),
        (json!("*"), Cookies::All),
        (json!(["*"]), Cookies::All),
        (json!(false), Cookies::None),
        (json!(null), Cookies::All),
    ] {
        assert_eq!(read("forward_cookies", value.clone()).0, cookies, "{value}");
    }
    assert_eq!(read("forward_headers", json!("x-b,X-A")).1, ["X-A", "X-B"]);
    assert_eq!(read("forward_headers", json!(["*"])).1, ["*"]);
}

#[test]
fn logs_need_a_bucket_of_the_operators() {
    let default = DomainName::parse("apps.example.org").expect("a name");
    let read = |value: Value| {
        let asked = Map::from_iter([("domain".to_owned(), json!("a.gov")), ("logging".to_owned(), value)]);
        read_settings(&asked, &default, Offer::default()).map_err(|error| error.to_string())
    };
    assert!(read(json!(true)).expect_err("no bucket").contains("keeps no access logs"));
    assert!(read(json!(false)).is_ok() && read(json!(null)).is_ok());
}

#[test]
fn settings_of_before_are_still_read() {
    let row = json!({
        "domains": ["a.gov"],
        "origin": {"domain": "o.gov", "path": "", "insecure": false},
        "behaviour": {"headers": ["Host"], "cookies": "all"},
    });
    let settings: Settings = serde_json::from_value(row).expect("an old row");
    assert_eq!(settings.behaviour.policies, Wish::Unsaid);
    let again = serde_json::to_string(&settings).and_then(|text| serde_json::from_str::<Settings>(&text));
    assert_eq!(again.expect("a new row"), settings);
}
