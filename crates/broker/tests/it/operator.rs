//! What the operator's commands do, and what they refuse.

use std::time::Duration;

use broker::{Asked, Forgotten, Reconciler};
use contract::{InstanceId, InstanceState, OperationKind, OperationState, PortError, Remedy};
use serde_json::json;

use crate::harness::{Bench, ID};

fn id() -> InstanceId {
    InstanceId::new(ID)
}

fn refusal(asked: &Asked) -> &str {
    match asked {
        Asked::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_done_to_what_is_not_there() {
    let bench = Bench::new();
    let operator = bench.operator();
    for asked in [
        operator.recreate(&id()).await.unwrap(),
        operator.renew(&id()).await.unwrap(),
        operator.retry(&id()).await.unwrap(),
    ] {
        assert!(refusal(&asked).starts_with("there is no service instance"), "{asked:?}");
    }
    assert!(operator.story(&id()).await.unwrap().is_none());
    assert!(operator.history(&id(), 10).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_underway_for_its_user_is_left_to_its_user() {
    let bench = Bench::new();
    bench.provision_both().await;
    let operator = bench.operator();
    let why = operator.recreate(&id()).await.unwrap();
    assert!(refusal(&why).contains("the provision of instance"), "{why:?}");
    assert!(matches!(operator.renew(&id()).await.unwrap(), Asked::Refused(_)));
    assert!(matches!(operator.retry(&id()).await.unwrap(), Asked::Underway(_)));
    assert_eq!(bench.world.store.operations().len(), 1);
}

#[tokio::test]
async fn a_failed_provision_goes_on_where_it_was_given_up() {
    let bench = Bench::new();
    bench.prove_all();
    bench.provision_both().await;
    bench.world.plan.fail("cdn.apply", 1, || PortError::new("attach", Remedy::GiveUp, "InvalidArgument"));
    assert!(!bench.work_until_the_end_or_death().await);
    let Asked::Begun(resumed) = bench.operator().retry(&id()).await.unwrap() else { panic!("not resumed") };
    assert_eq!((resumed.kind, resumed.state), (OperationKind::Provision, OperationState::Running));
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Provisioning);
    let story = bench.operator().story(&id()).await.unwrap().unwrap();
    assert_eq!(story.operations[0].step, "attach-certificate");
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Ready);
    assert!(refusal(&bench.operator().retry(&id()).await.unwrap()).contains("nothing of instance"));
}

#[tokio::test]
async fn a_failed_deletion_goes_on_and_a_failed_update_too() {
    let bench = Bench::serving().await;
    let refused = || PortError::new("change", Remedy::GiveUp, "InvalidArgument");
    bench.world.plan.fail("cdn.apply", 1, refused);
    assert_eq!(bench.update(json!({"path": "/p"})).await.status, 202);
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.shown().await["path"], "");
    assert!(matches!(bench.operator().retry(&id()).await.unwrap(), Asked::Begun(_)));
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.shown().await["path"], "/p", "it is done after all");

    bench.world.plan.fail("cdn.disable", 1, refused);
    bench.deprovision().await;
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::DeprovisionFailed);
    let why = bench.operator().recreate(&id()).await.unwrap();
    assert!(refusal(&why).contains("retry"), "{why:?}");
    assert!(matches!(bench.operator().retry(&id()).await.unwrap(), Asked::Begun(_)));
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Gone);
}

#[tokio::test]
async fn a_renewal_is_brought_forward() {
    let bench = Bench::serving().await;
    bench.chores().run_due().await.unwrap();
    let Asked::Begun(renewal) = bench.operator().renew(&id()).await.unwrap() else { panic!("not begun") };
    assert_eq!(bench.operator().renew(&id()).await.unwrap(), Asked::Underway(renewal));
    bench.live_until(async |bench| bench.renewals() == [OperationState::Succeeded]).await;
    assert_eq!(bench.world.issuer.finalized_in_all(), 2);
    bench.world.clock.advance(Duration::from_hours(1));
    bench.chores().run_due().await.unwrap();
    assert_eq!(bench.renewals().len(), 1, "the new certificate has a moment of its own");
}

#[tokio::test]
async fn the_story_of_an_instance_holds_all_that_is_known() {
    let bench = Bench::serving().await;
    let story = bench.operator().story(&id()).await.unwrap().unwrap();
    assert_eq!((story.certificates.len(), story.domains.len(), story.proofs.len()), (1, 2, 2));
    assert!(story.renewal.is_some() && story.operations.len() == 1);
    assert!(story.log.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert!(story.log.iter().any(|line| line.step == "await-deployment"));
    assert_eq!(story.outlook[0], "It has been created.");
    let told = bench.operator().history(&id(), 5).await.unwrap().unwrap();
    let done = told[0].1.iter().filter(|line| line.outcome == "done").count();
    assert_eq!((told.len(), done), (1, 8), "one line for each step");
    let page = bench.operator().list(None, 10).await.unwrap();
    assert_eq!(page.iter().map(|instance| instance.id.as_str()).collect::<Vec<_>>(), [ID]);
}

#[tokio::test]
async fn an_update_that_does_not_get_on_is_ended_and_goes_on_when_it_is_made_again() {
    let bench = Bench::serving().await;
    let before = bench.shown().await;
    let wanted = json!({"domain": "new.example.gov"});
    assert_eq!(bench.update(wanted.clone()).await.status, 202);
    bench.work_until(async |bench| bench.poll().await.text("description").contains("_acme-challenge")).await;
    let Asked::Begun(ended) = bench.operator().cancel(&id()).await.unwrap() else { panic!("not ended") };
    assert_eq!((ended.kind, ended.state), (OperationKind::Update, OperationState::Failed));
    let polled = bench.poll().await;
    assert_eq!(polled.text("state"), "failed");
    assert!(polled.text("description").contains("The operators have ended this update"), "{polled:?}");
    assert_eq!(polled.body["instance_usable"], true);
    assert_eq!(bench.shown().await, before);
    assert_eq!(bench.world.cdn.alive()[0].names.len(), 2, "what was served is served");
    assert!(
        matches!(bench.operator().cancel(&id()).await.unwrap(), Asked::Refused(_)),
        "nothing runs any more"
    );

    bench.world.issuer.prove(&contract::DomainName::parse("new.example.gov").unwrap());
    assert_eq!(bench.update(wanted).await.status, 202);
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.shown().await["domain"], "new.example.gov");
    assert_eq!(bench.world.issuer.orders_placed(), 2, "the same order was used");
}

#[tokio::test]
async fn what_the_cdn_was_told_goes_on_to_its_end() {
    let bench = Bench::serving().await;
    assert_eq!(bench.update(json!({"path": "/p"})).await.status, 202);
    bench.worker().run_due().await.unwrap();
    let why = bench.operator().cancel(&id()).await.unwrap();
    assert!(refusal(&why).contains("the CDN has been told"), "{why:?}");
    assert!(!bench.work_until_the_end_or_death().await);
    assert_eq!(bench.shown().await["path"], "/p");
}

#[tokio::test]
async fn what_is_forgotten_stays_in_the_cloud_and_is_found_there() {
    let bench = Bench::serving().await;
    let Forgotten::Done(left) = bench.operator().forget(&id()).await.unwrap() else {
        panic!("not forgotten")
    };
    let alive = bench.world.cdn.alive();
    assert_eq!(left.distribution.as_ref(), alive.first().map(|one| &one.id));
    assert_eq!(left.certificates.len(), 1);
    assert_eq!(bench.instance().await.unwrap().state, InstanceState::Gone);
    assert!(bench.world.store.domains().is_empty(), "its names are free");
    let again = bench.operator().forget(&id()).await.unwrap();
    assert!(matches!(&again, Forgotten::Refused(why) if why.contains("has been deleted")), "{again:?}");
    let history = bench.operator().history(&id(), 1).await.unwrap().unwrap();
    assert_eq!(history[0].1[0].outcome, "forgotten");

    bench.world.clock.advance(Duration::from_hours(48));
    let reconciler = Reconciler::new(bench.ports(), Duration::from_hours(24));
    let report = reconciler.certificates(&|_| {}).await.unwrap();
    let found: Vec<String> = report.entries.iter().map(|entry| entry.finding.key()).collect();
    assert_eq!(found, [format!("orphan certificate {}", left.certificates[0])]);
    assert_eq!((report.looked_at.certificates, report.looked_at.distributions), (1, 0));
}

#[tokio::test]
async fn what_is_purged_is_deleted_like_by_its_user() {
    let bench = Bench::serving().await;
    let Asked::Begun(begun) = bench.operator().purge(&id()).await.unwrap() else { panic!("not begun") };
    assert_eq!(begun.kind, OperationKind::Deprovision);
    assert!(matches!(bench.operator().purge(&id()).await.unwrap(), Asked::Underway(_)));
    bench
        .work_until(async |bench| bench.instance().await.is_some_and(|one| one.state == InstanceState::Gone))
        .await;
    assert!(bench.world.cdn.alive().is_empty());
    assert!(refusal(&bench.operator().purge(&id()).await.unwrap()).contains("has been deleted"));
}
