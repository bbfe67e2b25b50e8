//! The broker on fakes, the users of two instances, and the hours and days that pass.

use std::time::Duration;

use broker::Pace;
use contract::testing::{CrashPlan, MemoryStore, Moment, Outcome, until_crash};
use contract::{
    Clock, DomainName, Instance, InstanceId, InstanceStore, Operation, OperationStore, PortError, Remedy,
    RenewalStore, SweepStore, Timestamp, Track, WorkQueue,
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::{Builder, Runtime};

use super::draw::{Asked, Draw, Step, Trouble, What};
use super::user::{User, heard};
use super::wishes::{INSTANCES, NAMES, Names};
use super::{laws, rest};
use crate::harness::Bench;

/// In real time. No fake makes anybody wait, so only what hangs takes so long.
const STEP_TIMEOUT: Duration = Duration::from_millis(1);

/// The shortest time between two looks of a broker, and after how many looks in one span of time it doubles: a life of
/// days is not lived second by second.
const LOOK: Duration = Duration::from_secs(5);
const LOOKS: u32 = 32;

/// The error text of what this test has let go wrong.
pub(super) const ON_PURPOSE: &str = "on purpose";

pub(super) struct Lives;

/// Everything.
pub(super) struct System {
    runtime: Runtime,
    pub(super) bench: Bench,
    pub(super) users: Vec<User>,
}

impl StateMachineTest for Lives {
    type SystemUnderTest = System;
    type Reference = Draw;

    fn init_test(_: &Asked) -> System {
        let pace = Pace { step_timeout: STEP_TIMEOUT, ..Pace::default() };
        System {
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
            bench: Bench { pace, ..Bench::new() },
            users: (0..INSTANCES).map(User::new).collect(),
        }
    }

    fn apply(mut system: System, _: &Asked, step: Step) -> System {
        system.happen(&step);
        system.look_after_users();
        system
    }

    fn check_invariants(system: &System, _: &Asked) {
        laws::always(system);
    }

    fn teardown(mut system: System, _: <Draw as ReferenceStateMachine>::State) {
        system.settle();
        system.everybody_leaves();
        rest::nothing_is_left(&system);
    }
}

impl System {
    /// The store, looked at from outside: without crash points and misfortunes.
    pub(super) fn store(&self) -> MemoryStore {
        self.bench.world.store.clone().with_plan(&CrashPlan::new())
    }

    pub(super) fn wait_for<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(super) fn instance(&self, user: &User) -> Option<Instance> {
        self.wait_for(InstanceStore::find(&self.store(), &InstanceId::new(user.id()))).unwrap()
    }

    pub(super) fn latest(&self, user: &User) -> Option<Operation> {
        self.wait_for(self.store().newest(&InstanceId::new(user.id()), Track::User)).unwrap()
    }

    fn happen(&mut self, step: &Step) {
        let dies = step.dies;
        match &step.what {
            What::Provision(who, wish) => {
                let answer = self.process(dies, self.users[*who].provision(&self.bench, wish));
                self.users[*who].memory.has_asked(wish, answer.as_ref().map(heard).as_ref());
            }
            What::Update(who, wish) => {
                let answer = self.process(dies, self.users[*who].update(&self.bench, wish));
                self.users[*who].memory.has_changed(wish, answer.as_ref().map(heard).as_ref());
            }
            What::Look(who) => drop(self.process(dies, self.users[*who].look(&self.bench))),
            What::Deprovision(who) => {
                self.process(dies, self.users[*who].deprovision(&self.bench));
                self.users[*who].memory.has_deleted();
            }
            What::Poll(who) => drop(self.process(dies, self.users[*who].poll(&self.bench))),
            What::Minutes(minutes) => self.live(dies, Duration::from_mins(*minutes)),
            What::Days(days) => self.live(dies, Duration::from_hours(24 * days)),
            What::Settle => self.settle(),
            What::Trouble(method, how, times) => self.trouble(method, *how, *times),
            other => self.arrange(other),
        }
    }

    /// Changes the world around the broker.
    fn arrange(&self, what: &What) {
        let world = &self.bench.world;
        match what {
            What::Prove(who, names, sets) => {
                for name in parsed(*who, *names) {
                    if *sets { world.issuer.prove(&name) } else { world.issuer.unprove(&name) }
                }
            }
            What::Lag(deploy, show) => {
                world.cdn.set_deploy(Duration::from_secs(*deploy));
                world.vault.set_propagation(Duration::from_secs(*show));
            }
            What::Room(distributions, certificates) => {
                world.cdn.set_room(*distributions);
                world.vault.set_room(*certificates);
            }
            What::Occupied(who, name, true) => world.cdn.occupy(&name_of(*who, *name)),
            What::Occupied(who, name, false) => world.cdn.vacate(&name_of(*who, *name)),
            What::NoOrders(hours) => {
                let until = world.clock.now() + Duration::from_hours(*hours);
                world.issuer.hold_back(until, ON_PURPOSE);
            }
            other => panic!("{other:?} is not of the world"),
        }
    }

    fn trouble(&self, method: &str, how: Trouble, times: usize) {
        let plan = &self.bench.world.plan;
        let error = |remedy, code: &'static str| {
            move || PortError::new(ON_PURPOSE, remedy, format!("{code}, {ON_PURPOSE}"))
        };
        let later = Remedy::Retry { after: None };
        match how {
            Trouble::Throttled => {
                let after = Some(Duration::from_secs(7));
                plan.fail(method, times, error(Remedy::Retry { after }, "Throttling"));
            }
            Trouble::ExpiredToken => plan.fail(method, times, error(Remedy::AwaitOperator, "ExpiredToken")),
            Trouble::Unavailable(Moment::Before) => plan.fail(method, times, error(later, "503")),
            Trouble::Unavailable(Moment::After) => plan.lose(method, times, error(later, "503")),
            Trouble::Reset(Moment::Before) => plan.fail(method, times, error(later, "reset")),
            Trouble::Reset(Moment::After) => plan.lose(method, times, error(later, "reset")),
            Trouble::Hang(moment) => plan.hang(method, times, moment),
        }
    }

    /// Runs a process that may die. What it was to answer is lost then.
    fn process<T>(&self, dies: Option<u64>, process: impl Future<Output = T>) -> Option<T> {
        let plan = &self.bench.world.plan;
        if let Some(points) = dies {
            plan.crash_at(plan.points_passed() + points);
        }
        let outcome = self.wait_for(until_crash(plan, process));
        // Where it was to die may lie behind its end.
        plan.crash_at(u64::MAX);
        match outcome {
            Outcome::Finished(answer) => Some(answer),
            Outcome::Crashed => None,
        }
    }

    /// Lets time pass with a broker at work that may die; then another one is.
    fn live(&self, dies: Option<u64>, span: Duration) {
        let clock = &self.bench.world.clock;
        let end = clock.now() + span;
        if self.process(dies, live(&self.bench, self.store(), end)).is_none() {
            self.process(None, live(&self.bench, self.store(), end));
        }
    }

    /// Lets everything work again, and gives it time until nothing is left to do.
    fn settle(&mut self) {
        self.mend();
        for _ in 0..12 {
            self.live(None, Duration::from_hours(4));
            if rest::is_at_rest(self) {
                break;
            }
        }
        self.look_after_users();
        laws::always(self);
        rest::store_and_cloud_agree(self);
    }

    fn mend(&self) {
        let world = &self.bench.world;
        world.plan.heal();
        world.cdn.set_deploy(Duration::from_mins(5));
        world.vault.set_propagation(Duration::from_secs(10));
        world.cdn.set_room(usize::MAX);
        world.vault.set_room(usize::MAX);
        world.issuer.hold_back(world.clock.now(), "never mind");
        for name in NAMES.as_flattened().iter().map(|name| DomainName::parse(name).unwrap()) {
            world.issuer.prove(&name);
            world.cdn.vacate(&name);
        }
    }

    fn everybody_leaves(&mut self) {
        for who in 0..INSTANCES {
            let answer = self.wait_for(self.users[who].deprovision(&self.bench));
            assert!([200, 202, 410].contains(&answer.status.as_u16()), "{answer:?}");
            self.users[who].memory.has_deleted();
        }
        self.settle();
    }

    /// What users see must be one of the things that they may see, and what is served is served on.
    fn look_after_users(&mut self) {
        let mut users = std::mem::take(&mut self.users);
        for user in &mut users {
            laws::goes_on_serving(self, user);
            let latest = self.latest(user);
            if latest.as_ref().is_none_or(|latest| latest.state != contract::OperationState::Running) {
                user.at_rest(self.instance(user).as_ref(), latest.as_ref());
            }
        }
        self.users = users;
    }
}

fn name_of(who: usize, name: usize) -> DomainName {
    DomainName::parse(NAMES[who][name]).unwrap()
}

fn parsed(who: usize, names: Names) -> Vec<DomainName> {
    names.of(who).iter().map(|name| DomainName::parse(name).unwrap()).collect()
}

/// A broker at work: it looks when something is due, as its timers would let it.
async fn live(bench: &Bench, store: MemoryStore, end: Timestamp) {
    let (worker, chores) = (bench.worker(), bench.chores());
    let clock = &bench.world.clock;
    for looks in 0.. {
        // An error is the database's, and the next round tries again. What hangs in a chore is cut off.
        drop(worker.run_due().await);
        drop(tokio::time::timeout(STEP_TIMEOUT, chores.run_due()).await);
        if clock.now() >= end {
            return;
        }
        let earliest = clock.now() + LOOK * 2_u32.pow(looks / LOOKS);
        clock.set(next_moment(&store).await.unwrap_or(end).max(earliest).min(end));
    }
}

async fn next_moment(store: &MemoryStore) -> Option<Timestamp> {
    let moments = [store.next_due().await, store.next_check().await, store.next_try().await];
    moments.into_iter().filter_map(|moment| moment.unwrap()).min()
}
