//! How the parameters of an update and those of earlier requests go together (R84): a key that is sent replaces, one that
//! is not sent keeps, and `null` asks for the default.

use contract::{Behaviour, Delivery, Settings};
use serde_json::{Map, Value};

/// Names under which the same thing can be asked for: one that is sent replaces them all.
const SAME: &[&[&str]] =
    &[&["domain", "domains"], &["cookies", "forward_cookies"], &["headers", "forward_headers"]];

/// What has been asked for so far, with what is asked for now. It is yet to be checked, as a whole; `null` is still there.
pub(crate) fn merged(so_far: &Map<String, Value>, sent: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = so_far.clone();
    merged.retain(|old, _| !sent.keys().any(|new| is_same(old, new)));
    merged.extend(sent.clone());
    merged
}

/// The settings of an update, after those before it: what was ever spoken of is no more the operator's, and has its default
/// now if nothing else is asked for.
pub(crate) fn remembered(now: Settings, before: &Settings) -> Settings {
    let (behaviour, delivery) = (&before.behaviour, &before.delivery);
    Settings {
        behaviour: Behaviour {
            default_ttl: now.behaviour.default_ttl.after(&behaviour.default_ttl),
            policies: now.behaviour.policies.after(&behaviour.policies),
            compress: now.behaviour.compress.after(&behaviour.compress),
            hsts: now.behaviour.hsts.after(&behaviour.hsts),
            ..now.behaviour
        },
        delivery: Delivery {
            error_pages: now.delivery.error_pages.after(&delivery.error_pages),
            price_class: now.delivery.price_class.after(&delivery.price_class),
            minimum_tls: now.delivery.minimum_tls.after(&delivery.minimum_tls),
            logging: now.delivery.logging.after(&delivery.logging),
        },
        ..now
    }
}

/// Whether the domains are spoken of.
pub(crate) fn names_domains(sent: &Map<String, Value>) -> bool {
    sent.keys().any(|name| is_same(name, "domain"))
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || SAME.iter().any(|names| names.contains(&one) && names.contains(&other))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merge(so_far: &Value, sent: &Value) -> Value {
        let object = |value: &Value| value.as_object().expect("an object").clone();
        Value::Object(merged(&object(so_far), &object(sent)))
    }

    #[test]
    fn r84_a_present_key_replaces_an_absent_one_keeps_and_null_is_handed_on() {
        let so_far = json!({"domain": "a.gov", "path": "/p", "cookies": ["a", "b"]});
        assert_eq!(merge(&so_far, &json!({})), so_far);
        let expected = json!({"domain": "a.gov", "path": null, "cookies": ["c"]});
        assert_eq!(merge(&so_far, &json!({"cookies": ["c"], "path": null})), expected);
    }

    #[test]
    fn what_has_two_names_is_replaced_under_both() {
        let so_far = json!({"domain": "a.gov", "forward_headers": ["X-A"]});
        let sent = json!({"domains": ["b.gov"], "headers": ["X-B"]});
        assert_eq!(merge(&so_far, &sent), sent);
    }
}
