#![doc = include_str!("../README.md")]

mod accounts;
mod answers;
mod breakers;
mod cell;
mod certificates;
mod changes;
mod checks;
mod chores;
mod credits;
mod db;
mod deliveries;
mod domains;
mod error;
mod incidents;
mod instances;
mod issuances;
mod labels;
mod ledger;
mod line;
mod looks;
mod operations;
mod operator;
mod queue;
mod readiness;
mod renewals;
mod schema;
mod sealing;
mod standing;
mod store;
mod sweeps;
mod target;
mod threads;
mod troubles;

pub use error::StoreError;
pub use sealing::SealingKey;
pub use store::{Store, StoreSettings};
