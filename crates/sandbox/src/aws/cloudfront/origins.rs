//! Checks of origins and behaviours: targets, policies, S3 origins and their access controls.

use super::shape::behaviours;
use crate::aws::error::Failure;
use crate::aws::world::World;
use crate::aws::xml::Element;

/// Managed cache policies [`aws.md` 1.10].
const CACHE_POLICIES: [&str; 5] = [
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
];
/// Managed origin request policies.
const REQUEST_POLICIES: [&str; 7] = [
    "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "33f36d7e-f396-46d9-90e0-52428a34d9dc",
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "59781a5b-3903-41f3-afcb-af62929ccde1",
    "bf0718e1-ba1e-49d1-88b1-f726733018ae",
    "acba4595-bd28-49b8-b9fe-13317c0390fa",
];
/// Managed response headers policies.
const RESPONSE_POLICIES: [&str; 2] =
    ["67f7725c-6f97-4210-82d7-5512b31e9d03", "60669652-455b-4ae9-85a4-c4c02393f86c"];

/// Checks the configuration of the distribution `itself` (a new one if none).
pub(super) fn check(world: &World, config: &Element, itself: Option<&str>) -> Result<(), Failure> {
    targets(config)?;
    behaviours(config).try_for_each(policies)?;
    for origin in config.items_at("Origins") {
        kind(origin)?;
        control(world, origin, itself)?;
    }
    Ok(())
}

fn targets(config: &Element) -> Result<(), Failure> {
    let known = |target: &str| config.items_at("Origins").iter().any(|origin| origin.text_at("Id") == target);
    if behaviours(config).all(|behaviour| known(behaviour.text_at("TargetOriginId"))) {
        return Ok(());
    }
    let message = "One or more of your origins or origin groups do not exist.";
    Err(Failure::new(404, "NoSuchOrigin", message))
}

fn policies(behaviour: &Element) -> Result<(), Failure> {
    let modern = !behaviour.text_at("CachePolicyId").is_empty();
    if modern == behaviour.child("ForwardedValues").is_some() {
        let message =
            "Either the parameter ForwardedValues or the parameter CachePolicyId is required, not both.";
        return Err(Failure::argument(message));
    }
    known_policy(behaviour, "CachePolicyId", &CACHE_POLICIES, "NoSuchCachePolicy")?;
    known_policy(behaviour, "OriginRequestPolicyId", &REQUEST_POLICIES, "NoSuchOriginRequestPolicy")?;
    known_policy(behaviour, "ResponseHeadersPolicyId", &RESPONSE_POLICIES, "NoSuchResponseHeadersPolicy")?;
    ttl_order(behaviour)
}

fn known_policy(
    behaviour: &Element,
    member: &str,
    known: &[&str],
    code: &'static str,
) -> Result<(), Failure> {
    let id = behaviour.text_at(member);
    if id.is_empty() || known.contains(&id) {
        return Ok(());
    }
    Err(Failure::new(404, code, "The policy does not exist."))
}

fn ttl_order(behaviour: &Element) -> Result<(), Failure> {
    let times = ["MinTTL", "DefaultTTL", "MaxTTL"].map(|member| behaviour.text_at(member));
    let times: Vec<u64> = times.iter().filter_map(|time| time.parse().ok()).collect();
    if times.is_sorted() {
        return Ok(());
    }
    Err(Failure::bad("InvalidTTLOrder", "The TTL order specified is not valid."))
}

fn kind(origin: &Element) -> Result<(), Failure> {
    let path = origin.text_at("OriginPath");
    if !path.is_empty() && (!path.starts_with('/') || path.ends_with('/')) {
        let message = "The parameter OriginPath must begin with a / and must not end with one.";
        return Err(Failure::argument(message));
    }
    let domain = origin.text_at("DomainName");
    match (origin.child("S3OriginConfig"), origin.child("CustomOriginConfig")) {
        (Some(_), None) if s3_bucket(domain).is_some() => Ok(()),
        (Some(_), None) => {
            Err(Failure::argument("The parameter Origin DomainName does not refer to a valid S3 bucket."))
        }
        (None, Some(_)) if is_host_name(domain) => Ok(()),
        (None, Some(_)) => {
            Err(Failure::argument("The parameter Origin DomainName is not a valid host name."))
        }
        _ => Err(Failure::argument("An origin needs either S3OriginConfig or CustomOriginConfig.")),
    }
}

/// The bucket of a domain such as `bucket.s3.amazonaws.com` or `bucket.s3.us-east-1.amazonaws.com`.
pub(crate) fn s3_bucket(domain: &str) -> Option<&str> {
    let rest = domain.strip_suffix(".amazonaws.com")?;
    let (bucket, region) = rest.rsplit_once(".s3")?;
    let region = region.strip_prefix(['.', '-']).unwrap_or(region);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!bucket.is_empty() && region.chars().all(plain) && !region.starts_with("website")).then_some(bucket)
}

fn is_host_name(domain: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(letters);
    let numeric = domain.parse::<std::net::Ipv4Addr>().is_ok();
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label) && !numeric
}

fn control(world: &World, origin: &Element, itself: Option<&str>) -> Result<(), Failure> {
    let id = origin.text_at("OriginAccessControlId");
    if id.is_empty() {
        return Ok(());
    }
    if !world.cloudfront.controls.iter().any(|control| control.id == id) {
        let message = "The origin access control is not valid.";
        return Err(Failure::bad("InvalidOriginAccessControl", message));
    }
    if !origin.text_at("S3OriginConfig/OriginAccessIdentity").is_empty() {
        let message = "An origin cannot contain both an origin access control (OAC) and an origin access identity \
                       (OAI).";
        return Err(Failure::bad("IllegalOriginAccessConfiguration", message));
    }
    let others = world.cloudfront.distributions.iter();
    let others = others.filter(|other| Some(other.id.as_str()) != itself && other.uses_control(id)).count();
    if others >= world.settings.distributions_per_control {
        let message = "The maximum number of distributions have been associated with the specified origin access \
                       control.";
        return Err(Failure::bad("TooManyDistributionsAssociatedToOriginAccessControl", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_domains_of_buckets() {
        assert_eq!(s3_bucket("b.s3.amazonaws.com"), Some("b"));
        assert_eq!(s3_bucket("my.b.s3.us-east-1.amazonaws.com"), Some("my.b"));
        assert_eq!(s3_bucket("b.s3-eu-west-1.amazonaws.com"), Some("b"));
        for other in ["b.example.com", "s3.amazonaws.com", "b.s3-website-us-east-1.amazonaws.com"] {
            assert_eq!(s3_bucket(other), None, "{other}");
        }
    }

    #[test]
    fn an_origin_is_a_host_name() {
        assert!(is_host_name("app.example.org"));
        for other in ["app.example.org:443", "127.0.0.1", "localhost", "a..b", "a b.example", ""] {
            assert!(!is_host_name(other), "{other}");
        }
    }
}
