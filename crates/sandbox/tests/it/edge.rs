//! The edge over real HTTP and real TLS.

pub(crate) mod fixture;

mod behaviours;
mod origins;
mod routing;
mod tls;
