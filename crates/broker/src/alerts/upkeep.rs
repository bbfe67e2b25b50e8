//! Incidents end where their cause ends, also where nobody is there to say so: the process that raised one may have died,
//! and what a user or another operation has set right is known to the store alone.

use std::time::Duration;

use contract::{
    Alert, Alerts as _, Chore, DomainState, Incident, InstanceState, Operation, OperationState, PortResult,
};

use super::Notifier;
use super::subject::Subject;
use crate::ports::Ports;

/// The chore: one broker of all that share the store looks.
const CHORE: &str = "incidents";
/// How often.
const EVERY: Duration = Duration::from_mins(1);
/// How many open incidents are looked at, the latest first.
const MOST: u32 = 1000;
/// How long what is over is kept.
const KEPT: Duration = Duration::from_hours(90 * 24);

impl Notifier {
    /// Ends what is over, and forgets what was over long ago, if it is time.
    ///
    /// Errors: the store's.
    pub(crate) async fn tidy_if_due(&self, ports: &Ports) -> PortResult<()> {
        let now = ports.clock.now();
        let chore = Chore { name: CHORE.to_owned(), next_at: now, found: String::new() };
        if ports.chores.ensure(&chore).await?.next_at > now
            || ports.chores.take_due(CHORE, now, EVERY).await?.is_none()
        {
            return Ok(());
        }
        for incident in self.0.incidents.list(true, MOST).await? {
            if let Some(message) = is_over(&incident, ports).await? {
                self.resolve(Alert::new(&incident.subject, message)).await;
            }
        }
        self.0.incidents.forget_before(now - KEPT).await?;
        Ok(())
    }
}

/// Why an incident is over; `None` when it is not, or when somebody else sees to its end.
async fn is_over(incident: &Incident, ports: &Ports) -> PortResult<Option<&'static str>> {
    match Subject::read(&incident.subject) {
        Some(Subject::Operation(id, _)) => match ports.operations.find(&id).await? {
            Some(operation) => how_it_ended(&operation, ports).await,
            None => Ok(Some("the operation is not known any more.")),
        },
        Some(Subject::Certificate(instance)) => {
            let plan = ports.renewals.of_instance(&instance).await?;
            let is_late = plan.is_some_and(|plan| plan.warned > 0);
            Ok((!is_late).then_some("the certificate was renewed, or nobody needs it any more."))
        }
        Some(Subject::Names(instance)) => {
            let names = ports.domains.of_instance(&instance).await?;
            let has_lapsed = names.iter().any(|name| name.state == DomainState::Lapsed);
            Ok((!has_lapsed).then_some("the names are proven again, or were given up."))
        }
        Some(Subject::Removal(name)) => {
            let waits = ports.sweeps.knows(&name).await?;
            Ok((!waits).then_some("it was removed."))
        }
        None => Ok(None),
    }
}

/// An operation that has failed is a matter of the operator's until the instance is well again, or gone.
async fn how_it_ended(operation: &Operation, ports: &Ports) -> PortResult<Option<&'static str>> {
    match operation.state {
        OperationState::Running if operation.error.is_none() => return Ok(Some("it goes on.")),
        OperationState::Running => return Ok(None),
        OperationState::Succeeded => return Ok(Some("it has succeeded.")),
        OperationState::Cancelled => return Ok(Some("another operation has taken over.")),
        OperationState::Failed => {}
    }
    let newest = ports.operations.newest(&operation.instance, operation.track).await?;
    let later = newest.filter(|newest| newest.id != operation.id);
    if later.is_some_and(|later| later.state == OperationState::Succeeded) {
        return Ok(Some("a later operation has succeeded."));
    }
    let standing = ports.operations.standing(&operation.instance).await?;
    let is_gone = standing.is_none_or(|standing| standing.instance.state == InstanceState::Gone);
    Ok(is_gone.then_some("the instance is gone."))
}
