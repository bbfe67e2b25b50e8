mod asked;

use std::collections::BTreeMap;

use aws_sdk_cloudfront::types::{
    CertificateSource, CustomErrorResponse, DefaultCacheBehavior, Headers, LoggingConfig,
    MinimumProtocolVersion, Origin, OriginShield, PriceClass,
};
use contract::{Behaviour, Cookies, Delivery, DomainName, Serving, StoredCertificate};

use super::*;

const PLACE: Place<'_> = Place {
    bucket_host: "challenges.s3.us-east-1.amazonaws.com",
    control: "E1CONTROL",
    log_bucket: Some("logs"),
    web_acl: Some(ACL),
};
const ACL: &str = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/public/1";

fn spec() -> DistributionSpec {
    DistributionSpec {
        instance: InstanceId::new("9a3f2b10-0c1d-4e5f-8a9b-0123456789ab"),
        serving: None,
        origin: contract::Origin { domain: name("app.example.net"), path: String::new(), insecure: false },
        behaviour: Behaviour { headers: vec!["Host".to_owned()], ..Behaviour::default() },
        delivery: Delivery::default(),
        web_acl: false,
        tags: BTreeMap::from([("plan".to_owned(), "cdn-route".to_owned())]),
    }
}

fn serving(names: &[&str], certificate: &str) -> DistributionSpec {
    let names = names.iter().copied().map(name).collect();
    let certificate = StoredCertificate::new(certificate);
    DistributionSpec { serving: Some(Serving { names, certificate }), ..spec() }
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn fresh_config(spec: &DistributionSpec) -> DistributionConfig {
    fresh(&Reference::new("ref-1"), spec, PLACE).unwrap().distribution_config.unwrap()
}

/// What CloudFront holds after `fresh`, in normal form.
fn live(spec: &DistributionSpec) -> DistributionConfig {
    normal(&fresh_config(spec)).unwrap()
}

/// A configuration for people: the SDK's own words without the hundred members that are not set, and without `Some`.
fn text(config: &impl std::fmt::Debug) -> String {
    let (mut text, mut open, mut begun) = (String::new(), Vec::new(), None);
    for line in format!("{config:#?}").lines().map(str::trim).filter(|line| !line.ends_with(": None,")) {
        if line.starts_with([')', ']', '}']) && open.pop() == Some("Some(") {
            continue;
        }
        let depth = open.iter().filter(|opening| **opening != "Some(").count();
        let line = begun.take().unwrap_or_else(|| "  ".repeat(depth)) + line;
        if let Some(field) = line.strip_suffix("Some(") {
            begun = Some(field.to_owned());
            open.push("Some(");
            continue;
        }
        if line.ends_with(['(', '[', '{']) {
            open.push("(");
        }
        text = text + &line + "\n";
    }
    text
}

#[test]
fn a_new_distribution_looks_like_this() {
    insta::assert_snapshot!("fresh", text(&fresh(&Reference::new("ref-1"), &spec(), PLACE).unwrap()));
}

#[test]
fn names_come_with_their_certificate() {
    let config = fresh_config(&serving(&["www.example.org", "example.org"], "ASCA1"));
    insta::assert_snapshot!("serving", text(&(config.aliases, config.viewer_certificate)));
}

#[test]
fn the_origin_follows_the_users_wishes() {
    let origin = contract::Origin { path: "/site".to_owned(), insecure: true, ..spec().origin };
    let config = fresh_config(&DistributionSpec { origin, ..spec() });
    insta::assert_snapshot!("insecure_origin", text(&config.origins.unwrap().items[0]));
}

#[test]
fn what_is_forwarded_is_sorted() {
    let headers = ["User-Agent", "Accept", "Host", "Accept"].map(str::to_owned).to_vec();
    let cookies = Cookies::Only(vec!["theme".to_owned(), "session".to_owned()]);
    let config = fresh_config(&DistributionSpec {
        behaviour: Behaviour { headers, cookies, ..Behaviour::default() },
        ..spec()
    });
    insta::assert_snapshot!("forwarded", text(&config.default_cache_behavior.unwrap().forwarded_values));
}

#[test]
fn the_order_of_headers_and_names_makes_no_difference_d17() {
    let with = |headers: [&str; 2], names: [&str; 2]| {
        let behaviour = Behaviour {
            headers: headers.map(str::to_owned).to_vec(),
            cookies: Cookies::None,
            ..Behaviour::default()
        };
        fresh_config(&DistributionSpec { behaviour, ..serving(&names, "ASCA1") })
    };
    assert_eq!(with(["A", "B"], ["a.org", "b.org"]), with(["B", "A"], ["b.org", "a.org"]));
}

#[test]
fn every_quantity_is_the_number_of_items_d26() {
    let config = fresh_config(&serving(&["a.org"], "ASCA1"));
    assert_eq!(config.origins.unwrap().quantity, 2);
    assert_eq!(config.aliases.unwrap().quantity, 1);
    assert_eq!(config.cache_behaviors.unwrap().quantity, 1);
    assert_eq!(config.custom_error_responses.unwrap().quantity, 2);
    let methods = config.default_cache_behavior.unwrap().allowed_methods.unwrap();
    assert_eq!((methods.quantity, methods.items.len()), (7, 7));
}

#[test]
fn a_person_finds_the_instance_in_the_comment() {
    assert_eq!(fresh_config(&spec()).comment, "cdn-broker 9a3f2b10-0c1d-4e5f-8a9b-0123456789ab");
}

#[test]
fn a_comment_is_never_longer_than_cloudfront_takes() {
    let config = fresh_config(&DistributionSpec { instance: InstanceId::new("x".repeat(255)), ..spec() });
    assert_eq!(config.comment.len(), COMMENT_MAX);
}

#[test]
fn nothing_changes_when_nothing_differs() {
    let spec = serving(&["b.org", "a.org"], "ASCA1");
    let mut read = fresh_config(&spec);
    read.aliases.as_mut().unwrap().items.as_mut().unwrap().reverse();
    let block = read.viewer_certificate.as_mut().unwrap();
    block.cloud_front_default_certificate = Some(false);
    block.certificate = Some("ASCA1".to_owned());
    block.certificate_source = Some(CertificateSource::Iam);
    let read = normal(&read).unwrap();
    assert_eq!(changed(&read, &spec, PLACE).unwrap(), read);
}

#[test]
fn a_new_certificate_rebuilds_the_block() {
    let before = serving(&["a.org"], "ASCA1");
    let mut read = fresh_config(&before);
    let block = read.viewer_certificate.as_mut().unwrap();
    block.certificate = Some("ASCA1".to_owned());
    block.certificate_source = Some(CertificateSource::Iam);
    let after = serving(&["a.org", "b.org"], "ASCA2");
    let config = changed(&normal(&read).unwrap(), &after, PLACE).unwrap();
    insta::assert_snapshot!("renewed", text(&(config.aliases, config.viewer_certificate)));
}

#[test]
fn a_newer_protocol_chosen_by_the_operator_stays() {
    let mut read = live(&serving(&["a.org"], "ASCA1"));
    let newer = MinimumProtocolVersion::TlSv132025;
    read.viewer_certificate.as_mut().unwrap().minimum_protocol_version = Some(newer.clone());
    let after = serving(&["a.org"], "ASCA2");
    let block = changed(&read, &after, PLACE).unwrap().viewer_certificate.unwrap();
    assert_eq!(block.minimum_protocol_version, Some(newer));
}

#[test]
fn the_first_certificate_takes_our_protocol_not_the_default_certificates() {
    let mut read = live(&spec());
    read.viewer_certificate.as_mut().unwrap().minimum_protocol_version = Some(MinimumProtocolVersion::TlSv1);
    let after = serving(&["a.org"], "ASCA1");
    let block = changed(&read, &after, PLACE).unwrap().viewer_certificate.unwrap();
    assert_eq!(block.minimum_protocol_version, Some(MinimumProtocolVersion::TlSv122021));
    assert_eq!(block.cloud_front_default_certificate, None);
}

#[test]
fn what_the_operator_has_set_survives_a_change() {
    let mut read = live(&spec());
    read.price_class = Some(PriceClass::PriceClassAll);
    read.web_acl_id = Some("acl".to_owned());
    read.comment = "mine".to_owned();
    read.logging = Some(LoggingConfig::builder().enabled(true).bucket("logs.s3.amazonaws.com").build());
    let origins = read.origins.as_mut().unwrap();
    origins.items[0].origin_shield = Some(OriginShield::builder().enabled(true).build().unwrap());
    origins.items.push(Origin::builder().id("theirs").domain_name("x.org").build().unwrap());
    origins.quantity = 3;
    let errors = read.custom_error_responses.as_mut().unwrap();
    let page =
        CustomErrorResponse::builder().error_code(404).response_page_path("/404").error_caching_min_ttl(60);
    errors.items.as_mut().unwrap()[1] = page.build().unwrap();
    assert_eq!(changed(&read, &spec(), PLACE).unwrap(), read);

    let origin = contract::Origin { domain: name("new.example.net"), ..spec().origin };
    let config = changed(&read, &DistributionSpec { origin, ..spec() }, PLACE).unwrap();
    let mut expected = read;
    expected.origins.as_mut().unwrap().items[0].domain_name = "new.example.net".to_owned();
    assert_eq!(config, expected);
}

#[test]
fn a_cache_policy_of_the_operator_takes_the_place_of_forwarding() {
    let mut read = live(&spec());
    let default = read.default_cache_behavior.as_mut().unwrap();
    default.cache_policy_id = Some("658327ea-f89d-4fab-a63d-7e88639e58f6".to_owned());
    default.forwarded_values = None;
    assert_eq!(changed(&read, &spec(), PLACE).unwrap(), read);
}

#[test]
fn missing_ways_of_the_challenges_are_put_back() {
    let mut read = live(&spec());
    read.cache_behaviors = Some(behaviours::cache_behaviors(Vec::new()).unwrap());
    read.custom_error_responses = None;
    read.origins.as_mut().unwrap().items.truncate(1);
    read.origins.as_mut().unwrap().quantity = 1;
    assert_eq!(control_of(&read), None);
    let mut whole = live(&spec());
    let challenges = vec![behaviours::added_challenges().unwrap()];
    whole.cache_behaviors = Some(behaviours::cache_behaviors(challenges).unwrap());
    assert_eq!(changed(&read, &spec(), PLACE).unwrap(), whole);
}

#[test]
fn a_distribution_keeps_its_control() {
    assert_eq!(control_of(&live(&spec())), Some("E1CONTROL"));
}

#[test]
fn empty_and_absent_lists_are_the_same() {
    let mut read = fresh_config(&DistributionSpec {
        behaviour: Behaviour { cookies: Cookies::None, ..Behaviour::default() },
        ..spec()
    });
    let expected = normal(&read).unwrap();
    read.aliases = None;
    let forwarded = read.default_cache_behavior.as_mut().unwrap().forwarded_values.as_mut().unwrap();
    forwarded.headers = Some(Headers::builder().quantity(0).set_items(Some(Vec::new())).build().unwrap());
    assert_eq!(normal(&read).unwrap(), expected);
}

#[test]
fn disabling_changes_nothing_else() {
    let before = live(&serving(&["a.org"], "ASCA1"));
    let mut after = disabled(&before);
    assert!(!after.enabled);
    after.enabled = true;
    assert_eq!(after, before);
}

#[test]
fn a_tag_says_what_aws_lets_it_say() {
    assert_eq!(tag_value("Bureau of Tests (élèves) #1\n"), "Bureau of Tests _élèves_ _1_");
    assert_eq!(tag_value("a+b=c@d:e/f_g.h-i"), "a+b=c@d:e/f_g.h-i");
    assert_eq!(tag_value(&"x".repeat(300)).len(), 256);
}
