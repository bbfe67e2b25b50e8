use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contract::testing::World;
use contract::{
    Alert, Alerts, DispatchState, InstanceId, Messenger, Notice, Parcel, PortError, PortResult, Remedy, Side,
    Turn,
};

use super::Notifier;

/// A target that remembers what it was given, and refuses as often as it is told to.
#[derive(Default)]
struct Pager {
    got: Mutex<Vec<Turn>>,
    refusals: AtomicUsize,
}

#[async_trait]
impl Messenger for Pager {
    fn target(&self) -> &'static str {
        "pager"
    }

    fn takes(&self, notice: &Notice) -> bool {
        matches!(notice, Notice::Incident(_))
    }

    async fn deliver(&self, parcel: &Parcel) -> PortResult<()> {
        let fewer = |left: usize| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Err(PortError::new("page", Remedy::Retry { after: None }, "busy"));
        }
        let Notice::Incident(report) = &parcel.notice else { unreachable!("it takes no letters") };
        self.got.lock().unwrap().push(report.turn);
        Ok(())
    }
}

impl Pager {
    fn refusing(times: usize) -> Arc<Self> {
        Arc::new(Self { refusals: AtomicUsize::new(times), ..Self::default() })
    }

    fn turns(&self) -> Vec<Turn> {
        self.got.lock().unwrap().clone()
    }
}

fn notifier(world: &World, pager: &Arc<Pager>) -> Notifier {
    let World { store, clock, randomness, .. } = world.clone();
    let (incidents, outbox) = (Arc::new(store.clone()), Arc::new(store));
    Notifier::new(incidents, outbox, vec![pager.clone()], Arc::new(clock), Arc::new(randomness))
}

fn full() -> Alert {
    Alert::new("breaker vault/store", "no room").on(Side::Aws)
}

fn free() -> Alert {
    Alert::new("breaker vault/store", "room again")
}

#[tokio::test]
async fn an_incident_is_told_once_and_its_end_once() {
    let (world, pager) = (World::new(), Pager::refusing(0));
    let (one, other) = (notifier(&world, &pager), notifier(&world, &pager));
    one.raise(full()).await;
    other.raise(full().affecting([InstanceId::new("i-1")])).await;
    tokio::try_join!(one.post_due(), other.post_due()).unwrap();
    assert_eq!(pager.turns(), [Turn::Opened]);
    world.clock.advance(Duration::from_mins(10));
    other.resolve(free()).await;
    one.resolve(free()).await;
    tokio::try_join!(one.post_due(), other.post_due()).unwrap();
    assert_eq!(pager.turns(), [Turn::Opened, Turn::Resolved]);
    let [incident] = &world.store.incidents()[..] else { panic!("one incident") };
    assert_eq!((incident.raised, incident.turns, incident.side), (2, 2, Some(Side::Aws)));
    assert_eq!(incident.affected, [InstanceId::new("i-1")]);
    assert!(incident.closed_at.is_some());
}

#[tokio::test]
async fn what_becomes_worse_is_told_again_and_a_repetition_is_not() {
    let (world, pager) = (World::new(), Pager::refusing(0));
    let notifier = notifier(&world, &pager);
    for message in ["a third is left", "a third is left", "a tenth is left"] {
        notifier.raise(Alert::new("certificate of instance i", message).worse(true)).await;
    }
    notifier.post_due().await.unwrap();
    assert_eq!(pager.turns(), [Turn::Opened, Turn::Worsened]);
}

#[tokio::test]
async fn what_a_target_refuses_comes_again_in_order() {
    let (world, pager) = (World::new(), Pager::refusing(3));
    let notifier = notifier(&world, &pager);
    notifier.raise(full()).await;
    notifier.post_due().await.unwrap();
    notifier.resolve(free()).await;
    notifier.post_due().await.unwrap();
    assert_eq!(pager.turns(), [], "the end is not told before the beginning");
    for _ in 0..3 {
        world.clock.advance(Duration::from_mins(1));
        notifier.post_due().await.unwrap();
    }
    assert_eq!(pager.turns(), [Turn::Opened, Turn::Resolved]);
}

#[tokio::test]
async fn what_cannot_be_delivered_is_given_up_after_a_day() {
    let (world, pager) = (World::new(), Pager::refusing(1000));
    let notifier = notifier(&world, &pager);
    notifier.raise(full()).await;
    for _ in 0..100 {
        notifier.post_due().await.unwrap();
        world.clock.advance(Duration::from_mins(15));
    }
    let [delivery] = &world.store.deliveries()[..] else { panic!("one delivery") };
    assert_eq!(delivery.state, DispatchState::GivenUp);
    assert!((90..=105).contains(&delivery.attempts), "{delivery:?}");
    assert_eq!(delivery.error.as_deref(), Some("could not page: busy"));
}

#[tokio::test]
async fn what_could_not_be_stored_is_stored_later_in_order() {
    let (world, pager) = (World::new(), Pager::refusing(0));
    let notifier = notifier(&world, &pager);
    let away = || PortError::new("ask the store", Remedy::Retry { after: None }, "away");
    world.plan.fail("incidents.find_open", 1, away);
    notifier.raise(full()).await;
    notifier.resolve(free()).await;
    assert!(world.store.incidents().is_empty());
    notifier.post_due().await.unwrap();
    assert_eq!(pager.turns(), [Turn::Opened, Turn::Resolved]);
}

#[tokio::test]
async fn the_end_of_what_nobody_was_told_of_is_nothing() {
    let (world, pager) = (World::new(), Pager::refusing(0));
    let notifier = notifier(&world, &pager);
    notifier.resolve(full()).await;
    notifier.post_due().await.unwrap();
    assert_eq!((pager.turns(), world.store.incidents()), (vec![], vec![]));
}
