#![doc = include_str!("../README.md")]

pub mod authority;
pub mod dns;
pub mod origin;
pub mod pki;

mod client;
mod process;
mod wait;
mod web;

pub use wait::wait_for;
