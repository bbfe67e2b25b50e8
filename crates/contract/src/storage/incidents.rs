use std::time::Duration;

use async_trait::async_trait;

use crate::{IncidentId, InstanceId, Notice, PortResult, Side, Timestamp};

/// Something that was, or is, wrong, and that the operator was told of. At most one is open for each subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// What it is about.
    pub subject: String,
    /// What was said last about it.
    pub message: String,
    /// On whose side it probably is.
    pub side: Option<Side>,
    /// The instances that are concerned, as far as they are known.
    pub affected: Vec<InstanceId>,
    /// When it was raised first.
    pub opened_at: Timestamp,
    /// When it was raised last.
    pub last_at: Timestamp,
    /// How often it was raised.
    pub raised: i32,
    /// How often something has become of it that was to be told: it has opened, become worse, ended.
    pub turns: i32,
    /// When it ended; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i32,
}

/// Keeps incidents. Nobody locks anything: whoever writes says what it has seen. What is to be told is stored together
/// with what has become of an incident, or neither is.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait IncidentStore: Send + Sync {
    /// The open incident of a subject.
    async fn find_open(&self, subject: &str) -> PortResult<Option<Incident>>;

    /// Stores a new one and what is to be told of it. `false` when its subject has an open one: nothing was changed.
    async fn open(&self, incident: &Incident, deliveries: &[Dispatch]) -> PortResult<bool>;

    /// Puts `next` in the place of `seen`, with a version of its own, and stores what is to be told of it. `false` when
    /// `seen` is not what is there any more: nothing was changed.
    async fn change(&self, seen: &Incident, next: &Incident, deliveries: &[Dispatch]) -> PortResult<bool>;

    /// At most `most` incidents, the latest to open first; of those that are open, when `only_open`.
    async fn list(&self, only_open: bool, most: u32) -> PortResult<Vec<Incident>>;

    /// Forgets incidents that have ended before `moment`, and deliveries that have ended before it. Gives how many.
    async fn forget_before(&self, moment: Timestamp) -> PortResult<usize>;
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchState {
    /// It is to be delivered.
    Waiting,
    /// The target has taken it.
    Delivered,
    /// It was given up.
    GivenUp,
}

/// One notice to one target. There is at most one for each thing, number and target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// What it is about: the id of an incident, or the name of what a tenant is to know.
    pub about: String,
    /// Which of the notices about it this is, from 1.
    pub number: i32,
    /// The name of the target.
    pub target: String,
    /// What is delivered.
    pub notice: Notice,
    /// When it was put here.
    pub created_at: Timestamp,
    /// Not to be tried before this moment.
    pub next_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// How it stands.
    pub state: DispatchState,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
    /// Why the last try has failed; no secrets.
    pub error: Option<String>,
}

impl Dispatch {
    /// A delivery that is due at once.
    pub fn new(about: &str, number: i32, target: &str, notice: Notice, now: Timestamp) -> Self {
        Self {
            about: about.to_owned(),
            number,
            target: target.to_owned(),
            notice,
            created_at: now,
            next_at: now,
            attempts: 0,
            state: DispatchState::Waiting,
            ended_at: None,
            error: None,
        }
    }
}

/// Keeps what is to be delivered, and what has become of it.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Stores deliveries. One that is known (by what it is about, its number and its target) stays as it is. Gives how many
    /// were new.
    async fn add(&self, deliveries: &[Dispatch]) -> PortResult<usize>;

    /// Takes at most `most` deliveries that wait and whose `next_at` is not after `now`, the longest due first. Each is given
    /// to one caller only, with its `next_at` moved to `put_off` after `now`: if the caller dies it falls due again then.
    /// While an earlier one about the same thing waits for the same target, the later one is not due.
    async fn take_due(&self, now: Timestamp, put_off: Duration, most: u32) -> PortResult<Vec<Dispatch>>;

    /// Puts `next` in the place of `seen`, which was taken. `false` when somebody else has taken it meanwhile, or it does
    /// not wait any more: nothing was changed.
    async fn keep(&self, seen: &Dispatch, next: &Dispatch) -> PortResult<bool>;

    /// When the next delivery falls due.
    async fn next_due(&self) -> PortResult<Option<Timestamp>>;

    /// All deliveries about a thing, in the order in which they were stored.
    async fn about(&self, about: &str) -> PortResult<Vec<Dispatch>>;
}
