//! Faults on demand: a test says which call shall meet which misfortune, and can stop a client at an exact point.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::dispatch::Service;
use super::error::Failure;
use super::glob::glob;

/// A planned misfortune. It happens once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The operation by its name in the API; `*` stands for any characters (`Create*`), `?` for one.
    pub op: String,
    /// Which of the matching calls from now on: 1 is the next.
    pub nth: u32,
    /// Before or after the call took effect.
    pub when: FaultMoment,
    /// What happens.
    pub kind: FaultKind,
}

/// A misfortune that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// The operations it meets, as in [`Fault::op`].
    pub op: String,
    /// What happens to each of their calls.
    pub kind: FaultKind,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultMoment {
    /// The call has no effect (a held call takes effect when it is released).
    Before,
    /// The call takes effect; only its answer is lost or late.
    After,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// `Throttling`, "Rate exceeded" (S3: `SlowDown`).
    Throttle,
    /// HTTP 503 `ServiceUnavailable`.
    Unavailable,
    /// HTTP 500 `InternalError` (IAM: `ServiceFailure`).
    Internal,
    /// HTTP 403 `AccessDenied`: the operator has not granted the call.
    AccessDenied,
    /// HTTP 403 `ExpiredToken`: the operator's credentials have run out.
    ExpiredToken,
    /// Another change is in progress: `PriorRequestNotComplete` of Route 53, `ConcurrentModification` of IAM,
    /// `PreconditionFailed` of CloudFront, `OperationAborted` of S3.
    Conflict,
    /// The connection is closed without an answer.
    Reset,
    /// The answer is kept back until [`Faults::release`]. A client that gives up meanwhile ends the call.
    Hold,
}

/// A call that is being held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The operation by its name in the API.
    pub op: String,
    /// Whether it has taken effect.
    pub when: FaultMoment,
}

/// The plan, and the calls that are held at this moment.
#[derive(Debug)]
pub struct Faults {
    planned: Mutex<Vec<Fault>>,
    outages: Mutex<Vec<Outage>>,
    held: watch::Sender<Vec<(u64, Held)>>,
    /// How often holds were released: a held call waits for the next time.
    releases: watch::Sender<u64>,
}

impl Faults {
    pub(super) fn new() -> Self {
        let planned = Mutex::new(Vec::new());
        Self {
            planned,
            outages: Mutex::default(),
            held: watch::Sender::new(Vec::new()),
            releases: watch::Sender::new(0),
        }
    }

    /// Plans a fault.
    pub fn add(&self, fault: Fault) {
        self.plan().push(fault);
    }

    /// Lets every matching call meet the same misfortune, before any effect, until [`Faults::heal`]. A planned fault goes
    /// first.
    pub fn break_down(&self, outage: Outage) {
        self.broken().push(outage);
    }

    /// Ends all outages. Planned faults stay.
    pub fn heal(&self) {
        self.broken().clear();
    }

    /// Ends everything: what is planned, what lasts, and what is held.
    pub fn clear(&self) {
        self.plan().clear();
        self.heal();
        self.release();
    }

    /// The calls that are held now.
    pub fn held(&self) -> Vec<Held> {
        self.held.borrow().iter().map(|(_, held)| held.clone()).collect()
    }

    /// Waits until at least one call is held, and says which. Waits for ever if none comes: bound it.
    pub async fn reached(&self) -> Vec<Held> {
        let mut watching = self.held.subscribe();
        // The sender lives as long as `self`: the wait cannot fail.
        drop(watching.wait_for(|held| !held.is_empty()).await);
        self.held()
    }

    /// Lets every held call go on.
    pub fn release(&self) {
        self.releases.send_modify(|releases| *releases += 1);
    }

    /// The fault that meets this call, if one is planned for it.
    pub(super) fn strike(&self, op: &str) -> Option<Fault> {
        let mut planned = self.plan();
        let mut due = None;
        for (index, fault) in planned.iter_mut().enumerate().filter(|(_, fault)| glob(&fault.op, op)) {
            fault.nth = fault.nth.saturating_sub(1);
            if fault.nth == 0 && due.is_none() {
                due = Some(index);
            }
        }
        let planned = due.map(|index| planned.remove(index));
        planned.or_else(|| self.outage(op))
    }

    /// The operations that are not granted as long as nobody heals that, as in [`Fault::op`].
    pub(super) fn denied(&self) -> Vec<String> {
        let broken = self.broken();
        let denied = broken.iter().filter(|outage| outage.kind == FaultKind::AccessDenied);
        denied.map(|outage| outage.op.clone()).collect()
    }

    fn outage(&self, op: &str) -> Option<Fault> {
        let kind = self.broken().iter().find(|outage| glob(&outage.op, op)).map(|outage| outage.kind)?;
        Some(Fault { op: op.to_owned(), nth: 1, when: FaultMoment::Before, kind })
    }

    fn broken(&self) -> MutexGuard<'_, Vec<Outage>> {
        self.outages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next release. The call counts as held from now until then, or until the client is gone.
    pub(super) async fn hold(&self, op: &str, when: FaultMoment) {
        let mut releases = self.releases.subscribe();
        let before = *releases.borrow_and_update();
        let _held = HoldGuard::enter(&self.held, Held { op: op.to_owned(), when });
        // The sender lives as long as `self`: the wait cannot fail.
        drop(releases.wait_for(|releases| *releases > before).await);
    }

    fn plan(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// Moment and kind in words, for the journal.
    pub(super) fn words(&self) -> String {
        format!("{:?} {:?}", self.when, self.kind).to_ascii_lowercase()
    }
}

impl FaultKind {
    /// The refusal a client gets, if it gets one.
    pub(super) fn failure(self, service: Service) -> Option<Failure> {
        match self {
            Self::Throttle if service == Service::S3 => {
                Some(Failure::new(503, "SlowDown", "Please reduce your request rate."))
            }
            Self::Throttle => Some(Failure::bad("Throttling", "Rate exceeded")),
            Self::Unavailable => {
                Some(Failure::new(503, "ServiceUnavailable", "Service is temporarily unavailable."))
            }
            Self::Internal if service == Service::Iam => {
                Some(Failure::new(500, "ServiceFailure", "An internal error has occurred."))
            }
            Self::Internal => Some(Failure::new(500, "InternalError", "An internal error has occurred.")),
            Self::AccessDenied => {
                let message =
                    "User: arn:aws:iam::111111111111:user/sandbox is not authorized to perform this action.";
                Some(Failure::new(403, "AccessDenied", message))
            }
            Self::ExpiredToken => {
                let message = "The security token included in the request is expired";
                Some(Failure::new(403, "ExpiredToken", message))
            }
            Self::Conflict => Some(conflict(service)),
            Self::Reset | Self::Hold => None,
        }
    }
}

fn conflict(service: Service) -> Failure {
    match service {
        Service::CloudFront => Failure::new(
            412,
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        ),
        Service::Iam | Service::Sts => Failure::new(
            409,
            "ConcurrentModification",
            "The request was rejected because multiple requests to change this object were submitted simultaneously.",
        ),
        Service::Route53 => Failure::bad(
            "PriorRequestNotComplete",
            "The request was rejected because Route 53 was still processing a prior request.",
        ),
        Service::S3 => Failure::new(
            409,
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Please try again.",
        ),
    }
}

/// Takes a call off the list of held ones, also when its client is gone and the waiting ends unfinished.
struct HoldGuard<'a> {
    list: &'a watch::Sender<Vec<(u64, Held)>>,
    number: u64,
}

impl<'a> HoldGuard<'a> {
    fn enter(list: &'a watch::Sender<Vec<(u64, Held)>>, held: Held) -> Self {
        let mut number = 0;
        list.send_modify(|calls| {
            number = calls.last().map_or(0, |(last, _)| *last) + 1;
            calls.push((number, held));
        });
        Self { list, number }
    }
}

impl Drop for HoldGuard<'_> {
    fn drop(&mut self) {
        self.list.send_modify(|calls| calls.retain(|(number, _)| *number != self.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(op: &str, nth: u32) -> Fault {
        Fault { op: op.to_owned(), nth, when: FaultMoment::Before, kind: FaultKind::Reset }
    }

    #[test]
    fn strikes_the_nth_matching_call_once() {
        let faults = Faults::new();
        faults.add(fault("Put*", 2));
        let struck: Vec<bool> = ["PutObject", "GetObject", "PutBucketPolicy", "PutObject"]
            .map(|op| faults.strike(op).is_some())
            .to_vec();
        assert_eq!(struck, [false, false, true, false]);
    }

    #[test]
    fn two_plans_for_the_same_call_strike_one_after_the_other() {
        let faults = Faults::new();
        faults.add(fault("PutObject", 1));
        faults.add(fault("PutObject", 1));
        assert!(faults.strike("PutObject").is_some());
        assert!(faults.strike("PutObject").is_some());
        assert!(faults.strike("PutObject").is_none());
    }

    #[test]
    fn an_outage_meets_every_call_until_it_is_healed() {
        let faults = Faults::new();
        faults.break_down(Outage { op: "Put*".to_owned(), kind: FaultKind::AccessDenied });
        faults.add(fault("PutObject", 1));
        let struck = || faults.strike("PutObject").map(|fault| fault.kind);
        assert_eq!(struck(), Some(FaultKind::Reset), "what was planned goes first");
        assert_eq!([struck(), struck()], [Some(FaultKind::AccessDenied); 2]);
        assert!(faults.strike("GetObject").is_none());
        faults.heal();
        assert_eq!(struck(), None);
    }

    #[tokio::test]
    async fn a_held_call_is_seen_and_goes_on_when_released() {
        let faults = Faults::new();
        let release = async {
            let held = faults.reached().await;
            faults.release();
            held
        };
        let ((), held) = tokio::join!(faults.hold("PutObject", FaultMoment::After), release);
        assert_eq!(held, [Held { op: "PutObject".to_owned(), when: FaultMoment::After }]);
        assert!(faults.held().is_empty());
    }
}
