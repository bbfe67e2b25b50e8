//! Tests of the parts together, from outside. A missing component fails a test; it never skips it.
#![expect(clippy::unwrap_used, reason = "test helpers fail the test by panicking")]

mod alerts;
mod bad_input;
mod checks;
mod cloudfront;
mod commands;
mod config_check;
mod contracts;
mod dnssec;
mod drain;
mod house;
mod keys;
mod kills;
mod logs;
mod look;
mod metrics;
mod outage;
mod packaging;
mod page;
mod parameters;
mod parked;
mod path;
mod platform;
mod proofs;
mod reconcile;
mod recreate;
mod renewal;
mod retries;
mod rolling;
mod secrets;
mod several;
mod storm;
mod tables;
mod tls;
mod update;
mod year;
