use async_trait::async_trait;

use crate::{
    CertificateRecord, Instance, InstanceId, IssuanceId, IssuanceRecord, OperationId, PortResult, Settings,
    Timestamp,
};

/// Which of an instance's two tracks an operation runs on. At most one operation runs on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// The user's operations, which the platform sees.
    User,
    /// The broker's own renewals, which the platform never sees.
    Renewal,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Brings a new instance to life.
    Provision,
    /// Changes an instance that serves, into what its [`Change`] says.
    Update,
    /// Replaces the certificate of a live instance before it expires.
    Renew,
    /// Takes an instance down.
    Deprovision,
    /// Rebuilds an instance from what is stored, because something of it was lost.
    Recreate,
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// There are steps left.
    Running,
    /// Every step is done.
    Succeeded,
    /// It was given up.
    Failed,
    /// Another operation took over.
    Cancelled,
}

/// One operation on an instance: a plan of steps and a cursor in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id, also the `operation` string of OSB.
    pub id: OperationId,
    /// The instance it works on.
    pub instance: InstanceId,
    /// Its track.
    pub track: Track,
    /// Its plan.
    pub kind: OperationKind,
    /// How it stands.
    pub state: OperationState,
    /// The name of the step that is next.
    pub step: String,
    /// How often this step has been tried and has failed, since it last went well.
    pub attempt: i32,
    /// Not to be worked on before this moment.
    pub next_at: Timestamp,
    /// When this step was reached.
    pub step_since: Timestamp,
    /// When the operation was accepted.
    pub started_at: Timestamp,
    /// The latest sentence for the tenant: what is waited for, or why it failed.
    pub sentence: Option<String>,
    /// The latest error for the operator, with the upstream request id.
    pub error: Option<String>,
    /// The scope of the [`Breaker`](crate::Breaker) that it waits for; `None` when nothing of the operator's is in its way.
    pub waits_for: Option<String>,
    /// What the request that has begun it is called in the log (`X-Broker-API-Request-Identity`, or a name of our own), at most
    /// 255 bytes; `None` when no request of the platform's has.
    pub request_identity: Option<String>,
    /// What it makes of the instance; an update has one, and nothing else has.
    pub change: Option<Change>,
}

/// What an update makes of its instance. Until the update has succeeded, this is known to its operation alone: what the
/// instance serves, shows and renews is what it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What the instance is to be.
    pub settings: Settings,
    /// OSB `plan_id` of the plan it is to have.
    pub plan_id: String,
    /// The user's parameters, those of earlier requests and of this one together: a JSON object.
    pub parameters: String,
    /// OSB `context` of the update as sent: a JSON object, `{}` when absent.
    pub context: String,
    /// OSB `parameters` of the update as sent: a JSON object. A repeated update is known by them.
    pub sent: String,
    /// The platform's user who asked, if it was said.
    pub identity: Option<String>,
    /// Whether there are names that the certificate which is served does not cover.
    pub needs_certificate: bool,
    /// The paths whose content is to be fetched from the origin anew.
    pub invalidate: Vec<String>,
}

/// All that an answer about an instance is made of, read in one go: platforms poll, and each poll reads this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The instance.
    pub instance: Instance,
    /// The newest operation on its user's track.
    pub latest: Option<Operation>,
    /// The certificates of its present incarnation, oldest generation first.
    pub certificates: Vec<CertificateRecord>,
    /// The issuances of those certificates that are pending or stored, in the same order, as [`IssuanceStore::show`] tells
    /// them. They are the issuer's, who makes instructions of them; an issuer that keeps its issuances elsewhere has none here.
    ///
    /// [`IssuanceStore::show`]: crate::IssuanceStore::show
    pub issuances: Vec<IssuanceRecord>,
}

impl Standing {
    /// The issuance with this id, if it was read.
    pub fn issuance(&self, id: &IssuanceId) -> Option<&IssuanceRecord> {
        self.issuances.iter().find(|one| one.id == *id)
    }
}

/// One line of an operation's history. The history is only ever added to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The operation.
    pub operation: OperationId,
    /// The step that ran.
    pub step: String,
    /// `done`, `waiting`, `retry`, `failed`.
    pub outcome: String,
    /// What happened, for the operator.
    pub sentence: String,
    /// The upstream's request id, if one was involved.
    pub request_id: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Keeps operations, for those who ask about them and start them.
#[cfg_attr(feature = "testing", mockall::automock)]
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// The operation with this id.
    async fn find(&self, id: &OperationId) -> PortResult<Option<Operation>>;

    /// How an instance stands; `None` when the id was never used.
    async fn standing(&self, instance: &InstanceId) -> PortResult<Option<Standing>>;

    /// Stores a deprovision operation, cancels whatever else runs on the instance, and marks the instance as being
    /// deprovisioned; all or nothing. `false` when a deprovision is already running, or the instance is unknown or
    /// gone: nothing was changed.
    async fn begin_deprovision(&self, operation: &Operation) -> PortResult<bool>;

    /// Stores an update operation. `supersede` cancels the renewal that runs, since the update brings a certificate of its
    /// own. All or nothing. `false` when the instance is not ready, when another operation runs on the user's track, or
    /// when its parameters or its plan are no longer those of `seen`, the instance that the change was computed from:
    /// nothing was changed.
    async fn begin_update(&self, operation: &Operation, seen: &Instance, supersede: bool)
    -> PortResult<bool>;

    /// Stores a renewal operation, if the instance is ready, and neither a renewal nor an update that brings a certificate
    /// of its own runs on it. `false` otherwise: nothing was changed.
    async fn begin_renewal(&self, operation: &Operation) -> PortResult<bool>;

    /// The newest operation on a track of an instance.
    async fn newest(&self, instance: &InstanceId, track: Track) -> PortResult<Option<Operation>>;

    /// Makes the operation that runs on this track of an instance due at this moment, if it would be due later and its last try has not
    /// failed. Nothing happens when none runs.
    async fn hasten(&self, instance: &InstanceId, track: Track, at: Timestamp) -> PortResult<()>;

    /// The history of an operation, oldest first.
    async fn history(&self, id: &OperationId) -> PortResult<Vec<LogEntry>>;
}
