use contract::{
    InstanceId, LogEntry, Operation, OperationFilter, OperationId, OperationState, PortResult, Timestamp,
    Track,
};

use super::Operator;
use crate::Waiting;

/// How many errors are told of.
const ERRORS: usize = 5;
/// How many operations are read at once by those who look for some that a filter of the database cannot know.
const PAGE: u32 = 500;

/// All that is known about one operation.
#[derive(Clone, Debug)]
pub struct Plot {
    /// The operation.
    pub operation: Operation,
    /// Its history, the oldest line first.
    pub history: Vec<LogEntry>,
    /// Until when a broker has its instance, while one is at work on it.
    pub leased_until: Option<Timestamp>,
    /// When its step is given up, if it runs and there is such a moment.
    pub gives_up_at: Option<Timestamp>,
}

impl Plot {
    /// The last errors, the oldest first.
    pub fn errors(&self) -> Vec<&LogEntry> {
        last_errors(&self.history)
    }
}

/// The last of these lines that tell of an error, the oldest first.
pub(super) fn last_errors(lines: &[LogEntry]) -> Vec<&LogEntry> {
    let is_error = |line: &&LogEntry| matches!(line.outcome.as_str(), "retry" | "parked" | "failed");
    let mut last: Vec<&LogEntry> = lines.iter().rev().filter(is_error).take(ERRORS).collect();
    last.reverse();
    last
}

impl Operator {
    /// At most `most` operations that are meant, and wait for that, the newest first; behind `before`, if there is one. Empty
    /// only when there are no more.
    ///
    /// Errors: the store's, here and below.
    pub async fn operations(
        &self,
        filter: &OperationFilter,
        waiting: Option<Waiting>,
        mut before: Option<OperationId>,
        most: u32,
    ) -> PortResult<Vec<Operation>> {
        let Some(waiting) = waiting else { return self.operations.list(filter, before, most).await };
        let mut found = Vec::new();
        // Nothing that has ended waits.
        let filter = OperationFilter { state: Some(OperationState::Running), ..filter.clone() };
        loop {
            let page = self.operations.list(&filter, before, PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            before = Some(last.id.clone());
            found.extend(page.into_iter().filter(|one| Waiting::of(one) == Some(waiting)));
            if found.len() >= most as usize {
                found.truncate(most as usize);
                return Ok(found);
            }
        }
    }

    /// The operation of this id; or else the newest on each track of the instance of this id, that which runs first. Empty
    /// when there is neither.
    pub async fn plots(&self, id: &str) -> PortResult<Vec<Plot>> {
        if let Some(operation) = self.ports.operations.find(&OperationId::new(id)).await? {
            return Ok(vec![self.plot(operation).await?]);
        }
        let mut plots = Vec::new();
        for track in [Track::User, Track::Renewal] {
            if let Some(newest) = self.ports.operations.newest(&InstanceId::new(id), track).await? {
                plots.push(self.plot(newest).await?);
            }
        }
        plots.sort_by_key(|plot| plot.operation.state != OperationState::Running);
        Ok(plots)
    }

    async fn plot(&self, operation: Operation) -> PortResult<Plot> {
        Ok(Plot {
            history: self.ports.operations.history(&operation.id).await?,
            leased_until: self.operations.leased_until(&operation.instance).await?,
            gives_up_at: self.pace.gives_up_at(&operation),
            operation,
        })
    }
}
