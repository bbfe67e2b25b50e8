//! What people call the organization and the space of an instance.

use contract::Place;
use serde_json::{Map, Value};

/// What the platform has told with a request: `organization_name` and `space_name` of its `context` (OSB profile for Cloud
/// Foundry, 2.15 and later).
pub(crate) fn told(context: &Map<String, Value>) -> Place {
    let text = |key: &str| {
        let text = context.get(key).and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Place { organization: text("organization_name"), space: text("space_name") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_names_are_names() {
        let told = |context: Value| told(context.as_object().unwrap());
        let both = json!({"platform": "cloudfoundry", "organization_name": "my org", "space_name": "dev"});
        let place = |organization: Option<&str>, space: Option<&str>| Place {
            organization: organization.map(str::to_owned),
            space: space.map(str::to_owned),
        };
        assert_eq!(told(both), place(Some("my org"), Some("dev")));
        assert_eq!(told(json!({"organization_name": 7, "space_name": " "})), Place::default());
    }
}
