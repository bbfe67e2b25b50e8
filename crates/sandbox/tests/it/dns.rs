//! The name servers over real sockets.

pub(crate) mod client;

mod admin;
mod faults;
mod records;
mod servers;
