//! What the tests stand on: the real Pebble, a name server, an authority that misbehaves on demand, and a harness
//! that plays the broker and the user.

mod dns;
mod harness;
mod pebble;
mod scripted;
mod town;
mod web;

pub(crate) use dns::{Answer, DnsWorld, NameServer};
pub(crate) use harness::{Harness, SharedProbe, names, probe_settings, request};
pub(crate) use pebble::{Pebble, PebbleOptions};
pub(crate) use scripted::{Endpoint, Reply, Scripted};
pub(crate) use town::Town;
pub(crate) use web::{Page, WebServer};
