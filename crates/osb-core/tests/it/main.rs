//! The protocol through the crate's front door. Rows (`R54`) are those of the project's table of requirements.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is the message")]

mod answers;
mod catalog;
mod decisions;
mod fields;
mod fuzz;
mod headers;
mod polling;
mod precedence;
mod properties;
mod routes;
mod support;
mod updates;
