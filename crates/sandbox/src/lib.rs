#![doc = include_str!("../README.md")]

pub mod authority;
pub mod aws;
pub mod dns;
pub mod edge;
pub mod hosts;
pub mod origin;
pub mod pki;
pub mod platform;
pub mod sinks;

mod broker_process;
mod client;
mod environment;
mod loopback;
mod owner;
mod postgres;
mod process;
mod sandbox;
mod unbound;
mod visit;
mod wait;
mod web;

pub use broker_process::BrokerProcess;
pub use client::Client;
pub use environment::{BrokerSettings, Proofs};
pub use owner::Owner;
pub use postgres::Postgres;
pub use sandbox::{
    BROKER_HOST, BUCKET, CHALLENGE_HOST, DEFAULT_ORIGIN, MANAGED_ZONE, OWN_ORIGIN, Sandbox, Settings,
};
pub use unbound::Unbound;
pub use visit::{ShownCertificate, Visit};
pub use wait::wait_for;
