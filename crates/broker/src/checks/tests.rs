//! The runner, with a check that does what it is told and a clock that is moved by hand.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use contract::testing::{ManualClock, MemoryStore, RecordingAlerts, SequentialRandomness};
use contract::{Alert, CheckFailure, CheckSchedule, InstanceId, Side, StepTimes};

use super::*;

/// What the next run does; success when nothing was said.
#[derive(Clone)]
enum Act {
    Fail,
    Panic,
    Hang,
    Skip,
}

#[derive(Default)]
struct Scripted {
    act: Mutex<Option<Act>>,
    ran: AtomicU32,
}

impl Scripted {
    fn will(&self, act: Option<Act>) {
        *self.act.lock().unwrap_or_else(PoisonError::into_inner) = act;
    }
}

#[async_trait]
impl Check for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn stands_for(&self) -> &'static str {
        "the test runs"
    }

    fn schedule(&self) -> CheckSchedule {
        CheckSchedule::new(Duration::from_hours(1), Duration::from_millis(50))
    }

    async fn run(&self, steps: &StepTimes) -> CheckOutcome {
        self.ran.fetch_add(1, Ordering::SeqCst);
        let act = self.act.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match act {
            None => CheckOutcome::Ok,
            Some(Act::Fail) => CheckOutcome::Failing(CheckFailure {
                affected: vec![InstanceId::new("i-1")],
                ..CheckFailure::new(Side::Authority, "silent", "nobody answers.", "it orders there")
            }),
            Some(Act::Panic) => panic!("a broken check"),
            Some(Act::Hang) => steps.step("wait for ever", std::future::pending()).await,
            Some(Act::Skip) => CheckOutcome::Skipped { why: "no room".to_owned() },
        }
    }
}

struct Scene {
    clock: ManualClock,
    store: MemoryStore,
    alerts: RecordingAlerts,
    check: Arc<Scripted>,
    checks: Checks,
}

fn scene() -> Scene {
    let clock = ManualClock::new();
    let (store, alerts) = (MemoryStore::new(clock.clone()), RecordingAlerts::new());
    let check = Arc::new(Scripted::default());
    let checks = broker(&clock, &store, &alerts, &check);
    Scene { clock, store, alerts, check, checks }
}

fn broker(
    clock: &ManualClock,
    store: &MemoryStore,
    alerts: &RecordingAlerts,
    check: &Arc<Scripted>,
) -> Checks {
    let ports = CheckPorts {
        store: Arc::new(store.clone()),
        alerts: Arc::new(alerts.clone()),
        clock: Arc::new(clock.clone()),
        randomness: Arc::new(SequentialRandomness::new()),
    };
    Checks::new(vec![check.clone()], ports)
}

impl Scene {
    async fn record(&self) -> CheckRecord {
        self.store.ensure(&CheckRecord::new("scripted", Timestamp::default())).await.unwrap()
    }

    /// Moves the clock to when it is due next and runs it. Gives how long that was.
    async fn run_next(&self) -> Duration {
        let before = self.clock.now();
        self.checks.record(self.check.as_ref()).await.unwrap();
        self.clock.set(self.record().await.next_at.max(before));
        assert_eq!(self.checks.run_due().await.unwrap(), 1);
        self.clock.now().since(before)
    }

    async fn classes(&self) -> Vec<String> {
        let runs = self.checks.history("scripted", 100).await.unwrap().unwrap_or_default();
        runs.into_iter()
            .map(|run| match run.outcome {
                CheckOutcome::Ok => "ok".to_owned(),
                CheckOutcome::Skipped { .. } => "skipped".to_owned(),
                CheckOutcome::Underway { .. } => "underway".to_owned(),
                CheckOutcome::Failing(failure) => failure.class,
            })
            .collect()
    }
}

#[tokio::test]
async fn a_check_runs_when_it_is_due_and_not_before() {
    let scene = scene();
    scene.run_next().await;
    assert_eq!(scene.checks.run_due().await.unwrap(), 0);
    let pause = scene.run_next().await;
    let (least, most) = (Duration::from_mins(57), Duration::from_mins(63));
    assert!((least..=most).contains(&pause), "{pause:?}");
    assert_eq!(scene.classes().await, ["ok", "ok"]);
    assert_eq!(scene.alerts.raised(), []);
}

#[tokio::test]
async fn repeated_failure_is_one_incident_that_closes_itself_with_its_duration() {
    let scene = scene();
    scene.run_next().await;
    scene.check.will(Some(Act::Fail));
    scene.run_next().await;
    assert_eq!(scene.alerts.raised(), [], "one failure is none");
    let retry = scene.run_next().await;
    assert!(retry < Duration::from_mins(6), "it is tried again soon, not after {retry:?}");
    for _ in 0..5 {
        scene.run_next().await;
    }
    let raised = scene.alerts.raised();
    assert_eq!(raised.len(), 1, "{raised:?}");
    let Alert { subject, message, .. } = &raised[0];
    assert_eq!(subject, "check scripted");
    for part in ["nobody answers (silent)", "2 time(s) in a row", "authority", "it orders there", "i-1"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let since = scene.record().await.failing_since.unwrap();
    scene.check.will(None);
    scene.run_next().await;
    let resolved = scene.alerts.resolved();
    assert_eq!(resolved.len(), 1);
    let lasted = crate::describe::span(scene.clock.now().since(since));
    assert!(resolved[0].message.contains(&format!("It lasted {lasted}.")), "{resolved:?}");
    scene.run_next().await;
    assert_eq!(scene.alerts.resolved().len(), 1);
    assert_eq!(scene.record().await.failures, 0);
}

#[tokio::test]
async fn a_check_that_panics_or_hangs_has_failed_and_the_next_run_goes_on() {
    let scene = scene();
    for act in [Act::Panic, Act::Hang, Act::Skip] {
        scene.check.will(Some(act));
        scene.run_next().await;
    }
    assert_eq!(scene.classes().await, ["skipped", "too-long", "panic"]);
    let runs = scene.checks.history("scripted", 3).await.unwrap().unwrap();
    let CheckOutcome::Failing(late) = &runs[1].outcome else { panic!("{runs:?}") };
    assert!(late.sentence.contains("stuck at `wait for ever`"), "{late:?}");
    assert_eq!(runs[1].steps.len(), 1);
    assert_eq!(scene.record().await.failures, 2, "to skip says nothing");
    scene.check.will(None);
    scene.run_next().await;
    assert_eq!(scene.record().await.failures, 0);
}

#[tokio::test]
async fn two_brokers_run_a_check_once() {
    let scene = scene();
    let other = broker(&scene.clock, &scene.store, &scene.alerts, &scene.check);
    scene.checks.record(scene.check.as_ref()).await.unwrap();
    scene.clock.advance(Duration::from_hours(1));
    let (one, two) = tokio::join!(scene.checks.run_due(), other.run_due());
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(scene.check.ran.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_killed_run_is_taken_over_when_its_lease_is_over() {
    let scene = scene();
    scene.checks.record(scene.check.as_ref()).await.unwrap();
    scene.clock.advance(Duration::from_hours(1));
    scene.check.will(Some(Act::Hang));
    let killed = tokio::time::timeout(Duration::ZERO, scene.checks.run_due()).await;
    assert!(killed.is_err());
    scene.check.will(None);
    assert_eq!(scene.checks.run_due().await.unwrap(), 0);
    let ByHand::Busy(until) = scene.checks.run_now("scripted").await.unwrap() else { panic!("it is free") };
    scene.clock.set(until);
    assert_eq!(scene.checks.run_due().await.unwrap(), 1);
    assert_eq!(scene.classes().await, ["ok"]);
}

#[tokio::test]
async fn a_clock_that_jumps_stops_no_check() {
    let scene = scene();
    scene.run_next().await;
    let today = scene.clock.now();
    scene.clock.set(today + Duration::from_hours(24 * 365));
    assert_eq!(scene.checks.run_due().await.unwrap(), 1, "forward");
    scene.clock.set(today);
    assert_eq!(scene.checks.run_due().await.unwrap(), 1, "and back again");
    assert_eq!(scene.checks.run_due().await.unwrap(), 0);
    let kept = scene.record().await;
    let future = today + Duration::from_hours(24 * 365);
    let leased = CheckRecord { leased_until: Some(future), next_at: today, ..kept.clone() };
    scene.store.change(&kept, &leased).await.unwrap();
    assert_eq!(scene.checks.run_due().await.unwrap(), 1, "a lease of another time holds nobody up");
}

#[tokio::test]
async fn a_broker_that_stops_gives_its_check_back() {
    let scene = scene();
    scene.checks.record(scene.check.as_ref()).await.unwrap();
    scene.clock.advance(Duration::from_hours(1));
    scene.check.will(Some(Act::Hang));
    let (stop, stopped) = watch::channel(false);
    let checks = scene.checks.clone();
    let serving = tokio::spawn(async move { checks.serve(stopped).await });
    while scene.check.ran.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    stop.send_replace(true);
    serving.await.unwrap();
    let record = scene.record().await;
    assert_eq!((record.leased_until, record.runs), (None, 0));
    scene.check.will(None);
    assert_eq!(scene.checks.run_due().await.unwrap(), 1, "the next broker goes on at once");
}

#[tokio::test]
async fn a_run_by_hand_counts_like_any_other() {
    let scene = scene();
    scene.check.will(Some(Act::Fail));
    for _ in 0..2 {
        assert!(matches!(scene.checks.run_now("scripted").await.unwrap(), ByHand::Ran(_)));
    }
    assert_eq!(scene.alerts.raised().len(), 1);
    assert!(matches!(scene.checks.run_now("nothing").await.unwrap(), ByHand::Unknown));
    let list = scene.checks.list().await.unwrap();
    assert_eq!((list.len(), list[0].record.failures), (1, 2));
    assert_eq!(scene.checks.history("nothing", 1).await.unwrap(), None);
}
