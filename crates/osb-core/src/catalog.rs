use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{ErrorCode, Response, catalog_rules};

/// What a broker offers (OSB 2.17, "Catalog Management"). It may be read from a file: names that are not known here are
/// errors then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The services, at least one.
    pub services: Vec<Service>,
}

/// One service ("Service Offering Object").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the specification has them as booleans")]
pub struct Service {
    /// The name users type; unique in the catalog.
    pub name: String,
    /// The id, which never changes; unique over everything in the catalog.
    pub id: String,
    /// One sentence for users.
    pub description: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Permissions that users must give: `syslog_drain`, `route_forwarding`, `volume_mount`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Whether instances can be bound. Always `false`: this crate answers every binding call itself.
    pub bindable: bool,
    /// Whether instances can be fetched once they have been created.
    #[serde(default)]
    pub instances_retrievable: bool,
    /// Whether the platform is to send an update when only its own names of things have changed.
    #[serde(default)]
    pub allow_context_updates: bool,
    /// Whether plans can be changed. Misspelt, as in the specification.
    #[serde(default)]
    pub plan_updateable: bool,
    /// The client with which users are signed on to dashboards; a platform that signs nobody on leaves it aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard_client: Option<DashboardClient>,
    /// What is shown in a marketplace: `displayName`, `longDescription`, `documentationUrl`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// The plans, at least one.
    pub plans: Vec<Plan>,
}

/// The OAuth client that the platform makes for a service ("Dashboard Client Object").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DashboardClient {
    /// Its id, unique on the platform.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Where users are sent back to; the specification lets it be left out, Cloud Controller does not.
    pub redirect_uri: String,
}

impl fmt::Debug for DashboardClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, redirect_uri, .. } = self;
        f.debug_struct("DashboardClient")
            .field("id", id)
            .field("redirect_uri", redirect_uri)
            .finish_non_exhaustive()
    }
}

/// One plan of a service ("Service Plan Object").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the specification names it so")]
pub struct Plan {
    /// The id, which never changes; unique over everything in the catalog.
    pub id: String,
    /// The name users type; unique in the service.
    pub name: String,
    /// One sentence for users.
    pub description: String,
    /// Whether it costs nothing; so it is, unless it is said.
    #[serde(default = "yes")]
    pub free: bool,
    /// Whether this plan can be changed to another one; `None` leaves it to the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_updateable: Option<bool>,
    /// For how many seconds the platform is to poll at most; Cloud Controller takes it only if it is below its own limit
    /// (7 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_polling_duration: Option<u32>,
    /// The version of what instances run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_info: Option<MaintenanceInfo>,
    /// What is shown in a marketplace: `displayName`, `bullets`, `costs`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// What parameters may look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemas: Option<Schemas>,
    /// Whether it is not offered any more. No platform is told of it and no instance gets it, but those that have it can be
    /// looked at, changed to another plan, and deleted.
    #[serde(default, skip_serializing)]
    pub retired: bool,
}

/// The version of what the instances of a plan run on ("Maintenance Info Object"). Whoever changes it makes every new
/// instance fail until the platform has read the catalog again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceInfo {
    /// A Semantic Version 2.0.
    pub version: String,
    /// What is new in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The schemas of a plan ("Schemas Object").
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schemas {
    /// For the parameters of instances.
    #[serde(default)]
    pub service_instance: ServiceInstanceSchema,
}

/// The schemas of instances ("Service Instance Schema Object").
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceInstanceSchema {
    /// For creating one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create: Option<ParametersSchema>,
    /// For changing one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<ParametersSchema>,
}

/// A schema for parameters ("Input Parameters Schema Object").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParametersSchema {
    /// A JSON Schema of draft 04, with `$schema`, without references to elsewhere, at most 64 kB.
    pub parameters: Value,
}

/// A catalog that platforms would refuse.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the catalog is not valid: {}", .0.join("; "))]
pub struct InvalidCatalog(
    /// Everything that is wrong with it, a sentence each.
    pub Vec<String>,
);

impl Catalog {
    /// Everything that a platform would refuse, a sentence each; empty if all is well.
    pub fn validate(&self) -> Vec<String> {
        catalog_rules::problems(self)
    }

    /// What platforms are told: everything but the plans that are retired.
    #[must_use]
    pub fn offered(&self) -> Self {
        let mut offered = self.clone();
        for service in &mut offered.services {
            service.plans.retain(|plan| !plan.retired);
        }
        offered
    }

    /// The service with this id.
    pub fn service(&self, service_id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == service_id)
    }

    /// The plan with this id, if it is one of that service.
    pub fn plan(&self, service_id: &str, plan_id: &str) -> Option<&Plan> {
        self.service(service_id)?.plans.iter().find(|plan| plan.id == plan_id)
    }

    /// Whether a plan is known and not offered any more.
    pub(crate) fn is_retired(&self, service_id: &str, plan_id: &str) -> bool {
        self.plan(service_id, plan_id).is_some_and(|plan| plan.retired)
    }

    /// The `422` for a `maintenance_info.version` that is not the one of the plan (OSB 2.17, "Maintenance Info Object").
    pub(crate) fn maintenance_conflict(
        &self,
        service_id: &str,
        plan_id: &str,
        sent: Option<&str>,
    ) -> Option<Response> {
        let plan = self.plan(service_id, plan_id);
        let offered = plan.and_then(|plan| plan.maintenance_info.as_ref()).map(|info| info.version.as_str());
        if sent.is_none() || sent == offered {
            return None;
        }
        Some(Response::error(
            ErrorCode::MaintenanceInfoConflict,
            "The maintenance_info of this plan has changed in the catalog. Update the service broker in the platform, \
             then try again.",
        ))
    }
}

impl Service {
    /// A service that can be fetched but not bound, and nothing more.
    pub fn new(name: &str, id: &str, description: &str, plans: Vec<Plan>) -> Self {
        Self {
            name: name.to_owned(),
            id: id.to_owned(),
            description: description.to_owned(),
            tags: Vec::new(),
            requires: Vec::new(),
            bindable: false,
            instances_retrievable: true,
            allow_context_updates: false,
            plan_updateable: false,
            dashboard_client: None,
            metadata: Map::new(),
            plans,
        }
    }
}

impl Plan {
    /// A free plan, and nothing more.
    pub fn new(name: &str, id: &str, description: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            free: true,
            plan_updateable: None,
            maximum_polling_duration: None,
            maintenance_info: None,
            metadata: Map::new(),
            schemas: None,
            retired: false,
        }
    }
}

fn yes() -> bool {
    true
}
