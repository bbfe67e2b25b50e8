//! The authority asks for the answers to challenges, over real sockets and without credentials.

use contract::testing::sample;
use contract::{
    AuthorizationRecord, Clock, HttpAnswer, IssuanceId, IssuanceRecord, IssuanceStore, PortError, ProofState,
    Remedy, durable_label,
};

use crate::harness::Bench;
use crate::limits::Running;

const ORGANIZATION: &str = "f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0";

/// A broker that waits for the proof of one name.
async fn waiting() -> (Bench, Running) {
    let bench = Bench::new();
    let mut request = sample::certificate_request(&sample::names(&["www.example.gov"]));
    request.tenant = ORGANIZATION.into();
    let id = IssuanceId::new("s-1");
    let open = AuthorizationRecord {
        http: Some(HttpAnswer { token: "a-Token_1".into(), answer: "a-Token_1.thumbprint".into() }),
        ..AuthorizationRecord::new(
            sample::name("www.example.gov"),
            "https://ca.example/authz/1",
            ProofState::Open,
        )
    };
    let opened = IssuanceRecord::opened(id, request, "https://ca.example/dir", bench.world.clock.now());
    let record = IssuanceRecord { authorizations: vec![open], ..opened };
    bench.world.store.insert(&record).await.unwrap();
    let running = Running::start(bench.service(), broker::ServerLimits::default()).await;
    (bench, running)
}

async fn ask(running: &Running, method: &str, path: &str) -> String {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: broker.example\r\nConnection: close\r\n\r\n");
    running.exchange(&request).await
}

fn label() -> String {
    durable_label(ORGANIZATION, &sample::name("www.example.gov"))
}

#[tokio::test]
async fn an_open_challenge_is_answered_at_its_label_and_its_name() {
    let (_bench, running) = waiting().await;
    for (place, echoed) in [
        (label(), label()),
        ("www.example.gov".into(), "www.example.gov".into()),
        ("WWW.Example.GOV:80".into(), "www.example.gov".into()),
    ] {
        let answer = ask(&running, "GET", &format!("/.well-known/acme-challenge/{place}/a-Token_1")).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(body, "a-Token_1.thumbprint");
        for header in [
            "content-type: application/octet-stream".to_owned(),
            "cache-control: no-store".to_owned(),
            format!("x-acme-responder: {echoed}"),
        ] {
            assert!(head.lines().any(|line| line == header), "{header} is not in:\n{head}");
        }
    }
}

#[tokio::test]
async fn head_tells_the_same_without_the_body() {
    let (_bench, running) = waiting().await;
    let path = format!("/.well-known/acme-challenge/{}/a-Token_1", label());
    let (get, head) = (ask(&running, "GET", &path).await, ask(&running, "HEAD", &path).await);
    let undated = |answer: &str| {
        let head = answer.split_once("\r\n\r\n").unwrap().0;
        head.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(undated(&head), undated(&get));
    assert!(head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn everything_else_is_not_found() {
    let (_bench, running) = waiting().await;
    let foreign = durable_label("another organization", &sample::name("www.example.gov"));
    let long = "x".repeat(300);
    for path in [
        "a-Token_1".to_owned(),
        "/a-Token_1".into(),
        format!("{}/", label()),
        format!("{}/another", label()),
        format!("{}/a-Token_1/more", label()),
        format!("{}/a-Token_1%20", label()),
        format!("{foreign}/a-Token_1"),
        "docs.example.gov/a-Token_1".into(),
        format!("{}/{long}", label()),
        format!("{long}/a-Token_1"),
        "..%2f..%2fetc/passwd".into(),
    ] {
        let answer = ask(&running, "GET", &format!("/.well-known/acme-challenge/{path}")).await;
        assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("thumbprint"), "{path}: {answer}");
        assert!(answer.contains("cache-control: no-store"), "{answer}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let path = format!("/.well-known/acme-challenge/{}/a-Token_1", label());
        let answer = ask(&running, method, &path).await;
        assert!(answer.starts_with("HTTP/1.1 404") && !answer.contains("thumbprint"), "{method}: {answer}");
    }
}

#[tokio::test]
async fn what_is_proven_is_not_answered_any_more() {
    let (bench, running) = waiting().await;
    let mut record = bench.world.store.load(&IssuanceId::new("s-1")).await.unwrap().unwrap();
    record.authorizations[0].state = ProofState::Proven;
    assert!(bench.world.store.save(&record).await.unwrap());
    let answer = ask(&running, "GET", &format!("/.well-known/acme-challenge/{}/a-Token_1", label())).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn a_database_that_is_away_is_not_taken_for_an_answer() {
    let (bench, running) = waiting().await;
    let away = || {
        PortError::new("look up the answer", Remedy::Retry { after: None }, "no connection to secret-host")
    };
    bench.world.plan.fail("answers.answer", 1, away);
    let path = format!("/.well-known/acme-challenge/{}/a-Token_1", label());
    let answer = ask(&running, "GET", &path).await;
    assert!(answer.starts_with("HTTP/1.1 503") && !answer.contains("secret-host"), "{answer}");
    assert!(ask(&running, "GET", &path).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_database_that_does_not_answer_at_all_costs_a_bounded_time() {
    let bench = Bench::new();
    let service = bench.service_with_answers(std::sync::Arc::new(Silent));
    let running = Running::start(service, broker::ServerLimits::default()).await;
    let answer = ask(&running, "GET", &format!("/.well-known/acme-challenge/{}/a-Token_1", label())).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

/// A database that takes a question and says nothing.
struct Silent;

#[async_trait::async_trait]
impl contract::ChallengeAnswers for Silent {
    async fn answer(&self, _: &str, _: &str) -> contract::PortResult<Option<String>> {
        std::future::pending().await
    }
}
