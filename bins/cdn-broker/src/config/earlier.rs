//! What `external-domain-broker` calls by other names, so that its environment starts this broker as far as it says what this
//! one has to know. The Go brokers called everything as it is called here.

use super::Variables;

/// A value that follows from variables of that broker, and which they are.
pub(super) type Found = (String, String);

/// What its variables say about one of ours; `None` where they say nothing.
pub(super) fn earlier(variables: &dyn Variables, name: &str) -> Option<Found> {
    let from = |theirs: &str| said(variables, theirs).map(|value| (value, theirs.to_owned()));
    match name {
        "DEFAULT_ORIGIN" => from("DEFAULT_CLOUDFRONT_ORIGIN"),
        "AWS_ACCESS_KEY_ID" => from("AWS_COMMERCIAL_ACCESS_KEY_ID"),
        "AWS_SECRET_ACCESS_KEY" => from("AWS_COMMERCIAL_SECRET_ACCESS_KEY"),
        "AWS_REGION" => from("AWS_COMMERCIAL_REGION"),
        "MANAGED_ZONE" => {
            let (zone, id) = (said(variables, ZONE)?, said(variables, "ROUTE53_ZONE_ID")?);
            Some((format!("{zone}:{id}"), format!("{ZONE} and ROUTE53_ZONE_ID")))
        }
        "IAM_PATH_PREFIX" => of_stage(variables, |stage| Some(format!("external-domains-{stage}"))),
        "ACME_URL" => of_stage(variables, |stage| directory(stage).map(str::to_owned)),
        _ => None,
    }
}

/// Only that broker has it, and cannot be without.
const ZONE: &str = "DNS_ROOT_DOMAIN";
/// Other programs have it too.
const STAGE: &str = "FLASK_ENV";

fn of_stage(variables: &dyn Variables, value: impl Fn(&str) -> Option<String>) -> Option<Found> {
    said(variables, ZONE)?;
    let stage = said(variables, STAGE)?;
    Some((value(&stage)?, format!("{STAGE} (`{stage}`)")))
}

/// The authority that it has used.
fn directory(stage: &str) -> Option<&'static str> {
    match stage {
        "production" | "staging" => Some("https://acme-v02.api.letsencrypt.org/directory"),
        "development" => Some("https://acme-staging-v02.api.letsencrypt.org/directory"),
        _ => None,
    }
}

fn said(variables: &dyn Variables, name: &str) -> Option<String> {
    variables.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
