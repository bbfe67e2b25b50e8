#![doc = include_str!("../README.md")]

mod answers;
mod api;
mod body;
mod catalog;
mod catalog_rules;
mod credential;
mod decide;
mod error_code;
mod existing;
pub mod fuzzing;
mod identity;
mod json;
mod operation;
mod operation_id;
mod polling;
mod query;
mod reading;
mod request;
mod response;
mod route;
mod text;
mod update;
mod version;

pub use answers::{FailedOperation, LastOperationState};
pub use api::{Api, Call};
pub use catalog::{
    Catalog, DashboardClient, InvalidCatalog, MaintenanceInfo, ParametersSchema, Plan, Schemas, Service,
    ServiceInstanceSchema,
};
pub use credential::{Credential, InvalidCredential, claimed_user};
pub use decide::{
    DeprovisionDecision, FetchDecision, ProvisionDecision, decide_deprovision, decide_fetch, decide_provision,
};
pub use error_code::{ErrorCode, UpdateRefusal};
pub use existing::{AskedChange, Existing, InstanceState};
pub use identity::{OriginatingIdentity, Originator};
pub use json::same_json;
pub use operation::{CatalogQuery, Deprovision, Fetch, LastOperation, Operation, Provision, Update};
pub use operation_id::{InvalidOperationId, OperationId};
pub use polling::{KnownOperation, LastOperationDecision, decide_last_operation};
pub use request::Request;
pub use response::Response;
pub use update::{UpdateDecision, decide_update};
pub use version::ApiVersion;
