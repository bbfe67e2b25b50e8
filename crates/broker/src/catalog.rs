use osb_core::{Catalog, ParametersSchema, Plan, Schemas, Service, ServiceInstanceSchema};
use serde_json::{Map, Value, json};

use crate::parameters::schema;

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
                create: Some(ParametersSchema { parameters: schema::create() }),
                update: Some(ParametersSchema { parameters: schema::update() }),
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
}
