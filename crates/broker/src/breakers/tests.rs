use std::sync::atomic::{AtomicUsize, Ordering};

use contract::testing::World;
use contract::{Reach, Upstream};

use super::*;

const PAUSE: Duration = Duration::from_secs(45);
const STORE: Call = Call { upstream: Upstream::Vault, kind: "store" };
const DELETE: Call = Call { upstream: Upstream::Vault, kind: "delete" };

/// A broker process: what it remembers is its own.
struct Process {
    world: World,
    breakers: Breakers,
    made: AtomicUsize,
}

impl Process {
    fn of(world: &World) -> Self {
        let World { store, alerts, clock, .. } = world.clone();
        let queue = Arc::new(store.clone());
        let breakers = Breakers::new(Arc::new(store), queue, Arc::new(alerts), Arc::new(clock), PAUSE);
        Self { world: world.clone(), breakers, made: AtomicUsize::new(0) }
    }

    async fn call(&self, call: Call, result: PortResult<()>) -> PortResult<()> {
        let work = async {
            self.made.fetch_add(1, Ordering::Relaxed);
            result
        };
        self.breakers.guard(call, work).await
    }

    async fn is_parked(&self, call: Call, result: PortResult<()>) -> bool {
        self.call(call, result).await.is_err_and(|error| Parked::by(&error).is_some())
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    fn later(&self, by: Duration) {
        self.world.clock.advance(by);
    }

    fn told(&self) -> (usize, usize) {
        (self.world.alerts.raised().len(), self.world.alerts.resolved().len())
    }
}

fn quota() -> PortResult<()> {
    Err(PortError::new("upload", Remedy::AwaitOperator, "LimitExceeded: 20")
        .stopping(Upstream::Vault, Reach::SameKind)
        .with_request_id(Some("r-1")))
}

fn expired() -> PortResult<()> {
    Err(PortError::new("upload", Remedy::AwaitOperator, "ExpiredToken")
        .stopping(Upstream::Account, Reach::Everything))
}

fn refused() -> PortResult<()> {
    Err(PortError::new("upload", Remedy::GiveUp, "MalformedCertificate"))
}

#[tokio::test]
async fn calls_are_turned_away_until_it_is_time_to_try_and_then_ever_less_often() {
    let process = Process::of(&World::new());
    let mut tries = Vec::new();
    for minute in 0..120 {
        let before = process.made();
        for _ in 0..10 {
            assert!(process.is_parked(STORE, quota()).await);
        }
        if process.made() > before {
            tries.push(minute);
        }
        assert!(process.made() <= before + 1, "one try at a time");
        process.later(Duration::from_mins(1));
    }
    assert_eq!(tries, [0, 1, 3, 6, 12, 24, 39, 54, 69, 84, 99, 114]);
    assert_eq!(process.told(), (1, 0));
    let alert = process.world.alerts.raised().remove(0);
    assert_eq!(alert.subject, "breaker vault/store");
    assert!(alert.message.contains("LimitExceeded: 20 (request r-1)"), "{}", alert.message);
    assert!(process.call(DELETE, Ok(())).await.is_ok(), "what needs no room goes on");
}

#[tokio::test]
async fn it_is_over_when_nothing_has_been_met_for_a_while() {
    let process = Process::of(&World::new());
    assert!(process.is_parked(STORE, quota()).await);
    process.later(PAUSE);
    assert!(process.call(STORE, Ok(())).await.is_ok());
    assert!(process.call(STORE, Ok(())).await.is_ok(), "the way is free");
    process.breakers.run_due().await.unwrap();
    assert_eq!(process.told(), (1, 0), "it may come back");
    process.later(PAUSE * 4);
    for _ in 0..2 {
        process.breakers.run_due().await.unwrap();
    }
    assert_eq!(process.told(), (1, 1));
    assert_eq!(process.world.store.breakers(), []);
    assert!(process.is_parked(STORE, quota()).await);
    assert_eq!(process.told(), (2, 1), "another time is another incident");
}

/// Room for one thing at a time: the operator is not told each time.
#[tokio::test]
async fn what_comes_back_soon_has_never_been_gone() {
    let process = Process::of(&World::new());
    for _ in 0..5 {
        assert!(process.is_parked(STORE, quota()).await);
        process.later(LONGEST_PAUSE);
        assert!(process.call(STORE, Ok(())).await.is_ok());
        process.later(PAUSE);
        process.breakers.run_due().await.unwrap();
    }
    assert_eq!(process.told(), (1, 0));
    assert_eq!(process.world.store.breakers()[0].probes, 5, "the pauses do not begin anew");
}

#[tokio::test]
async fn three_processes_tell_once_and_try_one_at_a_time() {
    let world = World::new();
    let processes = [(); 3].map(|()| Process::of(&world));
    for process in &processes {
        assert!(process.call(STORE, Ok(())).await.is_ok());
    }
    for process in &processes {
        assert!(process.is_parked(STORE, quota()).await, "each may meet it before it has looked again");
    }
    world.clock.advance(PAUSE);
    let made = |processes: &[Process; 3]| processes.iter().map(Process::made).sum::<usize>();
    let before = made(&processes);
    for process in &processes {
        assert!(process.is_parked(STORE, quota()).await);
    }
    assert_eq!(made(&processes), before + 1);
    world.clock.advance(PAUSE * 2);
    assert!(processes[2].call(STORE, Ok(())).await.is_ok());
    world.clock.advance(FRESH);
    assert!(processes[0].call(STORE, Ok(())).await.is_ok(), "what one has found out counts for all");
    world.clock.advance(PAUSE * 4);
    for process in &processes {
        process.breakers.run_due().await.unwrap();
    }
    assert_eq!(processes[0].told(), (1, 1));
}

#[tokio::test]
async fn expired_credentials_stop_every_service_of_the_account_and_no_other() {
    let process = Process::of(&World::new());
    assert!(process.is_parked(STORE, expired()).await);
    for upstream in [Upstream::Cdn, Upstream::Vault, Upstream::Site, Upstream::Zone] {
        assert!(process.is_parked(Call { upstream, kind: "read" }, Ok(())).await, "{upstream:?}");
    }
    let issue = Call { upstream: Upstream::Authority, kind: "issue" };
    assert!(process.call(issue, Ok(())).await.is_ok());
    process.later(PAUSE);
    let answered = process.call(Call { upstream: Upstream::Cdn, kind: "read" }, refused()).await;
    assert!(answered.is_err_and(|error| error.remedy() == Remedy::GiveUp));
    assert!(process.call(STORE, Ok(())).await.is_ok(), "who is refused for another reason has been let in");
    assert_eq!(process.told().0, 1);
}

fn lacks_a_key() -> PortResult<()> {
    Err(PortError::new("read an issuance", Remedy::AwaitOperator, "sealed with the key \"new\"")
        .stopping(Upstream::SealingKeys, Reach::Everything))
}

/// Whoever has the key goes on; whoever lacks it waits, and looks for itself each time.
#[tokio::test]
async fn a_key_that_one_process_lacks_is_told_once_and_stops_no_other() {
    let world = World::new();
    let [lacking, having] = [(); 2].map(|()| Process::of(&world));
    let issue = Call { upstream: Upstream::Authority, kind: "issue" };
    for minute in 0..60 {
        assert!(lacking.is_parked(issue, lacks_a_key()).await, "{minute}");
        assert!(having.call(issue, Ok(())).await.is_ok(), "{minute}");
        assert!(lacking.call(STORE, Ok(())).await.is_ok(), "{minute}");
        for process in [&lacking, &having] {
            process.breakers.run_due().await.unwrap();
            process.later(PAUSE / 2);
        }
    }
    assert_eq!(lacking.told(), (1, 0));
    let alert = world.alerts.raised().remove(0);
    assert_eq!(alert.subject, "breaker sealing-keys");
    for words in ["sealed with the key \"new\"", "behind the first one in DATABASE_ENCRYPTION_KEYS"] {
        assert!(alert.message.contains(words), "{}", alert.message);
    }
    // It has been put back: nobody meets it any more.
    for _ in 0..10 {
        assert!(lacking.call(issue, Ok(())).await.is_ok());
        lacking.later(PAUSE);
        having.breakers.run_due().await.unwrap();
    }
    assert_eq!((lacking.told(), world.store.breakers()), ((1, 1), vec![]));
}

#[tokio::test]
async fn a_refusal_for_another_reason_says_nothing_about_room() {
    let process = Process::of(&World::new());
    assert!(process.is_parked(STORE, quota()).await);
    process.later(PAUSE);
    assert!(!process.is_parked(STORE, refused()).await, "it was let through to try");
    assert!(process.is_parked(STORE, Ok(())).await);
}

#[tokio::test]
async fn somebody_else_tells_when_the_first_one_dies_before_it_could() {
    let world = World::new();
    let breaker = Breaker {
        scope: "vault/store".into(),
        since: world.clock.now(),
        cause: "LimitExceeded".into(),
        probe_at: world.clock.now() + PAUSE,
        probes: 0,
        waited: 0,
        gone_since: None,
        told: false,
        tell_at: Some(world.clock.now() + tell::PATIENCE),
        version: 1,
    };
    assert!(world.store.open(&breaker).await.unwrap());
    let process = Process::of(&world);
    process.breakers.run_due().await.unwrap();
    assert_eq!(process.told(), (0, 0), "its opener may still be about it");
    process.later(tell::PATIENCE);
    for _ in 0..2 {
        process.breakers.run_due().await.unwrap();
    }
    assert_eq!(process.told(), (1, 0));
}

#[tokio::test]
async fn what_is_about_one_thing_alone_stops_nobody() {
    let process = Process::of(&World::new());
    let alone = Err(PortError::new("attach", Remedy::AwaitOperator, "TooManyDistributionCNAMEs"));
    assert!(!process.is_parked(STORE, alone).await);
    assert!(process.call(STORE, Ok(())).await.is_ok());
    assert_eq!(process.told(), (0, 0));
}
