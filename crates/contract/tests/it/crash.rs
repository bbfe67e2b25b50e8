use contract::testing::{Moment, Outcome, World, sample, until_crash};
use contract::{
    Clock, Instance, InstanceStore, LeaseToken, Operation, OperationKind, OperationStore, PortError,
    PortResult, Remedy, WorkQueue,
};

use std::time::Duration;

use futures_util::FutureExt as _;

/// A small process of three calls: six points.
async fn process(world: World) -> PortResult<()> {
    let (instance, operation) = first_steps(&world);
    world.store.create(&instance, &operation).await?;
    world.store.next_due().await?;
    world.store.claim(&LeaseToken::new("token"), Duration::from_mins(1)).await?;
    Ok(())
}

fn first_steps(world: &World) -> (Instance, Operation) {
    let instance = sample::instance("i-1", &["www.example.org"]);
    let operation = sample::operation("o-1", &instance.id, OperationKind::Provision, world.clock.now());
    (instance, operation)
}

#[tokio::test]
async fn without_a_crash_the_process_ends_and_its_points_are_counted() {
    let world = World::new();
    let outcome = until_crash(&world.plan, process(world.clone())).await;
    assert!(matches!(outcome, Outcome::Finished(Ok(()))));
    assert_eq!(world.plan.points_passed(), 6);
    assert_eq!(world.plan.died_at(), None);
}

#[tokio::test]
async fn a_crash_before_the_effect_leaves_nothing_and_one_after_it_leaves_everything() {
    for (point, stored, place) in [
        (1, false, "point 1: before instances.create"),
        (2, true, "point 2: after instances.create"),
        (3, true, "point 3: before queue.next_due"),
    ] {
        let world = World::new();
        world.plan.crash_at(point);
        let outcome = until_crash(&world.plan, process(world.clone())).await;
        assert!(matches!(outcome, Outcome::Crashed), "{place}");
        assert_eq!(world.plan.points_passed(), point);
        assert_eq!(world.plan.died_at().as_deref(), Some(place));
        let (instance, operation) = first_steps(&world);
        let found = InstanceStore::find(&world.store, &instance.id).await.unwrap();
        assert_eq!(found.is_some(), stored, "{place}");
        let found = OperationStore::find(&world.store, &operation.id).await.unwrap();
        assert_eq!(found.is_some(), stored, "{place}");
    }
}

#[tokio::test]
async fn after_the_last_point_nothing_is_lost_but_the_answer() {
    let world = World::new();
    world.plan.crash_at(6);
    assert!(matches!(until_crash(&world.plan, process(world.clone())).await, Outcome::Crashed));
    let claim = world.store.claim(&LeaseToken::new("other"), Duration::from_mins(1)).await.unwrap();
    assert_eq!(claim, None, "the dead process still holds the lease");
    world.clock.advance(Duration::from_mins(1));
    let claim = world.store.claim(&LeaseToken::new("other"), Duration::from_mins(1)).await.unwrap();
    assert!(claim.is_some(), "until it expires");
}

#[tokio::test]
async fn a_dead_process_makes_no_further_calls_from_any_of_its_tasks() {
    let world = World::new();
    world.plan.crash_at(1);
    let outcome = until_crash(&world.plan, async {
        // Both at once: the second call comes after the death and must not have an effect either.
        let (instance, operation) = first_steps(&world);
        let other = sample::instance("i-2", &["www.example.org"]);
        let second = sample::operation("o-2", &other.id, OperationKind::Provision, world.clock.now());
        tokio::join!(world.store.create(&instance, &operation), world.store.create(&other, &second))
    })
    .await;
    assert!(matches!(outcome, Outcome::Crashed));
    assert_eq!(world.store.next_due().await.unwrap(), None, "neither was stored");
}

#[tokio::test]
async fn a_second_process_runs_in_the_same_world_and_can_die_as_well() {
    let world = World::new();
    world.plan.crash_at(2);
    assert!(matches!(until_crash(&world.plan, process(world.clone())).await, Outcome::Crashed));
    world.plan.crash_at(5);
    assert!(matches!(until_crash(&world.plan, process(world.clone())).await, Outcome::Crashed));
    assert_eq!(world.plan.died_at().as_deref(), Some("point 5: before queue.next_due"));
    let outcome = until_crash(&world.plan, process(world.clone())).await;
    assert!(matches!(outcome, Outcome::Finished(Ok(()))));
}

#[tokio::test]
async fn a_scripted_failure_has_no_effect_and_ends_after_its_times() {
    let world = World::new();
    let (instance, operation) = first_steps(&world);
    let denied = || PortError::new("create the instance", Remedy::AwaitOperator, "AccessDenied");
    world.plan.fail("instances.create", 2, denied);
    for _ in 0..2 {
        let error = world.store.create(&instance, &operation).await.unwrap_err();
        assert_eq!(error.remedy(), Remedy::AwaitOperator);
        assert_eq!(InstanceStore::find(&world.store, &instance.id).await.unwrap(), None);
    }
    assert!(world.store.create(&instance, &operation).await.unwrap());

    world.plan.fail("queue.next_due", usize::MAX, denied);
    assert!(world.store.next_due().await.is_err());
    world.plan.mend("queue.next_due");
    assert!(world.store.next_due().await.is_ok());
}

#[test]
#[should_panic(expected = "no fake has a method \"cdn.aply\"")]
fn a_failure_of_a_method_that_does_not_exist_is_noticed() {
    World::new().plan.fail("cdn.aply", 1, || PortError::new("do it", Remedy::GiveUp, "typo"));
}

#[tokio::test]
#[should_panic(expected = "point 2 lies behind")]
async fn a_crash_in_the_past_is_noticed() {
    let world = World::new();
    world.store.next_due().await.unwrap();
    world.plan.crash_at(2);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_effect_and_a_call_that_hangs_may_have_had_one() {
    let world = World::new();
    let (instance, operation) = first_steps(&world);
    world.plan.hang("instances.create", 1, Moment::Before);
    assert!(world.store.create(&instance, &operation).now_or_never().is_none(), "it hangs");
    assert_eq!(InstanceStore::find(&world.store, &instance.id).await.unwrap(), None);
    let reset = || PortError::new("create the instance", Remedy::Retry { after: None }, "connection reset");
    world.plan.lose("instances.create", 1, reset);
    assert!(world.store.create(&instance, &operation).await.is_err());
    assert!(InstanceStore::find(&world.store, &instance.id).await.unwrap().is_some());
    world.plan.hang("queue.next_due", usize::MAX, Moment::After);
    assert!(world.store.next_due().now_or_never().is_none());
    world.plan.crash_at(world.plan.points_passed() + 1);
    world.plan.heal();
    assert!(matches!(until_crash(&world.plan, world.store.next_due()).await, Outcome::Finished(Ok(Some(_)))));
}
