use osb_core::{Catalog, ParametersSchema, Plan, Schemas, Service, ServiceInstanceSchema};
use serde_json::{Map, Value, json};

use crate::parameters::schema;

/// The service's id, the one of the broker that operators run today.
pub const SERVICE_ID: &str = "8478b533-2b59-4007-8494-2feec5970f94";

/// The plan's id, likewise.
pub const PLAN_ID: &str = "fc055c72-1075-44c9-9aee-bddd52e1b053";

/// The id of the plan with a web application firewall.
pub const WAF_PLAN_ID: &str = "7e1d5a0c-3f0b-4a43-9c55-6f0a1d3f2b84";

/// What is offered: a drop-in for the broker that operators run today, except that it no longer claims to be bindable.
/// `waf` says whether there is a web ACL for the second plan; with two plans, one can be changed into the other.
pub fn catalog(waf: bool) -> Catalog {
    let mut plans = vec![plan(
        "cdn-route",
        PLAN_ID,
        "Custom domains, CDN caching, and TLS certificates with automatic renewal",
        "Content Distribution Network Route",
    )];
    if waf {
        plans.push(plan(
            "cdn-route-waf",
            WAF_PLAN_ID,
            "Like cdn-route, behind the platform's web application firewall",
            "Content Distribution Network Route with a Firewall",
        ));
    }
    let service = Service {
        metadata: object(json!({
            "displayName": "CDN Route",
            "longDescription": "Serves your own domains over HTTPS through CloudFront, with a certificate that is \
                                obtained and renewed for you.",
            "shareable": false,
        })),
        plan_updateable: waf,
        ..Service::new(
            "cdn-route",
            SERVICE_ID,
            "Custom domains, CDN caching, and TLS certificates with automatic renewal",
            plans,
        )
    };
    Catalog { services: vec![service] }
}

fn plan(name: &str, id: &str, description: &str, display_name: &str) -> Plan {
    Plan {
        metadata: object(json!({
            "displayName": display_name,
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
        ..Plan::new(name, id, description)
    }
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
        for waf in [false, true] {
            assert_eq!(catalog(waf).validate(), Vec::<String>::new());
        }
    }
}
