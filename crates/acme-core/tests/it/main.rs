//! acme-core against real and scripted authorities.

mod abandon;
mod accounts;
mod authority_trouble;
mod crash;
mod dns_probe;
mod issuance;
mod options;
mod remembered;
mod renewal;
mod support;
mod waiting;
