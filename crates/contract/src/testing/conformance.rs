//! Suites that a fake and its adapters both pass.
