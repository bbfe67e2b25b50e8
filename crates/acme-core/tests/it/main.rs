//! acme-core against real and scripted authorities.

mod abandon;
mod accounts;
mod authority_trouble;
mod crash;
mod durable;
mod issuance;
mod limits;
mod look;
mod methods;
mod newer_pebble;
mod options;
mod probe_caa;
mod probe_http;
mod probe_lead;
mod probe_txt;
mod probe_visit;
mod refused_by_limit;
mod remembered;
mod renewal;
mod rollover;
mod support;
mod waiting;
