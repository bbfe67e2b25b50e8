use async_trait::async_trait;

use crate::{InstanceId, Operation, OperationId, OperationKind, OperationState, PortResult, Timestamp};

/// Which operations are meant; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Those on this instance.
    pub instance: Option<InstanceId>,
    /// Those that stand like this.
    pub state: Option<OperationState>,
    /// Those that do this.
    pub kind: Option<OperationKind>,
}

/// Keeps operations, for the operator's own commands. Each of them only writes: the work is done by whichever broker takes
/// it on.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OperatorStore: Send + Sync {
    /// Stores a recreation on the user's track and cancels the renewal that runs; all or nothing. `false` when the
    /// instance neither serves nor has failed to be provisioned, or another operation runs on the user's track: nothing
    /// was changed.
    async fn begin_recreation(&self, operation: &Operation) -> PortResult<bool>;

    /// Lets a failed operation of the user's track go on with the step at which it was given up: due at `at`, with a clean
    /// slate and all the time that the step is given anew. Its instance is again in the stage of life that belongs to it.
    /// `false` when the operation has not failed, is not the newest on that track, or its instance is in a stage that does
    /// not belong to such a failure: nothing was changed. A renewal that runs is cancelled, unless the operation is one
    /// that renewals run beside.
    async fn resume(&self, id: &OperationId, at: Timestamp) -> PortResult<bool>;

    /// Ends an operation of the user's track that stands at one of `steps`, as a failure of which the user reads `sentence`,
    /// while nobody works on its instance. `false` when somebody does at this moment, or when it does not run or stands
    /// elsewhere: nothing was changed.
    async fn cancel(
        &self,
        id: &OperationId,
        steps: &[String],
        sentence: &str,
        at: Timestamp,
    ) -> PortResult<bool>;

    /// Forgets an instance that nobody works on, with what the store knows of it alone: stores `operation`, a deprovision that
    /// has ended, cancels whatever runs, gives its names back, forgets when its certificate is to be renewed, and marks the
    /// instance as gone; all or nothing. Its certificates stay written down as they are, so that they can be told from others'.
    /// `false` when somebody works on it at this moment, or it is unknown or gone: nothing was changed.
    async fn forget(&self, operation: &Operation) -> PortResult<bool>;

    /// At most `most` operations of an instance, on both tracks, the newest first.
    async fn of_instance(&self, instance: &InstanceId, most: u32) -> PortResult<Vec<Operation>>;

    /// At most `most` of the operations that are meant, on both tracks, the newest first; with `before` only those that are
    /// older than that one, and none when there is no such operation. Whoever hands in the last one of a page gets the next
    /// page, and meets every operation once that was there from the beginning, as it stands when its page is read.
    async fn list(
        &self,
        filter: &OperationFilter,
        before: Option<OperationId>,
        most: u32,
    ) -> PortResult<Vec<Operation>>;

    /// Until when whoever works on an instance has it; `None` when nobody does at this moment.
    async fn leased_until(&self, instance: &InstanceId) -> PortResult<Option<Timestamp>>;
}
