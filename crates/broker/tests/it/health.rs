//! Whoever starts and stops the process asks how it is, over real sockets and without credentials.

use std::time::Duration;

use broker::ServerLimits;
use contract::{PortError, Remedy};

use crate::harness::Bench;
use crate::limits::Running;

async fn ask(running: &Running, method: &str, path: &str) -> (String, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: broker.example\r\nConnection: close\r\n\r\n");
    let answer = running.exchange(&request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[..12].to_owned(), body.to_owned())
}

fn silence() -> PortError {
    PortError::new("ask", Remedy::Retry { after: None }, "password=hunter2 refused")
}

#[tokio::test]
async fn who_is_ready_says_so_without_credentials() {
    let bench = Bench::new();
    let running = Running::start(bench.service(), ServerLimits::default()).await;
    for (path, status) in [("/health/live", "live"), ("/health/ready", "ready")] {
        let expected = ("HTTP/1.1 200".to_owned(), format!("{{\"status\":\"{status}\"}}"));
        assert_eq!(ask(&running, "GET", path).await, expected);
        assert_eq!(ask(&running, "HEAD", path).await, ("HTTP/1.1 200".to_owned(), String::new()));
        let (refused, body) = ask(&running, "POST", path).await;
        assert!(
            refused == "HTTP/1.1 405" && body.contains("\"error\":\"MethodNotAllowed\""),
            "{refused}: {body}"
        );
    }
    assert_eq!(ask(&running, "GET", "/health").await.0, "HTTP/1.1 401");
    assert_eq!(ask(&running, "GET", "/v2/catalog").await.0, "HTTP/1.1 401");
}

#[tokio::test]
async fn without_its_database_the_process_lives_and_is_not_ready() {
    let bench = Bench::new();
    let running = Running::start(bench.service(), ServerLimits::default()).await;
    bench.world.plan.fail("readiness.ready", usize::MAX, silence);
    let (head, body) = ask(&running, "GET", "/health/ready").await;
    assert_eq!(head, "HTTP/1.1 503");
    assert!(body.contains("not ready") && !body.contains("hunter2"), "{body}");
    assert_eq!(ask(&running, "GET", "/health/live").await.0, "HTTP/1.1 200");

    bench.world.plan.mend("readiness.ready");
    assert_eq!(ask(&running, "GET", "/health/ready").await.0, "HTTP/1.1 503", "asked a moment ago");
    bench.world.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&running, "GET", "/health/ready").await.0, "HTTP/1.1 200");
}
