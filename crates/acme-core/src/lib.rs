#![doc = include_str!("../README.md")]

mod account;
mod accounts;
mod ari;
mod chain;
mod checks;
mod directory;
mod error;
mod exchange;
mod http;
mod instructions;
mod issuer;
mod jws;
mod keys;
mod ledger;
mod limits;
mod looks;
mod memory;
mod order;
mod orders;
mod outlook;
mod pace;
mod placing;
mod probe;
mod problem;
mod proofs;
mod rehearsal;
mod renewal;
mod retry_after;
mod rooms;
mod rules;
mod settings;
mod steps;

pub use chain::ChainReader;
pub use checks::{DirectoryCheck, look_at_directory};
pub use issuer::AcmeIssuer;
pub use limits::{Limits, Quota};
pub use probe::{EdgeMark, Probe, ProbeSettings};
pub use proofs::{ProofSettings, ProofSettingsError};
pub use rooms::Rooms;
pub use settings::{AcmeSettings, DurableFirst, ExternalAccount, SettingsError};

/// What follows from each refusal of an authority, in the order of precedence: the rows of `docs/RETRIES.md`.
pub fn error_rules() -> Vec<contract::ErrorRule> {
    rules::all()
}
