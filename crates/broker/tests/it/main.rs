//! The broker against the fakes of every port: whole flows, every crash point, and the front door.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod crashes;
mod faults;
mod front_door;
mod harness;
mod limits;
mod texts;
