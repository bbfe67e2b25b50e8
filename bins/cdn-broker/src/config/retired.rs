//! Variables of earlier brokers that this one does not read. Whoever brings their environment along is told once which they
//! are: those that are not needed, and those in whose place something else has to be said.

use super::Variables;

/// The name, and why it is not needed.
const RETIRED: &[(&str, &str)] = &[
    ("SCHEDULE", "each certificate has a time of its own"),
    ("CLOUDFRONT_PREFIX", "nothing ever used it"),
    ("USER_ID_POOL", "there is one ACME account, which is made when it is first needed"),
    ("DEFAULT_DEFAULT_TTL", "users ask for `default_ttl`; imported instances keep theirs"),
    ("DATABASE_ENCRYPTION_KEY", "only `cdn-broker import` reads it"),
    ("SECRET_KEY", "there are no sessions"),
    ("DNS_PROPAGATION_SLEEP_TIME", "name servers are asked"),
    ("DNS_VERIFICATION_SERVER", "`DNS_RESOLVERS` says who is asked, the system's resolvers by default"),
    ("ACME_POLL_TIMEOUT_IN_SECONDS", "the authority says when to ask again"),
    ("ALB_OVERLAP_SLEEP_TIME", "this broker has no load balancers"),
    ("ALB_LISTENER_ARNS", "this broker has no load balancers"),
    ("DEDICATED_ALB_LISTENER_ARN_MAP", "this broker has no load balancers"),
    ("AWS_COMMERCIAL_GLOBAL_REGION", "services that are everywhere have one region"),
    ("AWS_GOVCLOUD_REGION", "this broker has no load balancers"),
    ("AWS_GOVCLOUD_ACCESS_KEY_ID", "this broker has no load balancers"),
    ("AWS_GOVCLOUD_SECRET_ACCESS_KEY", "this broker has no load balancers"),
    ("IGNORE_DUPLICATE_DOMAINS", "a domain belongs to the first instance that proves it"),
];

/// The name, and what to say in its place.
const ELSEWHERE: &[(&str, &str)] = &[
    ("SMTP_HOST", "for alerts by mail set SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO"),
    ("SMTP_PORT", "it is a part of SMTP_URL"),
    ("SMTP_USER", "it is a part of SMTP_URL"),
    ("SMTP_PASS", "it is a part of SMTP_URL"),
    ("SMTP_FROM", "set ALERT_EMAIL_FROM"),
    ("SMTP_TO", "set ALERT_EMAIL_TO"),
    ("SMTP_CERT", "put it into a file, and its name into ALERT_ROOT_CA"),
    ("SMTP_TLS", "it is a part of SMTP_URL"),
    ("WAF_RATE_LIMIT_RULE_GROUP_ARN", "make a web ACL with that rule, and set WAF_WEB_ACL_ARN"),
    ("WAF_CLOUDWATCH_LOG_GROUP_ARN", "the log of a web ACL is set up with the ACL"),
    ("CF_API_URL", "API_ADDRESS would be more: it has each domain checked, which that broker did not do"),
    ("UAA_BASE_URL", "the platform says where its UAA is"),
    ("UAA_CLIENT_ID", "it would be CLIENT_ID, which goes with API_ADDRESS"),
    ("UAA_CLIENT_SECRET", "it would be CLIENT_SECRET, which goes with API_ADDRESS"),
];

/// A sentence for each of them that is set, under either of its names.
pub(crate) fn retired(variables: &dyn Variables) -> Vec<String> {
    let is_set = |name: &str| {
        [format!("CDN_{name}"), name.to_owned()].iter().any(|name| variables.get(name).is_some())
    };
    let among = |names: &'static [(&str, &str)]| names.iter().filter(move |(name, _)| is_set(name));
    let retired = among(RETIRED).map(|(name, why)| format!("{name} is not needed any more: {why}"));
    let elsewhere = among(ELSEWHERE).map(|(name, what)| format!("{name} is not read: {what}"));
    retired.chain(elsewhere).collect()
}
