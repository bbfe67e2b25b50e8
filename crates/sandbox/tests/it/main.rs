//! The parts of the sandbox, each asked over its real protocol.

mod authority;
mod aws;
mod dns;
mod edge;
mod hosts;
mod origin;
mod platform;
mod postgres;
mod web;
mod whole;
