//! The store against real databases.

mod cluster;
mod conformance;
mod postgres;
mod queue;
mod sqlite;
mod support;
