//! The moments at which a process can die: around each call to somebody else, in the order of the plans.
//!
//! What lies between two calls of two steps is a write to the database, so that "before the next call" is "after the
//! cursor moved", and "after this call" is "before it did".

use std::fmt;

use anyhow::Context;
use sandbox::authority::{Held, Moment};
use sandbox::aws::{Fault, FaultKind, FaultMoment};

use crate::house::{BOUND, House};

/// One moment of a life.
#[derive(Clone, Copy)]
pub(super) struct Boundary {
    pub(super) call: Call,
    pub(super) moment: Moment,
}

/// A call to somebody else.
#[derive(Clone, Copy)]
pub(super) struct Call {
    to: To,
    /// Which of its kind since the plan began, from 1.
    nth: u32,
    /// Whether it only comes when the owner has set the records.
    pub(super) is_after_proof: bool,
}

#[derive(Clone, Copy)]
enum To {
    /// The operation by its name in the API.
    Cloud(&'static str),
    /// The beginning of the path at the ACME authority.
    Authority(&'static str),
}

/// The calls of a provision.
pub(super) const PROVISION: &[Call] = &[
    asked(To::Cloud("CreateOriginAccessControl"), 1),
    asked(To::Cloud("CreateDistributionWithTags"), 1),
    asked(To::Authority("/sign-me-up"), 1),
    asked(To::Authority("/order-plz"), 1),
    asked(To::Authority("/authZ/"), 1),
    proven(To::Authority("/my-order/"), 1),
    proven(To::Authority("/chalZ/"), 1),
    proven(To::Authority("/finalize-order/"), 1),
    proven(To::Authority("/certZ/"), 1),
    proven(To::Cloud("GetServerCertificate"), 1),
    proven(To::Cloud("UploadServerCertificate"), 1),
    proven(To::Cloud("GetDistribution"), 1),
    proven(To::Cloud("UpdateDistribution"), 1),
    proven(To::Cloud("GetDistribution"), 2),
    proven(To::Cloud("ListObjectsV2"), 1),
];

/// The calls of the deprovision of a ready instance.
pub(super) const DEPROVISION: &[Call] = &[
    asked(To::Cloud("GetDistribution"), 1),
    asked(To::Cloud("UpdateDistribution"), 1),
    asked(To::Cloud("GetDistribution"), 2),
    asked(To::Cloud("DeleteDistribution"), 1),
    asked(To::Cloud("GetServerCertificate"), 1),
    asked(To::Cloud("DeleteServerCertificate"), 1),
    asked(To::Cloud("ListObjectsV2"), 1),
];

/// The call that makes a distribution, and that settles whether one was made.
pub(super) const CREATE: &[Call] = &[asked(To::Cloud("CreateDistributionWithTags"), 1)];

const fn asked(to: To, nth: u32) -> Call {
    Call { to, nth, is_after_proof: false }
}

const fn proven(to: To, nth: u32) -> Call {
    Call { to, nth, is_after_proof: true }
}

/// Both moments of each call.
pub(super) fn around(calls: &[Call]) -> impl Iterator<Item = Boundary> {
    calls.iter().flat_map(|&call| [Moment::Before, Moment::After].map(|moment| Boundary { call, moment }))
}

/// A call that is, or will be, held.
pub(super) struct Trap {
    at: Boundary,
    held: Option<Held>,
}

impl Boundary {
    /// Will hold the call.
    pub(super) fn set(self, house: &House) -> Trap {
        let held = match self.call.to {
            To::Authority(path) => {
                Some(house.sandbox.authority().gate().hold(path, self.call.nth as usize, self.moment))
            }
            To::Cloud(op) => {
                let when = match self.moment {
                    Moment::Before => FaultMoment::Before,
                    Moment::After => FaultMoment::After,
                };
                let fault = Fault { op: op.to_owned(), nth: self.call.nth, when, kind: FaultKind::Hold };
                house.sandbox.aws().faults().add(fault);
                None
            }
        };
        Trap { at: self, held }
    }
}

impl Trap {
    /// Waits until the call stands still.
    pub(super) async fn reached(&self, house: &House) -> anyhow::Result<()> {
        let reached = match &self.held {
            Some(held) => held.reached(BOUND).await,
            None => wait(house.sandbox.aws().faults().reached()).await,
        };
        reached.with_context(|| format!("on the way to {}", self.at))
    }

    /// Lets the call go on, whose caller is gone.
    pub(super) fn release(self, house: &House) {
        match self.held {
            Some(held) => drop(held),
            None => house.sandbox.aws().faults().release(),
        }
    }
}

async fn wait<T>(held: impl Future<Output = T>) -> anyhow::Result<()> {
    tokio::time::timeout(BOUND, held).await.map(drop).context("no call was held")
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (To::Cloud(call) | To::Authority(call)) = self.call.to;
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        write!(f, "{moment} {call}")?;
        if self.call.nth > 1 { write!(f, " {}", self.call.nth) } else { Ok(()) }
    }
}
