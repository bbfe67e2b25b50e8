use std::time::Duration;

use async_trait::async_trait;

use crate::{CheckOutcome, PortResult, StepTime, Timestamp};

/// How a check stands: one row for all brokers on a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRecord {
    /// Its name.
    pub name: String,
    /// When it is due next, by [`CheckStore::now`].
    pub next_at: Timestamp,
    /// Until when it is left to the one who runs it; `None` when nobody does.
    pub leased_until: Option<Timestamp>,
    /// How many runs have ended.
    pub runs: i32,
    /// How many of the latest have failed, one after the other; those that were skipped are not counted.
    pub failures: i32,
    /// When the first of these failures began.
    pub failing_since: Option<Timestamp>,
    /// Whether the operator was told of them.
    pub told: bool,
    /// Grows with each change.
    pub version: i32,
}

impl CheckRecord {
    /// A check that has never been run.
    pub fn new(name: impl Into<String>, next_at: Timestamp) -> Self {
        Self {
            name: name.into(),
            next_at,
            leased_until: None,
            runs: 0,
            failures: 0,
            failing_since: None,
            told: false,
            version: 1,
        }
    }
}

/// One run of a check that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// The check.
    pub check: String,
    /// The runs of a check are numbered, from 1.
    pub number: i32,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// How it went.
    pub outcome: CheckOutcome,
    /// How long its steps took.
    pub steps: Vec<StepTime>,
}

/// Keeps how checks stand, and what became of their runs. Nobody locks anything: whoever writes says what it has seen.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait CheckStore: Send + Sync {
    /// The present moment by the clock that everybody on this database shares; leases and due times go by it.
    async fn now(&self) -> PortResult<Timestamp>;

    /// All checks that were ever stored, by name.
    async fn all(&self) -> PortResult<Vec<CheckRecord>>;

    /// The check of this name; the given one is stored if there is none yet.
    async fn ensure(&self, record: &CheckRecord) -> PortResult<CheckRecord>;

    /// Puts `next` in the place of `seen`, with a version of its own, and gives what is there now. `None` when `seen` is not
    /// what is there any more: nothing was changed.
    async fn change(&self, seen: &CheckRecord, next: &CheckRecord) -> PortResult<Option<CheckRecord>>;

    /// The same, and keeps a run with it, both or neither. Of the runs of a check the newest [`RUNS_KEPT`] are kept.
    async fn finish(&self, seen: &CheckRecord, next: &CheckRecord, run: &CheckRun) -> PortResult<bool>;

    /// At most `most` runs of a check, the newest first.
    async fn history(&self, name: &str, most: u32) -> PortResult<Vec<CheckRun>>;

    /// What was remembered under this key: `None` if nothing ever was. A check's keys begin with its name.
    async fn recall(&self, key: &str) -> PortResult<Option<String>>;

    /// Remembers a text under this key, in the place of the one before.
    async fn remember(&self, key: &str, text: &str) -> PortResult<()>;
}

/// How many runs of each check are kept.
pub const RUNS_KEPT: i32 = 200;
