//! The metadata that marketplaces show (Cloud Foundry's profile of the specification, "Service Metadata"). Names that are not
//! conventional are nobody's business.

use serde_json::{Map, Value};

use super::report;

/// What is shown as a text.
const TEXTS: [&str; 3] = ["displayName", "longDescription", "providerDisplayName"];
/// What is shown as a link.
const LINKS: [&str; 2] = ["documentationUrl", "supportUrl"];

pub(super) fn check_service(place: &str, metadata: &Map<String, Value>, problems: &mut Vec<String>) {
    let mut check = |name: &str, is_good: fn(&Value) -> bool, what: &str| {
        let good = metadata.get(name).is_none_or(is_good);
        report(good, place, &format!("metadata.{name} is not {what}"), problems);
    };
    for name in TEXTS {
        check(name, is_text, "a text");
    }
    for name in LINKS {
        check(name, is_link, "a URL with http:// or https://");
    }
    check("imageUrl", is_image, "a URL with http://, https:// or data:image/");
    check("shareable", Value::is_boolean, "a boolean");
}

pub(super) fn check_plan(place: &str, metadata: &Map<String, Value>, problems: &mut Vec<String>) {
    let mut check = |name: &str, is_good: fn(&Value) -> bool, what: &str| {
        let good = metadata.get(name).is_none_or(is_good);
        report(good, place, &format!("metadata.{name} is not {what}"), problems);
    };
    check("displayName", is_text, "a text");
    check("bullets", |value| is_list_of(value, is_text), "a list of texts");
    check(
        "costs",
        |value| is_list_of(value, is_cost),
        "a list of costs, such as {\"amount\": {\"usd\": 9.5}, \"unit\": \"MONTHLY\"}",
    );
}

/// An amount in at least one currency, and what it is for.
fn is_cost(value: &Value) -> bool {
    let amount = value.get("amount").and_then(Value::as_object);
    amount.is_some_and(|amount| !amount.is_empty() && amount.values().all(Value::is_number))
        && value.get("unit").is_some_and(is_text)
}

fn is_list_of(value: &Value, is_good: fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(is_good))
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_link(value: &Value) -> bool {
    let begins = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    value.as_str().is_some_and(begins)
}

fn is_image(value: &Value) -> bool {
    is_link(value) || value.as_str().is_some_and(|text| text.starts_with("data:image/"))
}
