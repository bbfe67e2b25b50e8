//! Stateful fakes, a manual clock, mocks and conformance suites. Behind the feature `testing`.
