//! The store against real databases.

mod census;
mod cluster;
mod conformance;
mod postgres;
mod queue;
mod sealed;
mod sqlite;
mod support;
