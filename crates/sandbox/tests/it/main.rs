//! The parts of the sandbox, each asked over its real protocol.

mod authority;
mod dns;
mod origin;
mod web;
