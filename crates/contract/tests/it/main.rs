#![expect(clippy::unwrap_used, reason = "the helpers of tests fail the test as the tests do")]
//! The fakes against the conformance suites, and the crash driver itself.

mod crash;
mod fakes;
mod readme;
mod suites;
