//! The edge over real HTTP and real TLS.

mod fixture;

mod behaviours;
mod origins;
mod routing;
mod tls;
