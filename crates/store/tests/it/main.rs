//! The store against real databases.

mod census;
mod cluster;
mod conformance;
mod postgres;
mod queue;
mod sqlite;
mod support;
