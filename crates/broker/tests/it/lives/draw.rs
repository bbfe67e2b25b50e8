//! What can happen, and how likely it is.

use contract::testing::Moment;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proptest_state_machine::ReferenceStateMachine;

use super::wishes::{INSTANCES, Names, Wish};

/// Calls that can meet a misfortune: of the cloud and the authority.
const FAR: &[&str] = &[
    "cdn.ensure",
    "cdn.apply",
    "cdn.find",
    "cdn.disable",
    "cdn.remove",
    "cdn.invalidate",
    "vault.ensure",
    "vault.remove",
    "site.clear",
    "zone.point",
    "zone.release",
    "issuer.open",
    "issuer.advance",
    "issuer.abandon",
    "issuer.renewal",
];

/// Of the database.
const NEAR: &[&str] = &[
    "certificates.make_live",
    "certificates.of_instance",
    "certificates.put",
    "domains.claim",
    "domains.keep_only",
    "instances.create",
    "instances.record_distribution",
    "operations.begin_deprovision",
    "operations.begin_renewal",
    "operations.begin_update",
    "operations.standing",
    "queue.claim",
    "queue.log",
    "queue.save",
    "renewals.ensure",
    "renewals.keep",
    "sweeps.add",
    "sweeps.done",
];

/// One step of a life.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) what: What,
    /// After how many crash points the process dies, if it gets there.
    pub(super) dies: Option<u64>,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// The user asks for an instance.
    Provision(usize, Wish),
    /// The user asks for a change.
    Update(usize, Wish),
    /// `PATCH {}`.
    Look(usize),
    /// The user deletes.
    Deprovision(usize),
    /// The platform polls and fetches.
    Poll(usize),
    /// The owner of the names sets the records, or takes them away.
    Prove(usize, Names, bool),
    /// Time passes with a broker at work.
    Minutes(u64),
    /// A long time does.
    Days(u64),
    /// Calls of a method fail.
    Trouble(&'static str, Trouble, usize),
    /// A change takes so many seconds to reach the edges, and a certificate to reach the CDN.
    Lag(u64, u64),
    /// The account can hold so many distributions and certificates.
    Room(usize, usize),
    /// Somebody else's distribution has a name, or gives it up.
    Occupied(usize, usize, bool),
    /// The authority takes no orders for so many hours.
    NoOrders(u64),
    /// Everything works again, and is given the time that it takes.
    Settle,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Throttled,
    Unavailable(Moment),
    Reset(Moment),
    Hang(Moment),
    ExpiredToken,
}

/// What the drawing goes by: which instances have been asked for. Whether they are there is for the broker to say.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked([bool; INSTANCES]);

/// The lives that are drawn.
pub(super) struct Draw;

impl ReferenceStateMachine for Draw {
    type State = Asked;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Asked> {
        Just(Asked::default()).boxed()
    }

    fn transitions(asked: &Asked) -> BoxedStrategy<Step> {
        let users = asked.0.iter().enumerate().map(|(who, asked)| (4, user(who, *asked))).collect::<Vec<_>>();
        let world = [(12, time()), (4, trouble()), (4, world())];
        let what = Union::new_weighted(users.into_iter().chain(world).collect());
        let dies =
            prop_oneof![6 => Just(None), 1 => (1..25_u64).prop_map(Some), 1 => (1..120_u64).prop_map(Some)];
        (what, dies).prop_map(|(what, dies)| Step { what, dies }).boxed()
    }

    fn apply(mut asked: Asked, step: &Step) -> Asked {
        match step.what {
            What::Provision(who, _) => asked.0[who] = true,
            What::Deprovision(who) => asked.0[who] = false,
            _ => {}
        }
        asked
    }
}

fn user(who: usize, asked: bool) -> BoxedStrategy<What> {
    let provision = Wish::drawn(Just(true)).prop_map(move |wish| What::Provision(who, wish));
    if !asked {
        return prop_oneof![
            8 => provision,
            1 => Just(What::Deprovision(who)),
            1 => Just(What::Poll(who)),
        ]
        .boxed();
    }
    prop_oneof![
        6 => Wish::drawn(any::<bool>()).prop_map(move |wish| What::Update(who, wish)),
        1 => Just(What::Look(who)),
        1 => Just(What::Poll(who)),
        1 => provision,
        2 => Just(What::Deprovision(who)),
    ]
    .boxed()
}

fn time() -> BoxedStrategy<What> {
    prop_oneof![
        // A broker looks once at what is due. If it dies, the next one finds everything leased.
        4 => Just(What::Minutes(0)),
        6 => (1..90_u64).prop_map(What::Minutes),
        3 => (1..30_u64).prop_map(What::Days),
        1 => Just(What::Settle),
    ]
    .boxed()
}

fn trouble() -> BoxedStrategy<What> {
    let moment = || select(&[Moment::Before, Moment::After][..]);
    let near = prop_oneof![moment().prop_map(Trouble::Unavailable), moment().prop_map(Trouble::Reset)];
    let far = prop_oneof![
        Just(Trouble::Throttled),
        moment().prop_map(Trouble::Unavailable),
        moment().prop_map(Trouble::Reset),
        moment().prop_map(Trouble::Hang),
        Just(Trouble::ExpiredToken),
    ];
    let times = || prop_oneof![8 => 1..6_usize, 1 => Just(500)];
    prop_oneof![
        3 => (select(FAR), far, times()).prop_map(|(method, how, times)| What::Trouble(method, how, times)),
        1 => (select(NEAR), near, 1..4_usize).prop_map(|(method, how, times)| What::Trouble(method, how, times)),
    ]
    .boxed()
}

fn world() -> BoxedStrategy<What> {
    let who = || 0..INSTANCES;
    prop_oneof![
        6 => (who(), Names::drawn(), prop::bool::weighted(0.8)).prop_map(|(who, names, sets)| What::Prove(who, names, sets)),
        1 => (0..1800_u64, 0..300_u64).prop_map(|(deploy, show)| What::Lag(deploy, show)),
        1 => (0..3_usize, 0..4_usize).prop_map(|(cdns, certificates)| What::Room(cdns, certificates)),
        1 => (who(), 0..3_usize, any::<bool>()).prop_map(|(who, name, is)| What::Occupied(who, name, is)),
        1 => (1..200_u64).prop_map(What::NoOrders),
    ]
    .boxed()
}
