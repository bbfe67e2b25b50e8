#![doc = include_str!("../README.md")]

mod alerts;
mod breakers;
mod canary;
mod catalog;
mod checks;
mod chores;
mod decide;
mod describe;
mod draft;
mod fuzzing;
mod health;
mod import;
pub mod json;
mod metrics;
mod mishap;
mod names;
mod operator;
mod pace;
mod page;
mod parameters;
mod places;
mod planner;
mod platform;
mod ports;
mod reconcile;
mod responder;
mod retry_rules;
mod rotation;
mod server;
mod service;
mod sweeper;
mod waiting;
pub mod words;
mod worker;
mod workflow;

pub use alerts::Notifier;
pub use breakers::Breakers;
pub use canary::{
    CanarySettings, CanaryStore, CanaryZone, EndToEnd, EndToEndPorts, EndToEndProgress, KeptCanary,
};
pub use catalog::{Limits, Offering, PLAN_ID, PlanRules, Plans, SERVICE_ID, WAF_PLAN_ID};
pub use checks::{
    AcmeIssue, ByHand, CheckPorts, Checks, Expiry, LiveSites, SeveralTenants, Standing as CheckStanding,
    WhichChecks,
};
pub use chores::Chores;
pub use fuzzing::fuzz_parameters;
pub use import::{
    ImportEntry, ImportReport, ImportSettings, Importer, NameSight, ServedCertificate, Told, Undone, Verdict,
};
pub use metrics::{Counters, Metrics, MetricsPage, serve_metrics};
pub use operator::{Asked, CertificateStory, Forgotten, LeftBehind, Operator, Plot, Story};
pub use pace::Pace;
pub use page::{AdminStores, Pages, PublicUrl};
pub use parameters::{Offer, ParameterError, read_settings};
pub use platform::{CloudController, People, PlatformSettings, PlatformSettingsError, PlatformView};
pub use ports::{ManagedNames, Ports};
pub use reconcile::{Counts, Drift, Entry, Finding, Reconciler, Report, RoundSettings, Thing, Unread};
pub use responder::{self_test_answer, self_test_token};
pub use retry_rules::{RemedyRule, StepRule, remedy_name, remedy_rules, step_rules};
pub use rotation::{Rotation, Rotator};
pub use server::{Listening, ServerError, ServerLimits, Tls, TlsError, serve};
pub use service::{Rules, Service};
pub use waiting::{WAITING, Waiting};
pub use worker::{WorkSettings, Worker};
pub use workflow::{DEPROVISION, PROVISION, RECREATE, RENEW, Step, UPDATE_NAMES, UPDATE_SETTINGS};
