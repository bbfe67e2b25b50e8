use crate::{OperationKind, OperationState, Upstream};

/// Counts what happens, for whoever watches over the service. Counting never fails and never waits.
pub trait Meter: Send + Sync {
    /// A request of ours has been answered, or has not. `call` is its name in the other side's own documentation, such as
    /// `CreateDistribution` or `newOrder`; `code` is the HTTP status of the answer, `none` when no answer came.
    fn request(&self, upstream: Upstream, call: &str, code: &str);

    /// The authority has found so many proofs of control wrong.
    fn failed_proofs(&self, count: u64);

    /// A step of an operation was run once, and took so many seconds.
    fn step(&self, kind: OperationKind, step: &str, seconds: f64);

    /// An operation has ended.
    fn ended(&self, kind: OperationKind, state: OperationState);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoMeter;

impl Meter for NoMeter {
    fn request(&self, _: Upstream, _: &str, _: &str) {}
    fn failed_proofs(&self, _: u64) {}
    fn step(&self, _: OperationKind, _: &str, _: f64) {}
    fn ended(&self, _: OperationKind, _: OperationState) {}
}
