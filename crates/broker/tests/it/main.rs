//! The broker against the fakes of every port: whole flows, every crash point, and the front door.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod both_tracks;
mod breakers;
mod checks;
mod crashes;
mod endings;
mod faults;
mod front_door;
mod harness;
mod health;
mod letters;
mod limits;
mod lives;
mod look;
mod managed;
mod names;
mod offered;
mod operator;
mod owners;
mod pages;
mod plans;
mod platform;
mod precedence;
mod reconcile;
mod recreations;
mod refused_updates;
mod renewals;
mod responder;
mod schema;
mod sign_on;
mod texts;
mod trace;
mod unavailable;
mod update_crashes;
mod updates;
