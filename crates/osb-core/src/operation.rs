use serde_json::{Map, Value};

/// What a platform asks for, after everything has been checked that can be checked without knowing the instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `GET /v2/catalog`; answered by [`Api::answer_catalog`](crate::Api::answer_catalog).
    Catalog(CatalogQuery),
    /// `PUT /v2/service_instances/{id}`; next comes [`decide_provision`](crate::decide_provision).
    Provision(Provision),
    /// `PATCH /v2/service_instances/{id}`; next comes [`decide_update`](crate::decide_update).
    Update(Update),
    /// `DELETE /v2/service_instances/{id}`; next comes [`decide_deprovision`](crate::decide_deprovision).
    Deprovision(Deprovision),
    /// `GET /v2/service_instances/{id}/last_operation`; next comes
    /// [`decide_last_operation`](crate::decide_last_operation).
    LastOperation(LastOperation),
    /// `GET /v2/service_instances/{id}`; next comes [`decide_fetch`](crate::decide_fetch).
    Fetch(Fetch),
}

/// The question for the catalog (OSB 2.17, "Catalog Management").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogQuery {
    /// `If-None-Match`: the entity tags the platform has.
    pub if_none_match: Option<String>,
}

/// A new instance is asked for, asynchronously (OSB 2.17, "Provisioning"). The service and the plan are in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Provision {
    /// The platform's id: 1 to 255 unreserved characters.
    pub instance_id: String,
    /// The service.
    pub service_id: String,
    /// The plan, one of the service.
    pub plan_id: String,
    /// The organization; at most 255 bytes without control characters.
    pub organization_guid: String,
    /// The space; at most 255 bytes without control characters.
    pub space_guid: String,
    /// The user's parameters; empty when absent or `null`. What is in there is the broker's to check.
    pub parameters: Map<String, Value>,
    /// What the platform tells about itself; empty when absent or `null`.
    pub context: Map<String, Value>,
    /// `maintenance_info.version`, if one was sent; checked by [`decide_provision`](crate::decide_provision).
    pub maintenance_info_version: Option<String>,
    /// The whole body as it was sent, JSON, for keeping.
    pub body: String,
}

/// A change is asked for, asynchronously (OSB 2.17, "Updating a Service Instance"). The service is in the catalog, and so
/// is the plan if there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The platform's id: 1 to 255 unreserved characters.
    pub instance_id: String,
    /// The service.
    pub service_id: String,
    /// The plan that is wanted; `None` leaves it. Cloud Controller always sends one, mostly the present one.
    pub plan_id: Option<String>,
    /// The parameters that are to change. Empty (absent, `null`, `{}`) means no change, never a return to defaults; an
    /// explicit `null` inside is kept.
    pub parameters: Map<String, Value>,
    /// What the platform tells about itself; empty when absent or `null`.
    pub context: Map<String, Value>,
    /// `maintenance_info.version`, if one was sent; checked by [`decide_update`](crate::decide_update).
    pub maintenance_info_version: Option<String>,
    /// The whole body as it was sent, JSON, for keeping.
    pub body: String,
}

/// An instance is to be deleted, asynchronously (OSB 2.17, "Deprovisioning"). The service and the plan are in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the specification names them so")]
pub struct Deprovision {
    /// The platform's id: 1 to 255 unreserved characters.
    pub instance_id: String,
    /// The service, as far as the platform knows.
    pub service_id: String,
    /// The plan, as far as the platform knows.
    pub plan_id: String,
}

/// A poll (OSB 2.17, "Polling Last Operation for Service Instances"). Cloud Controller takes a `400` here for the end of
/// the operation, so nothing but the instance's id is ever refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastOperation {
    /// The platform's id: 1 to 255 unreserved characters.
    pub instance_id: String,
    /// The operation asked about, as sent; it may be absent, or none of this broker's.
    pub operation: Option<String>,
}

/// An instance is looked at (OSB 2.17, "Fetching a Service Instance").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// The platform's id: 1 to 255 unreserved characters.
    pub instance_id: String,
}
