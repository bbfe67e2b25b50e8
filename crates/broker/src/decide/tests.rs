use std::sync::Arc;

use contract::testing::{World, sample};
use contract::{Change, Clock, InstanceId, OperationId, Reach, Reference, Track, Upstream};

use super::*;
use crate::Breakers;

fn operation(kind: OperationKind, step: Step) -> Operation {
    Operation {
        id: OperationId::new("op"),
        instance: InstanceId::new("i"),
        track: Track::User,
        kind,
        state: OperationState::Running,
        step: step.name().to_owned(),
        attempt: 0,
        next_at: Timestamp::from_secs(0),
        step_since: Timestamp::from_secs(0),
        started_at: Timestamp::from_secs(0),
        sentence: None,
        error: None,
        waits_for: None,
        request_identity: None,
        change: None,
    }
}

fn decide(operation: &Operation, now: i64, result: PortResult<Outcome>) -> Decision {
    let step = Step::of(operation).expect("a step of the plan");
    Situation { operation, step, pace: &Pace::default(), now: Timestamp::from_secs(now), chance: 0 }
        .decide(result)
}

#[test]
fn the_last_step_ends_the_operation_and_moves_the_instance() {
    let provision = operation(OperationKind::Provision, Step::WithdrawProofs);
    let decision = decide(&provision, 1, Ok(Outcome::Done));
    assert_eq!(decision.cursor.state, OperationState::Succeeded);
    assert_eq!(decision.cursor.instance_state, Some(InstanceState::Ready));
    let deprovision = operation(OperationKind::Deprovision, Step::Forget);
    let decision = decide(&deprovision, 1, Ok(Outcome::Done));
    assert_eq!(decision.cursor.instance_state, Some(InstanceState::Gone));
}

#[test]
fn a_user_who_does_not_come_is_told_so_in_the_end() {
    let op = operation(OperationKind::Provision, Step::ObtainCertificate);
    let waiting = decide(&op, 6 * 86_400, Ok(Outcome::Wait(Duration::from_secs(2))));
    assert_eq!(waiting.cursor.state, OperationState::Running);
    assert_eq!(waiting.cursor.step_since, op.step_since);
    let over = decide(&op, 6 * 86_400 + 1, Ok(Outcome::Wait(Duration::from_secs(2))));
    assert_eq!(over.cursor.state, OperationState::Failed);
    assert!(over.cursor.sentence.is_some_and(|s| s.contains("6 days")));
    assert!(over.alert.is_some());
}

#[test]
fn what_is_held_back_says_why_once_and_is_never_given_up() {
    let mut op = operation(OperationKind::Provision, Step::ObtainCertificate);
    let held = || Ok(Outcome::HeldBack(Duration::from_hours(1), "No room this week.".into()));
    let first = decide(&op, 7 * 86_400, held());
    assert_eq!(first.cursor.state, OperationState::Running);
    assert_eq!(first.cursor.next_at, Timestamp::from_secs(7 * 86_400 + 3600));
    assert_eq!(first.cursor.sentence.as_deref(), Some("No room this week."));
    assert_eq!(first.cursor.step_since, op.step_since);
    assert!(first.log.is_some());
    op.sentence = first.cursor.sentence;
    assert!(decide(&op, 7 * 86_400 + 3600, held()).log.is_none());
}

/// What the CDN has not been told is not shown, and what it has been told is.
#[test]
fn a_refused_update_is_taken_over_only_behind_the_step_that_tells_the_cdn() {
    let instance = sample::instance("i", &["www.example.gov"]);
    for needs_certificate in [false, true] {
        let change = Change { needs_certificate, ..sample::change(&instance, &["new.example.gov"]) };
        let mut update = operation(OperationKind::Update, Step::ApplySettings);
        update.change = Some(change);
        let mut told = false;
        for step in Step::plan(&update) {
            step.name().clone_into(&mut update.step);
            let refused = PortError::new("change", Remedy::GiveUp, "InvalidArgument");
            let decision = decide(&update, 1, Err(refused));
            assert_eq!(decision.cursor.state, OperationState::Failed, "{step:?}");
            assert_eq!(
                (decision.cursor.adopt, decision.cursor.instance_state),
                (told, Some(InstanceState::Ready)),
                "{step:?}"
            );
            told |= matches!(step, Step::AttachCertificate | Step::ApplySettings);
        }
    }
}

/// Silence is no refusal: what the CDN may have been told is found out, however long that takes.
#[test]
fn an_update_whose_answer_may_be_lost_is_not_given_up() {
    let instance = sample::instance("i", &["www.example.gov"]);
    let mut update = operation(OperationKind::Update, Step::ApplySettings);
    let change = sample::change(&instance, &["www.example.gov"]);
    update.change = Some(Change { needs_certificate: false, ..change });
    let silence = || PortError::new("update", Remedy::Retry { after: None }, "connection reset");
    let late = decide(&update, 1_000_000, Err(silence()));
    assert_eq!(late.cursor.state, OperationState::Running);
    assert!(late.alert.is_some(), "the operator is told");

    let elsewhere = PortError::new("update", Remedy::AwaitTenant, "CNAMEAlreadyExists");
    assert_eq!(decide(&update, 1_000_000, Err(elsewhere)).cursor.state, OperationState::Failed);
    let mut provision = operation(OperationKind::Provision, Step::AttachCertificate);
    provision.step_since = Timestamp::from_secs(0);
    assert_eq!(decide(&provision, 10_000_000, Err(silence())).cursor.state, OperationState::Failed);
}

#[test]
fn an_expired_credential_parks_the_work_and_is_said_once() {
    let mut op = operation(OperationKind::Provision, Step::CreateDistribution);
    let refused = || PortError::new("create", Remedy::AwaitOperator, "ExpiredToken");
    let first = decide(&op, 1_000_000, Err(refused()));
    assert_eq!(first.cursor.state, OperationState::Running);
    assert!(first.alert.is_some() && first.log.is_some());
    op.error = first.cursor.error;
    let second = decide(&op, 1_000_060, Err(refused()));
    assert!(second.alert.is_none() && second.log.is_none());
}

#[tokio::test]
async fn what_waits_for_the_operator_has_not_failed_however_long_it_takes() {
    let world = World::new();
    let now = world.clock.now();
    let refused = async || {
        let store = Arc::new(world.store.clone());
        let (alerts, clock) = (Arc::new(world.alerts.clone()), Arc::new(world.clock.clone()));
        let breakers = Breakers::new(store.clone(), store, alerts, clock, Duration::from_mins(1));
        let cdn = breakers.cdn(Arc::new(world.cdn.clone()));
        cdn.ensure(&Reference::new("r"), &sample::spec(&InstanceId::new("i"), None)).await.expect_err("full")
    };
    world.plan.fail("cdn.ensure", 1, || {
        PortError::new("create", Remedy::AwaitOperator, "TooManyDistributions")
            .stopping(Upstream::Cdn, Reach::SameKind)
    });
    let mut op = operation(OperationKind::Provision, Step::CreateDistribution);
    op.step_since = now - Duration::from_hours(3);
    for week in 0..2 {
        let decision = decide(&op, now.as_secs(), Err(refused().await));
        let cursor = decision.cursor;
        assert_eq!((cursor.state, cursor.attempt), (OperationState::Running, 0));
        assert_eq!(cursor.next_at, now + Duration::from_mins(1));
        assert_eq!(
            cursor.next_at.since(cursor.step_since),
            Duration::from_hours(3),
            "the deadline moves along"
        );
        assert_eq!(cursor.waits_for.as_deref(), Some("cdn/create"));
        assert!(cursor.sentence.is_some_and(|sentence| sentence.contains("waits for the operators")));
        assert!(decision.alert.is_none(), "that is the breaker's");
        assert_eq!(decision.log.is_some(), week == 0, "news is news once");
        op.waits_for = cursor.waits_for;
    }
    let after = decide(&op, now.as_secs(), Ok(Outcome::Wait(Duration::ZERO)));
    assert_eq!(after.cursor.waits_for, None);
}

#[test]
fn a_refusal_for_good_fails_at_once_and_a_passing_one_is_retried_until_the_deadline() {
    let op = operation(OperationKind::Provision, Step::CreateDistribution);
    let refused = PortError::new("create", Remedy::GiveUp, "InvalidArgument").for_tenant("Mend the origin.");
    let decision = decide(&op, 1, Err(refused));
    assert_eq!(decision.cursor.state, OperationState::Failed);
    assert_eq!(decision.cursor.sentence.as_deref(), Some("Mend the origin."));
    let throttled = || PortError::new("create", Remedy::Retry { after: None }, "Throttling");
    assert_eq!(decide(&op, 1, Err(throttled())).cursor.state, OperationState::Running);
    assert_eq!(decide(&op, 5 * 3600, Err(throttled())).cursor.state, OperationState::Failed);
}
