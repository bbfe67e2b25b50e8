//! The other hosts of the sandbox, over real sockets, and Pebble finding its way through them.

mod acme;
mod fixture;

mod challenge_host;
mod owner;
mod pebble;
mod router;
mod sites;
