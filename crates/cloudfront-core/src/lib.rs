#![doc = include_str!("../README.md")]

mod access;
mod cdn;
mod checks;
mod classify;
mod connect;
mod controls;
mod folder;
mod listing;
mod metered;
mod pacing;
mod permissions;
mod policy;
mod settings;
mod shape;
mod site;
mod vault;
mod zone;

pub use access::{Access, Examination, Grant, Standing, Unasked};
pub use cdn::CloudFrontCdn;
pub use checks::{Assumption, Bench, Broken, Contract, ContractCheck, ContractPorts, Progress, Verdict};
pub use connect::{Aws, connect, connect_counted};
pub use folder::folder;
pub use permissions::{Permission, PermissionRule, permission_rules, permissions};
pub use policy::{PolicySettings, bucket_policy, iam_policy};
pub use settings::{
    AwsSettings, BODY_LOGGING_TARGETS, Endpoint, Endpoints, Keys, Rates, Retries, ZoneSettings,
};
pub use site::S3ChallengeSite;
pub use vault::IamVault;
pub use zone::Route53Zone;

/// What follows from each error of AWS, in the order of precedence: the rows of `docs/RETRIES.md`.
pub fn error_rules() -> Vec<contract::ErrorRule> {
    classify::rules::shown()
}
