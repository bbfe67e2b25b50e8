//! What can happen to a real broker, and how likely it is.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use sandbox::aws::{FaultKind, FaultMoment};

use crate::wishes::{INSTANCES, Names, Wish};

const OPERATIONS: &[&str] = &[
    "CreateDistributionWithTags",
    "CreateOriginAccessControl",
    "UpdateDistribution",
    "GetDistribution*",
    "CreateInvalidation",
    "DeleteDistribution",
    "UploadServerCertificate",
    "GetServerCertificate",
    "DeleteServerCertificate",
    "ListObjectsV2",
];

const KINDS: &[FaultKind] = &[
    FaultKind::Throttle,
    FaultKind::Unavailable,
    FaultKind::Internal,
    FaultKind::Conflict,
    FaultKind::Reset,
    FaultKind::Hold,
];

/// One step of a life.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The user asks for an instance; perhaps the process is killed meanwhile.
    Provision(usize, Wish, bool),
    /// The user asks for a change; perhaps the process is killed meanwhile.
    Update(usize, Wish, bool),
    /// `PATCH {}`.
    Look(usize),
    /// The user deletes; perhaps the process is killed meanwhile.
    Deprovision(usize, bool),
    /// The owner of the names sets the records that are shown.
    Prove,
    /// Until AWS has been called so often.
    Work(usize),
    /// Some of the next calls of an operation fail.
    Fault(&'static str, FaultMoment, FaultKind, u32),
    /// The process is killed where it stands.
    Kill,
    /// The process is killed while it waits for the answer to one of its next calls to AWS.
    KillAt(u32, FaultMoment),
    /// So many milliseconds until a change is everywhere, and until a certificate is known.
    Lag(u64, u64),
    /// AWS's clock moves on by so many seconds.
    Later(u64),
    /// The account can hold so many distributions and certificates.
    Room(usize, usize),
    /// Somebody else's distribution has one of the names.
    Occupied(usize, usize),
    /// Everything works again, and is given its time.
    Settle,
}

/// What the drawing goes by.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    is_long: bool,
    instances: [bool; INSTANCES],
}

impl Asked {
    pub(crate) fn nobody(is_long: bool) -> Self {
        Self { is_long, instances: [false; INSTANCES] }
    }
}

pub(crate) fn after(mut asked: Asked, step: &Step) -> Asked {
    match step {
        Step::Provision(who, ..) => asked.instances[*who] = true,
        Step::Deprovision(who, _) => asked.instances[*who] = false,
        _ => {}
    }
    asked
}

pub(crate) fn step(asked: &Asked) -> BoxedStrategy<Step> {
    let users = asked.instances.iter().enumerate().map(|(who, asked)| (4, user(who, *asked)));
    let patience = u32::from(asked.is_long);
    let world = [(6, Just(Step::Prove).boxed()), (6, time()), (5, trouble()), (patience, operators())];
    Union::new_weighted(users.chain(world).filter(|(weight, _)| *weight > 0).collect()).boxed()
}

fn user(who: usize, asked: bool) -> BoxedStrategy<Step> {
    let killed = || prop::bool::weighted(0.2);
    let wish = |names_them: BoxedStrategy<bool>| Wish::drawn(names_them).prop_map(|wish| own_names(&wish));
    let provision = (wish(Just(true).boxed()), killed())
        .prop_map(move |(wish, killed)| Step::Provision(who, Wish { purge: false, ..wish }, killed));
    if !asked {
        return provision.boxed();
    }
    let update = (wish(any::<bool>().boxed()), killed());
    prop_oneof![
        6 => update.prop_map(move |(wish, killed)| Step::Update(who, wish, killed)),
        1 => Just(Step::Look(who)),
        1 => provision,
        2 => killed().prop_map(move |killed| Step::Deprovision(who, killed)),
    ]
    .boxed()
}

/// Without the name that both want: on real time nobody can wait until the other gives it up.
fn own_names(wish: &Wish) -> Wish {
    Wish { names: wish.names.map(|Names(bits)| Names((bits & 3).max(1))), ..wish.clone() }
}

fn time() -> BoxedStrategy<Step> {
    prop_oneof![
        6 => (1..12_usize).prop_map(Step::Work),
        1 => (1..600_u64).prop_map(Step::Later),
        1 => Just(Step::Settle),
    ]
    .boxed()
}

fn trouble() -> BoxedStrategy<Step> {
    let moment = || select(&[FaultMoment::Before, FaultMoment::After][..]);
    prop_oneof![
        6 => (select(OPERATIONS), moment(), select(KINDS), 1..4_u32)
            .prop_map(|(op, when, kind, times)| Step::Fault(op, when, kind, times)),
        1 => Just(Step::Kill),
        3 => (1..6_u32, moment()).prop_map(|(nth, when)| Step::KillAt(nth, when)),
        1 => (0..3000_u64, 0..2000_u64).prop_map(|(deploy, show)| Step::Lag(deploy, show)),
    ]
    .boxed()
}

fn operators() -> BoxedStrategy<Step> {
    prop_oneof![
        (0..3_usize, 0..4_usize).prop_map(|(cdns, certificates)| Step::Room(cdns, certificates)),
        (0..INSTANCES, 0..2_usize).prop_map(|(who, name)| Step::Occupied(who, name)),
    ]
    .boxed()
}
