//! What an operator does to one instance by hand, and all that is known about it. Everything is read from the store and
//! written there; the work itself is done by whichever broker takes it on.

mod certificates;
mod plot;
mod purge;
mod story;

use std::sync::Arc;

use contract::{
    Instance, InstanceId, InstanceState, LogEntry, Operation, OperationId, OperationKind, OperationState,
    OperatorStore, PortResult, Track,
};

pub use self::certificates::CertificateStory;
pub use self::plot::Plot;
pub use self::purge::{Forgotten, LeftBehind};
pub use self::story::Story;
use crate::describe::{self, kind};
use crate::workflow::{Step, facts};
use crate::{Pace, Ports};

/// The operator's hand on the instances, beside brokers that run.
#[derive(Clone)]
pub struct Operator {
    ports: Ports,
    operations: Arc<dyn OperatorStore>,
    pace: Pace,
}

/// What became of something that an operator has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// This operation does it.
    Begun(Operation),
    /// This operation was doing it already.
    Underway(Operation),
    /// It cannot be: a sentence that says why, and what can be done. Nothing was changed.
    Refused(String),
}

impl Operator {
    /// An operator of the brokers on these ports. `pace` is that of the brokers: it says until when they try.
    pub fn new(ports: Ports, operations: Arc<dyn OperatorStore>, pace: Pace) -> Self {
        Self { ports, operations, pace }
    }

    /// At most `limit` instances behind `after`, in the order of their ids; tombstones too.
    ///
    /// Errors: the store's, here and below.
    pub async fn list(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<Instance>> {
        self.ports.instances.list(after, limit).await
    }

    /// At most `most` operations of an instance, the newest first, each with its history; `None` when there never was such
    /// an instance.
    pub async fn history(
        &self,
        id: &InstanceId,
        most: u32,
    ) -> PortResult<Option<Vec<(Operation, Vec<LogEntry>)>>> {
        if self.ports.instances.find(id).await?.is_none() {
            return Ok(None);
        }
        let mut told = Vec::new();
        for operation in self.operations.of_instance(id, most).await? {
            let history = self.ports.operations.history(&operation.id).await?;
            told.push((operation, history));
        }
        Ok(Some(told))
    }

    /// An operation as it stands, with its history.
    pub async fn operation(&self, id: &OperationId) -> PortResult<Option<(Operation, Vec<LogEntry>)>> {
        let Some(operation) = self.ports.operations.find(id).await? else { return Ok(None) };
        let history = self.ports.operations.history(id).await?;
        Ok(Some((operation, history)))
    }

    /// Rebuilds an instance from the store: its distribution, its certificate, its names.
    pub async fn recreate(&self, id: &InstanceId) -> PortResult<Asked> {
        let operation = self.ports.draft(id, OperationKind::Recreate, None, self.ports.clock.now());
        if self.operations.begin_recreation(&operation).await? {
            return Ok(Asked::Begun(operation));
        }
        let Some((instance, latest)) = self.found(id).await? else { return Ok(unknown(id)) };
        if let Some(running) = latest.filter(is_running) {
            let is_same = running.kind == OperationKind::Recreate;
            return Ok(if is_same { Asked::Underway(running) } else { occupied(&running) });
        }
        Ok(not_in(&instance))
    }

    /// Brings the renewal of an instance's certificate forward to now.
    pub async fn renew(&self, id: &InstanceId) -> PortResult<Asked> {
        let operation = self.ports.draft(id, OperationKind::Renew, None, self.ports.clock.now());
        let Some((instance, latest)) = self.found(id).await? else { return Ok(unknown(id)) };
        let known = self.ports.certificates.of_instance(id, instance.incarnation).await?;
        if instance.state == InstanceState::Ready && facts::live(&known).is_none() {
            let sentence = format!("instance {id} serves no certificate; `instances recreate` obtains one");
            return Ok(Asked::Refused(sentence));
        }
        if self.ports.operations.begin_renewal(&operation).await? {
            return Ok(Asked::Begun(operation));
        }
        let renewal = self.ports.operations.newest(id, Track::Renewal).await?;
        if let Some(renewal) = renewal.filter(is_running) {
            self.ports.operations.hasten(id, Track::Renewal, self.ports.clock.now()).await?;
            return Ok(Asked::Underway(renewal));
        }
        Ok(latest.filter(is_running).map_or_else(|| not_in(&instance), |running| occupied(&running)))
    }

    /// Lets the operation that has failed last go on where it was given up.
    pub async fn retry(&self, id: &InstanceId) -> PortResult<Asked> {
        let Some((instance, latest)) = self.found(id).await? else { return Ok(unknown(id)) };
        let Some(latest) = latest else { return Ok(nothing_failed(id)) };
        match latest.state {
            OperationState::Running => Ok(Asked::Underway(latest)),
            OperationState::Failed => {
                if !self.operations.resume(&latest.id, self.ports.clock.now()).await? {
                    return Ok(not_in(&instance));
                }
                let resumed = self.ports.operations.find(&latest.id).await?;
                Ok(Asked::Begun(resumed.unwrap_or(latest)))
            }
            OperationState::Succeeded | OperationState::Cancelled => self.retry_renewal(id).await,
        }
    }

    /// A renewal that has failed is not resumed, but begun anew.
    async fn retry_renewal(&self, id: &InstanceId) -> PortResult<Asked> {
        match self.ports.operations.newest(id, Track::Renewal).await? {
            Some(renewal) if renewal.state == OperationState::Failed => self.renew(id).await,
            Some(renewal) if is_running(&renewal) => Ok(Asked::Underway(renewal)),
            _ => Ok(nothing_failed(id)),
        }
    }

    /// Ends an update or a recreation that does not get on, before the CDN was told of it: what is served stays, what was
    /// obtained is kept, and the platform reads that the operation has failed.
    ///
    /// `Begun` is the operation that was ended. A broker that is at work on the instance is not disturbed: ask again then.
    pub async fn cancel(&self, id: &InstanceId) -> PortResult<Asked> {
        let Some((_, latest)) = self.found(id).await? else { return Ok(unknown(id)) };
        let Some(running) = latest.filter(is_running) else {
            return Ok(Asked::Refused(format!("nothing of the user's runs on instance {id}")));
        };
        let steps = cancellable(&running);
        if !steps.contains(&running.step) {
            return Ok(too_late(&running));
        }
        let sentence = describe::cancelled(running.kind);
        let now = self.ports.clock.now();
        if !self.operations.cancel(&running.id, &steps, sentence, now).await? {
            return Ok(Asked::Underway(running));
        }
        let ended = self.ports.operations.find(&running.id).await?;
        Ok(Asked::Begun(ended.unwrap_or(running)))
    }

    async fn found(&self, id: &InstanceId) -> PortResult<Option<(Instance, Option<Operation>)>> {
        let standing = self.ports.operations.standing(id).await?;
        Ok(standing.map(|standing| (standing.instance, standing.latest)))
    }
}

/// The steps at which an operation can be ended by hand: up to the one that tells the CDN, which may be refused for ever.
fn cancellable(operation: &Operation) -> Vec<String> {
    if !matches!(operation.kind, OperationKind::Update | OperationKind::Recreate) {
        return Vec::new();
    }
    let plan = Step::plan(operation);
    let tells = |step: &Step| matches!(step, Step::AttachCertificate | Step::ApplySettings);
    let told = plan.iter().position(tells).map_or(0, |told| told + 1);
    plan.iter().take(told).map(|step| step.name().to_owned()).collect()
}

fn too_late(running: &Operation) -> Asked {
    let why = match running.kind {
        OperationKind::Update | OperationKind::Recreate => "the CDN has been told, so it goes on to its end",
        OperationKind::Provision => "its user can delete the instance, which ends it",
        OperationKind::Deprovision | OperationKind::Renew => "it goes on to its end",
    };
    let Operation { instance, step, .. } = running;
    Asked::Refused(format!("the {} of instance {instance} stands at {step}: {why}", kind(running.kind)))
}

fn is_running(operation: &Operation) -> bool {
    operation.state == OperationState::Running
}

fn unknown(id: &InstanceId) -> Asked {
    Asked::Refused(format!("there is no service instance {id}"))
}

fn nothing_failed(id: &InstanceId) -> Asked {
    Asked::Refused(format!("nothing of instance {id} has failed"))
}

fn occupied(running: &Operation) -> Asked {
    Asked::Refused(format!(
        "the {} of instance {} runs since {}, at step {}; wait until it has ended, or end it with `instances cancel`",
        kind(running.kind),
        running.instance,
        running.started_at,
        running.step
    ))
}

/// Why an instance cannot be worked on in the stage of life it is in.
fn not_in(instance: &Instance) -> Asked {
    let id = &instance.id;
    Asked::Refused(match instance.state {
        InstanceState::Ready | InstanceState::Provisioning | InstanceState::Deprovisioning => {
            format!("instance {id} was changed at this moment; look at it again")
        }
        InstanceState::ProvisionFailed => {
            format!("instance {id} could not be provisioned; `instances recreate` makes it serve")
        }
        InstanceState::DeprovisionFailed => {
            format!("instance {id} has been deleted in part; `instances retry` goes on with that")
        }
        InstanceState::Gone => {
            format!("instance {id} has been deleted by its user, who can create it again")
        }
    })
}
