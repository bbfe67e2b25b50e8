//! acme-core against real and scripted authorities.

mod issuance;
mod support;
