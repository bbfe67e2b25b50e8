//! Variables of earlier brokers that this one has no use for. Whoever brings their environment along is told once which they are.

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
    ("IGNORE_DUPLICATE_DOMAINS", "a domain belongs to the first instance that proves it"),
];

/// A sentence for each of them that is set, under either of its names.
pub(crate) fn retired(variables: &dyn Variables) -> Vec<String> {
    let is_set = |name: &str| {
        [format!("CDN_{name}"), name.to_owned()].iter().any(|name| variables.get(name).is_some())
    };
    let set = RETIRED.iter().filter(|(name, _)| is_set(name));
    set.map(|(name, why)| format!("{name} is not needed any more: {why}")).collect()
}
