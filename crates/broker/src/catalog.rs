//! What is offered: built in, or as the operator's file says.

mod fields;
mod file;
mod limits;
mod meta_schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::Settings;
use osb_core::{Catalog, ParametersSchema, Plan, Schemas, Service, ServiceInstanceSchema};
use serde_json::{Map, Value, json};

pub use self::limits::Limits;
use crate::parameters::{ParameterError, schema};

/// The service's id, the one of the broker that operators run today.
pub const SERVICE_ID: &str = "8478b533-2b59-4007-8494-2feec5970f94";

/// The plan's id, likewise.
pub const PLAN_ID: &str = "fc055c72-1075-44c9-9aee-bddd52e1b053";

/// The id of the plan with a web application firewall.
pub const WAF_PLAN_ID: &str = "7e1d5a0c-3f0b-4a43-9c55-6f0a1d3f2b84";

/// What is offered, and what goes with each plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Offering {
    /// What platforms read.
    pub catalog: Catalog,
    /// What the broker does differently from plan to plan.
    pub plans: Plans,
}

/// What goes with each plan, by its id. By default those of the built-in catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Plans(Arc<BTreeMap<String, PlanRules>>);

/// What goes with one plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanRules {
    /// What users call it.
    pub name: String,
    /// Whether its distributions have the operator's web ACL.
    pub web_acl: bool,
    /// What its instances may ask for.
    pub limits: Limits,
}

impl Offering {
    /// A drop-in for the broker that operators run today, except that it no longer claims to be bindable. `waf` says whether
    /// there is a web ACL for the second plan. Without one that plan is retired: what was made under it before can still be
    /// looked at, changed and deleted. With two plans, one can be changed into the other.
    pub fn built_in(waf: bool) -> Self {
        let plain = plan(
            "cdn-route",
            PLAN_ID,
            "Custom domains, CDN caching, and TLS certificates with automatic renewal",
            "Content Distribution Network Route",
        );
        let guarded = Plan {
            retired: !waf,
            plan_updateable: (!waf).then_some(true),
            ..plan(
                "cdn-route-waf",
                WAF_PLAN_ID,
                "Like cdn-route, behind the platform's web application firewall",
                "Content Distribution Network Route with a Firewall",
            )
        };
        let plans = vec![with_schemas(plain, &Limits::default()), with_schemas(guarded, &Limits::default())];
        Self { catalog: Catalog { services: vec![service(plans, waf)] }, plans: Plans::default() }
    }

    /// What a file of the form in docs/CATALOG.md says.
    ///
    /// # Errors
    /// Everything that is wrong with it, a sentence each.
    pub fn from_json(text: &str) -> Result<Self, Vec<String>> {
        file::read(text)
    }

    /// The plans that are offered and need the operator's web ACL, by name.
    pub fn guarded(&self) -> Vec<&str> {
        let plans = self.catalog.services.iter().flat_map(|service| &service.plans);
        let guarded = plans.filter(|plan| !plan.retired && self.plans.has_web_acl(&plan.id));
        guarded.map(|plan| plan.name.as_str()).collect()
    }
}

impl Default for Plans {
    fn default() -> Self {
        let rules = |name: &str, web_acl| PlanRules { name: name.into(), web_acl, limits: Limits::default() };
        [(PLAN_ID, rules("cdn-route", false)), (WAF_PLAN_ID, rules("cdn-route-waf", true))]
            .map(|(id, rules)| (id.to_owned(), rules))
            .into_iter()
            .collect()
    }
}

impl FromIterator<(String, PlanRules)> for Plans {
    fn from_iter<I: IntoIterator<Item = (String, PlanRules)>>(plans: I) -> Self {
        Self(Arc::new(plans.into_iter().collect()))
    }
}

impl Plans {
    /// Whether the distributions of a plan have the operator's web ACL.
    pub(crate) fn has_web_acl(&self, plan_id: &str) -> bool {
        self.0.get(plan_id).is_some_and(|rules| rules.web_acl)
    }

    /// Refuses what a plan does not include, of the parameters in `named` only: what an instance has had before its plan was
    /// narrowed stays, until somebody speaks of it. `settings` are what all parameters together come to.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn check(
        &self,
        plan_id: &str,
        settings: &Settings,
        named: &Map<String, Value>,
    ) -> Result<(), ParameterError> {
        let rules = self.0.get(plan_id);
        rules.map_or(Ok(()), |rules| rules.limits.check(&rules.name, settings, named))
    }
}

fn service(plans: Vec<Plan>, plan_updateable: bool) -> Service {
    Service {
        metadata: object(json!({
            "displayName": "CDN Route",
            "longDescription": "Serves your own domains over HTTPS through CloudFront, with a certificate that is \
                                obtained and renewed for you.",
            "shareable": false,
        })),
        plan_updateable,
        ..Service::new(
            "cdn-route",
            SERVICE_ID,
            "Custom domains, CDN caching, and TLS certificates with automatic renewal",
            plans,
        )
    }
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
        ..Plan::new(name, id, description)
    }
}

/// The plan with the schemas of its parameters, which say what its limits say (R41).
fn with_schemas(plan: Plan, limits: &Limits) -> Plan {
    let said = |schema| Some(ParametersSchema { parameters: limits.narrow(schema) });
    let service_instance =
        ServiceInstanceSchema { create: said(schema::create()), update: said(schema::update()) };
    Plan { schemas: Some(Schemas { service_instance }), ..plan }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
