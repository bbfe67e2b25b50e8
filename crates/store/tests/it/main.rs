//! The store against real databases.

mod conformance;
mod queue;
mod sqlite;
mod support;
