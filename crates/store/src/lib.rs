#![doc = include_str!("../README.md")]

mod accounts;
mod answers;
mod cell;
mod certificates;
mod changes;
mod db;
mod error;
mod instances;
mod issuances;
mod labels;
mod ledger;
mod operations;
mod queue;
mod schema;
mod sealing;
mod store;
mod target;

pub use error::StoreError;
pub use sealing::SealingKey;
pub use store::{Store, StoreSettings};
