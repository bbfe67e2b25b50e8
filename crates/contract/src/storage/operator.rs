use async_trait::async_trait;

use crate::{InstanceId, Operation, OperationId, PortResult, Timestamp};

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

    /// At most `most` operations of an instance, on both tracks, the newest first.
    async fn of_instance(&self, instance: &InstanceId, most: u32) -> PortResult<Vec<Operation>>;
}
