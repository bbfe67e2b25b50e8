use osb_core::{Catalog, ParametersSchema, Plan, Schemas, Service, ServiceInstanceSchema};
use serde_json::{Map, Value, json};

/// The service's id, the one of the broker that operators run today.
pub const SERVICE_ID: &str = "8478b533-2b59-4007-8494-2feec5970f94";

/// The plan's id, likewise.
pub const PLAN_ID: &str = "fc055c72-1075-44c9-9aee-bddd52e1b053";

/// What is offered: a drop-in for the broker that operators run today, except that it no longer claims to be bindable.
pub fn default_catalog() -> Catalog {
    let plan = Plan {
        metadata: object(json!({
            "displayName": "Content Distribution Network Route",
            "bullets": [
                "CloudFront in front of your own domains",
                "A certificate from Let's Encrypt that renews itself",
            ],
        })),
        schemas: Some(Schemas {
            service_instance: ServiceInstanceSchema {
                create: Some(ParametersSchema { parameters: create_schema() }),
                update: None,
            },
        }),
        ..Plan::new(
            "cdn-route",
            PLAN_ID,
            "Custom domains, CDN caching, and TLS certificates with automatic renewal",
        )
    };
    let service = Service {
        metadata: object(json!({
            "displayName": "CDN Route",
            "longDescription": "Serves your own domains over HTTPS through CloudFront, with a certificate that is \
                                obtained and renewed for you.",
            "shareable": false,
        })),
        ..Service::new(
            "cdn-route",
            SERVICE_ID,
            "Custom domains, CDN caching, and TLS certificates with automatic renewal",
            vec![plan],
        )
    };
    Catalog { services: vec![service] }
}

/// What the parameters of a new instance look like: JSON Schema, draft 04, as Cloud Controller wants it (R39, R40).
fn create_schema() -> Value {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 253});
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "domain": {"type": "string", "minLength": 1, "description": "Your domain; several with commas between."},
            "domains": {
                "type": "array", "minItems": 1, "maxItems": 100, "items": name,
                "description": "Your domains, as a list. Instead of `domain`.",
            },
            "origin": {"type": ["string", "null"], "maxLength": 253, "description": "The host the content comes from."},
            "path": {"type": ["string", "null"], "maxLength": 256, "description": "Put before the path of each request."},
            "insecure_origin": {"type": ["boolean", "null"], "description": "Fetch from the origin over plain HTTP."},
            "cookies": {
                "anyOf": [{"type": ["boolean", "null"]}, {"type": "array", "items": {"type": "string"}}],
                "description": "Cookies forwarded to the origin: true (all), false (none), or a list of names.",
            },
            "headers": {
                "type": ["array", "null"], "maxItems": 10, "items": {"type": "string"},
                "description": "Request headers forwarded to the origin, or [\"*\"] for all.",
            },
        },
        "anyOf": [{"required": ["domain"]}, {"required": ["domains"]}],
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_is_one_that_platforms_take() {
        assert_eq!(default_catalog().validate(), Vec::<String>::new());
    }

    #[test]
    fn the_schema_knows_the_parameters_that_the_code_knows() {
        let schema = create_schema();
        let mut in_schema: Vec<&str> =
            schema["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
        let mut in_code = crate::parameters::KNOWN.to_vec();
        in_schema.sort_unstable();
        in_code.sort_unstable();
        assert_eq!(in_schema, in_code);
    }
}
