//! The local AWS over HTTP, as a client meets it: for each rule one request it takes and one it refuses.

pub(crate) mod fixture;

mod aliases;
mod cloudfront;
mod controls;
mod faults;
mod iam;
mod invalidations;
mod protocol;
mod route53;
mod s3;
mod viewer_certificate;
