//! The fakes against the conformance suites, and the crash driver itself.
