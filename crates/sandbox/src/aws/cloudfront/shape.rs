//! The first checks of create and update: required members, quantities, comment and enumerations.

use std::collections::BTreeSet;

use crate::aws::error::Failure;
use crate::aws::xml::Element;

/// Required on create [`aws.md` 1.1]; elements that may be empty must still be there.
const CONFIG: [&str; 5] = ["CallerReference", "Origins/Items", "DefaultCacheBehavior", "Comment", "Enabled"];
const ORIGIN: [&str; 2] = ["Id", "DomainName"];
const CUSTOM_ORIGIN: [&str; 3] = ["HTTPPort", "HTTPSPort", "OriginProtocolPolicy"];
const BEHAVIOUR: [&str; 2] = ["TargetOriginId", "ViewerProtocolPolicy"];

/// Required by update beyond that [`aws.md` 1.2].
const CONFIG_ON_UPDATE: [&str; 10] = [
    "Aliases",
    "DefaultRootObject",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Logging",
    "PriceClass",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
];
const BEHAVIOUR_ON_UPDATE: [&str; 5] =
    ["AllowedMethods", "SmoothStreaming", "Compress", "LambdaFunctionAssociations", "FieldLevelEncryptionId"];

/// CloudFront offers three sets of methods: reading, reading with OPTIONS, all.
const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"];

/// The answers of an origin that can be replaced.
const ERROR_CODES: [u16; 11] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

const LONGEST_COMMENT: usize = 128;

/// Everything that can be said without looking at the account.
pub(super) fn check(config: &Element) -> Result<(), Failure> {
    required(config)?;
    quantities(config)?;
    if config.text_at("Comment").chars().count() > LONGEST_COMMENT {
        return Err(Failure::argument("The parameter Comment is too long."));
    }
    enumerations(config)
}

/// What update wants beyond create, because nothing is merged.
pub(super) fn check_update(config: &Element) -> Result<(), Failure> {
    all_present(config, &CONFIG_ON_UPDATE)?;
    behaviours(config).try_for_each(|behaviour| all_present(behaviour, &BEHAVIOUR_ON_UPDATE))
}

/// The default behaviour, then the others.
pub(super) fn behaviours(config: &Element) -> impl Iterator<Item = &Element> {
    config.child("DefaultCacheBehavior").into_iter().chain(config.items_at("CacheBehaviors"))
}

fn required(config: &Element) -> Result<(), Failure> {
    all_present(config, &CONFIG)?;
    if config.text_at("CallerReference").is_empty() {
        return Err(missing("CallerReference"));
    }
    for origin in config.items_at("Origins") {
        all_present(origin, &ORIGIN)?;
        if let Some(custom) = origin.child("CustomOriginConfig") {
            all_present(custom, &CUSTOM_ORIGIN)?;
        }
        if let Some(s3) = origin.child("S3OriginConfig") {
            all_present(s3, &["OriginAccessIdentity"])?;
        }
    }
    behaviours(config).try_for_each(|behaviour| all_present(behaviour, &BEHAVIOUR))?;
    config
        .items_at("CacheBehaviors")
        .iter()
        .try_for_each(|behaviour| all_present(behaviour, &["PathPattern"]))
}

fn all_present(element: &Element, members: &[&str]) -> Result<(), Failure> {
    members.iter().try_for_each(|member| element.at(member).map(drop).ok_or_else(|| missing(member)))
}

fn missing(member: &str) -> Failure {
    let member = member.trim_end_matches("/Items");
    Failure::argument(format!("The parameter {member} is required."))
}

/// Every list of CloudFront is `Quantity` and `Items`; the two must agree.
fn quantities(element: &Element) -> Result<(), Failure> {
    let items = element.child("Items");
    if let Some(quantity) = element.child("Quantity") {
        let present = items.map_or(0, |items| items.children.len());
        if quantity.text.trim().parse() != Ok(present) {
            let message =
                format!("The value of Quantity and the size of Items don't match in {}.", element.name);
            return Err(Failure::bad("InconsistentQuantities", message));
        }
    } else if items.is_some() {
        return Err(missing("Quantity"));
    }
    element.children.iter().try_for_each(quantities)
}

fn enumerations(config: &Element) -> Result<(), Failure> {
    let price_classes = ["PriceClass_100", "PriceClass_200", "PriceClass_All", "None"];
    one_of(config, "PriceClass", &price_classes)?;
    one_of(config, "HttpVersion", &["http1.1", "http2", "http3", "http2and3"])?;
    one_of(config, "Enabled", &["true", "false"])?;
    for behaviour in behaviours(config) {
        one_of(behaviour, "ViewerProtocolPolicy", &["allow-all", "https-only", "redirect-to-https"])?;
        methods(behaviour, "AllowedMethods", &[&METHODS[..2], &METHODS[..3], &METHODS])?;
        methods(behaviour, "AllowedMethods/CachedMethods", &[&METHODS[..2], &METHODS[..3]])?;
    }
    for error in config.items_at("CustomErrorResponses") {
        if !error.text_at("ErrorCode").parse().is_ok_and(|code: u16| ERROR_CODES.contains(&code)) {
            return Err(Failure::bad("InvalidErrorCode", "An invalid error code was specified."));
        }
    }
    for custom in config.items_at("Origins").iter().filter_map(|origin| origin.child("CustomOriginConfig")) {
        one_of(custom, "OriginProtocolPolicy", &["http-only", "match-viewer", "https-only"])?;
    }
    Ok(())
}

fn methods(behaviour: &Element, path: &str, sets: &[&[&str]]) -> Result<(), Failure> {
    if behaviour.at(path).is_none() {
        return Ok(());
    }
    let given: BTreeSet<String> = behaviour.texts_at(path).into_iter().collect();
    let is_given = |set: &&[&str]| set.iter().map(ToString::to_string).collect::<BTreeSet<_>>() == given;
    if sets.iter().any(is_given) {
        return Ok(());
    }
    Err(Failure::argument(format!("The parameter {path} contains a set of methods that is not valid.")))
}

fn one_of(element: &Element, member: &str, allowed: &[&str]) -> Result<(), Failure> {
    match element.child(member) {
        Some(value) if !allowed.contains(&value.text.trim()) => {
            Err(Failure::argument(format!("The parameter {member} contains a value that is not valid.")))
        }
        _ => Ok(()),
    }
}
