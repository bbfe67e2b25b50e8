//! How the parameters of an update and those of earlier requests go together (R84): a key that is sent replaces, one that
//! is not sent keeps, and `null` asks for the default.

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
