//! The rules of AWS that this broker stands on, each looked at against the real API with things that are thrown away.
//!
//! A check is a walk from step to step. Each step asserts one rule ([`Assumption`]), asks AWS for little, and never waits:
//! whoever has to wait says for how long, and the walk goes on from there with the next call, whichever process makes it.
//! Where the walk stands, and every name that it gives, is in the store before it is used, so that what a killed process
//! has left behind is used by the next one, and removed in the end.

mod assumptions;
mod bench;
mod check;
mod cloudfront;
mod iam;
mod plan;
mod refusal;
mod s3;
mod steps;
mod walk;
mod walker;

pub use bench::Bench;
pub use plan::{Assumption, Contract};
pub use walker::{Broken, ContractCheck, ContractPorts, Progress, Verdict};
