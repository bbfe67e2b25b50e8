use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{InstanceId, PortResult, Timestamp};

/// Something that the operator must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What it is about, such as `operation 4f… of instance 9a…`. Alerts with the same subject are one incident.
    pub subject: String,
    /// What is wrong and what can be done, with the upstream request id; no secrets.
    pub message: String,
    /// On whose side it probably is, where that can be told.
    pub side: Option<Side>,
    /// The instances that are concerned, as far as they are known.
    pub affected: Vec<InstanceId>,
    /// Whether whoever knows of the incident must hear of it once more. Without it, repetitions are folded.
    pub is_worse: bool,
}

impl Alert {
    /// An alert about `subject`; nothing is said about side and instances.
    pub fn new(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            message: message.into(),
            side: None,
            affected: Vec::new(),
            is_worse: false,
        }
    }

    /// Says on whose side it probably is.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Says which instances are concerned.
    #[must_use]
    pub fn affecting(mut self, instances: impl IntoIterator<Item = InstanceId>) -> Self {
        self.affected.extend(instances);
        self
    }

    /// Says that it must be told again, though the incident may be known.
    #[must_use]
    pub fn worse(mut self, is_worse: bool) -> Self {
        self.is_worse = is_worse;
        self
    }
}

/// On whose side the cause of an incident probably is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// This broker, its database, or its configuration.
    Us,
    /// The certificate authority.
    Authority,
    /// AWS.
    Aws,
    /// The DNS between us and the world.
    Dns,
    /// One tenant.
    Tenant,
}

impl Side {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Us, Self::Authority, Self::Aws, Self::Dns, Self::Tenant];

    /// Its word: `us`, `authority`, `aws`, `dns`, `tenant`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Authority => "authority",
            Self::Aws => "aws",
            Self::Dns => "dns",
            Self::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Tells the operator. Never fails: an alert that cannot be delivered must not stop the work it is about.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Alerts: Send + Sync {
    /// Raises an alert. Raising the same one again is allowed; the receiver folds repetitions.
    async fn raise(&self, alert: Alert);

    /// Says that the incident of this subject is over. Nothing happens when there is none.
    async fn resolve(&self, alert: Alert);
}

/// What has become of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// It has begun.
    Opened,
    /// It has become worse.
    Worsened,
    /// It is over.
    Resolved,
    /// Nothing is wrong: somebody wants to know whether messages arrive.
    Test,
}

impl Turn {
    /// Its word: `opened`, `worsened`, `resolved`, `test`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worsened => "worsened",
            Self::Resolved => "resolved",
            Self::Test => "test",
        }
    }
}

/// What is delivered, whole: nothing else has to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notice {
    /// For the operator: how an incident stands.
    Incident(Report),
    /// For a tenant.
    Letter(Letter),
}

/// How an incident stood when something had become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What has become of it.
    pub turn: Turn,
    /// What it is about.
    pub subject: String,
    /// What is, or was, wrong.
    pub message: String,
    /// On whose side it probably is.
    pub side: Option<Side>,
    /// The instances that are concerned.
    pub affected: Vec<InstanceId>,
    /// When it has begun.
    pub opened_at: Timestamp,
    /// When this became of it.
    pub at: Timestamp,
}

impl Report {
    /// How long it has lasted.
    pub fn lasted(&self) -> Duration {
        self.at.since(self.opened_at)
    }
}

/// A message to a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The e-mail address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Something to be handed to one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Its name, always the same for the same thing, so that a receiver can tell a repetition: a parcel whose receipt was
    /// lost comes again.
    pub id: String,
    /// What the incident, or what a letter is about, is called; the parcels about one thing come in order.
    pub about: String,
    /// What is in it.
    pub notice: Notice,
}

/// Hands messages to one target.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait Messenger: Send + Sync {
    /// What the target is called, such as `webhook`. Deliveries are stored under this name.
    fn target(&self) -> &str;

    /// Whether such a notice is for this target.
    fn takes(&self, notice: &Notice) -> bool;

    /// Hands a parcel over, within a time limit of its own. After `Ok` the target has it.
    ///
    /// Errors: `Retry` for what may pass, `GiveUp` for what would be refused again. No secret is in them.
    async fn deliver(&self, parcel: &Parcel) -> PortResult<()>;
}
