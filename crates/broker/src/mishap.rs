//! Which failures of steps are worth comparing with those of other tenants.

use contract::{Operation, PortError, Remedy, Side};

use crate::breakers::Parked;
use crate::retry_rules::remedy_name;
use crate::workflow::Step;

/// A failure that is tried again by itself passes more often than not. After so many tries it has not.
const PATIENCE: i32 = 3;

/// What kind of failure it is, the same for everybody who meets it: the step, and the upstream's own code. `None` for what
/// may pass by itself, and for what waits for the operator, who has been told once for all.
pub(crate) fn class(operation: &Operation, step: Step, error: &PortError) -> Option<String> {
    let may_pass = matches!(error.remedy(), Remedy::Retry { .. }) && operation.attempt < PATIENCE;
    if may_pass || Parked::by(error).is_some() {
        return None;
    }
    let code = error
        .class()
        .map_or_else(|| remedy_name(error.remedy()).replace(' ', "-"), |(_, code)| code.to_owned());
    Some(format!("{}/{code}", step.name()))
}

/// On whose side it lies: where it arose, or with whom it rests to do something.
pub(crate) fn side(error: &PortError) -> Side {
    let by_remedy = if error.remedy() == Remedy::AwaitTenant { Side::Tenant } else { Side::Us };
    error.class().map_or(by_remedy, |(side, _)| side)
}
