//! acme-core against real and scripted authorities.

mod abandon;
mod accounts;
mod authority_trouble;
mod crash;
mod dns_probe;
mod issuance;
mod remembered;
mod support;
mod waiting;
