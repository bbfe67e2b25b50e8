//! Faults on demand, in process and over HTTP.

use std::time::Duration;

use sandbox::aws::{Fault, FaultKind, FaultMoment};

use super::fixture::{Cloud, config};

const BOUND: Duration = Duration::from_secs(20);

fn fault(op: &str, when: FaultMoment, kind: FaultKind) -> Fault {
    Fault { op: op.to_owned(), nth: 1, when, kind }
}

#[tokio::test]
async fn a_throttled_call_has_no_effect_and_the_next_one_has() {
    let cloud = Cloud::start().await.unwrap();
    cloud.aws.faults().add(fault("CreateDistribution", FaultMoment::Before, FaultKind::Throttle));
    let throttled = cloud.create(&config("r")).await.unwrap();
    assert_eq!((throttled.refusal(), throttled.text("Message")), ((400, "Throttling"), "Rate exceeded"));
    assert!(cloud.aws.state().distributions.is_empty());
    assert_eq!(cloud.create(&config("r")).await.unwrap().status, 201);
    let errors: Vec<_> = cloud.aws.journal().into_iter().map(|entry| entry.error).collect();
    assert_eq!(errors, [Some("Throttling".to_owned()), None]);
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let cloud = Cloud::start().await.unwrap();
    cloud.aws.faults().add(fault("Create*", FaultMoment::After, FaultKind::Reset));
    assert!(cloud.create(&config("r")).await.is_err());
    assert_eq!(cloud.aws.state().distributions.len(), 1);
    assert_eq!(cloud.create(&config("r")).await.unwrap().refusal(), (409, "DistributionAlreadyExists"));
    let entry = cloud.aws.journal().remove(0);
    assert_eq!((entry.status, entry.fault.as_deref()), (201, Some("after reset")));
}

#[tokio::test]
async fn a_reset_before_the_effect_leaves_nothing() {
    let cloud = Cloud::start().await.unwrap();
    cloud.aws.faults().add(fault("PutObject", FaultMoment::Before, FaultKind::Reset));
    assert!(cloud.s3("PUT", "/bucket/key", "v").await.is_err());
    assert!(cloud.aws.state().buckets.first().unwrap().keys.is_empty());
}

#[tokio::test]
async fn an_unavailable_service_may_have_done_it() {
    let cloud = Cloud::start().await.unwrap();
    cloud.aws.faults().add(fault("PutObject", FaultMoment::After, FaultKind::Unavailable));
    let answer = cloud.s3("PUT", "/bucket/key", "v").await.unwrap();
    assert_eq!(answer.refusal(), (503, "ServiceUnavailable"));
    assert_eq!(cloud.s3("GET", "/bucket/key", "").await.unwrap().body, "v");
}

#[tokio::test]
async fn a_held_answer_comes_when_it_is_released() {
    let cloud = Cloud::start().await.unwrap();
    let plan = r#"{"op":"CreateDistribution","nth":1,"when":"after","kind":"hold"}"#;
    let planned = cloud.ask("", "POST", "/_sandbox/faults", &[], plan.to_owned()).await.unwrap();
    assert_eq!(planned.status, 204);
    let wanted = config("r");
    let release = async {
        let held = cloud.ask("", "GET", "/_sandbox/held", &[], String::new()).await?;
        let made = cloud.aws.state().distributions.len();
        cloud.ask("", "POST", "/_sandbox/release", &[], String::new()).await?;
        anyhow::Ok((held.body, made))
    };
    let both = async { tokio::join!(cloud.create(&wanted), release) };
    let (created, released) = tokio::time::timeout(BOUND, both).await.unwrap();
    assert_eq!(created.unwrap().status, 201);
    let (held, made) = released.unwrap();
    assert_eq!(held, r#"{"held":[{"op":"CreateDistribution","when":"after"}]}"#);
    assert_eq!(made, 1, "it had taken effect while it was held");
}

#[tokio::test]
async fn a_client_that_dies_while_held_before_the_effect_leaves_nothing() {
    let cloud = Cloud::start().await.unwrap();
    cloud.aws.faults().add(fault("CreateDistribution", FaultMoment::Before, FaultKind::Hold));
    let wanted = config("r");
    let held = async {
        tokio::select! {
            answer = cloud.create(&wanted) => Err(answer),
            held = cloud.aws.faults().reached() => Ok(held),
        }
    };
    assert_eq!(tokio::time::timeout(BOUND, held).await.unwrap().unwrap().len(), 1);
    // The client is gone; the cloud notices, and nothing is left to release.
    let gone = async {
        while !cloud.aws.faults().held().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, gone).await.unwrap();
    cloud.aws.faults().release();
    assert!(cloud.aws.state().distributions.is_empty());
}

#[tokio::test]
async fn waiting_for_a_hold_has_an_end() {
    let cloud = Cloud::start().await.unwrap();
    let answer = cloud.ask("", "GET", "/_sandbox/held?timeout_ms=1", &[], String::new()).await.unwrap();
    assert_eq!(answer.body, r#"{"held":[]}"#);
    let wrong = cloud.ask("", "POST", "/_sandbox/faults", &[], r#"{"op":"x"}"#.to_owned()).await.unwrap();
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn an_outage_lasts_until_it_is_healed() {
    let cloud = Cloud::start().await.unwrap();
    let admin = |path: &'static str, body: &'static str| {
        let cloud = &cloud;
        async move { cloud.ask("", "POST", &format!("/_sandbox/{path}"), &[], body.to_owned()).await }
    };
    for (kind, refusal) in [
        ("access_denied", (403, "AccessDenied")),
        ("expired_token", (403, "ExpiredToken")),
        ("internal", (500, "InternalError")),
        ("conflict", (412, "PreconditionFailed")),
    ] {
        let outage = format!(r#"{{"op":"*Distribution*","kind":"{kind}"}}"#);
        assert_eq!(cloud.ask("", "POST", "/_sandbox/outage", &[], outage).await.unwrap().status, 204);
        for _ in 0..2 {
            assert_eq!(cloud.create(&config("r")).await.unwrap().refusal(), refusal);
        }
        assert_eq!(admin("heal", "").await.unwrap().status, 204);
    }
    assert_eq!(cloud.create(&config("r")).await.unwrap().status, 201);
    assert_eq!(admin("outage", r#"{"op":"*"}"#).await.unwrap().status, 400);
}

#[tokio::test]
async fn delays_and_quotas_change_while_the_cloud_runs() {
    let cloud = Cloud::start().await.unwrap();
    let adjust = |body: &'static str| cloud.ask("", "POST", "/_sandbox/settings", &[], body.to_owned());
    assert_eq!(adjust(r#"{"distribution_quota":1,"deploy_ms":0}"#).await.unwrap().status, 204);
    let first = cloud.create(&config("r-1")).await.unwrap();
    assert_eq!((first.status.as_u16(), first.text("Status")), (201, "Deployed"));
    assert_eq!(cloud.create(&config("r-2")).await.unwrap().refusal(), (400, "TooManyDistributions"));
    assert_eq!(adjust(r#"{"distribution_quota":2}"#).await.unwrap().status, 204);
    assert_eq!(cloud.create(&config("r-2")).await.unwrap().text("Status"), "Deployed");
    assert_eq!(adjust(r#"{"colour":1}"#).await.unwrap().status, 400);
    let references: Vec<_> = cloud.aws.journal().into_iter().map(|entry| entry.reference).collect();
    assert_eq!(references, ["r-1", "r-2", "r-2"]);
}
