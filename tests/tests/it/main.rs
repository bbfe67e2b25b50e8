//! Tests of the parts together. A missing component fails a test; it never skips it.
#![expect(clippy::unwrap_used, reason = "test helpers fail the test by panicking")]

mod cloudfront;
