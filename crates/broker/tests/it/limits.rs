//! The server's own promises, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use broker::{ServerLimits, Service, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::{Bench, path, provision_body};

const HEAD: &str = "Authorization: Basic dXNlcjpzZWNyZXQ=\r\nX-Broker-API-Version: 2.15\r\nHost: b\r\n";

pub(crate) struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

async fn start(limits: ServerLimits) -> Running {
    Running::start(Bench::new().service(), limits).await
}

impl Running {
    /// Serves on a free port.
    pub(crate) async fn start(service: Service, limits: ServerLimits) -> Self {
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(async move { serve(service, address, limits, stopped).await.unwrap() });
        while TcpStream::connect(address).await.is_err() {
            assert!(!server.is_finished(), "the server did not start");
            tokio::task::yield_now().await;
        }
        Self { address, stop, server }
    }

    /// Sends bytes and reads until the other side closes.
    pub(crate) async fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A refused body may end in a reset after the answer has been read.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }
}

#[tokio::test]
async fn the_catalog_is_served() {
    let server = start(ServerLimits::default()).await;
    let answer =
        server.exchange(&format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"cdn-route\""), "{answer}");
}

#[tokio::test]
async fn r17_a_body_over_the_limit_is_a_413_with_and_without_a_length() {
    let server = start(ServerLimits { body: 1000, ..ServerLimits::default() }).await;
    let put = "PUT /v2/service_instances/x?accepts_incomplete=true HTTP/1.1\r\n";
    let body = "x".repeat(2000);
    let whole = format!("{put}{HEAD}Connection: close\r\nContent-Length: 2000\r\n\r\n{body}");
    let chunked = format!(
        "{put}{HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{body}\r\n0\r\n\r\n"
    );
    for request in [whole, chunked] {
        let answer = server.exchange(&request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("\"description\""), "{answer}");
    }
}

#[tokio::test]
async fn r13_r113_r114_any_method_and_path_gets_a_json_answer_with_the_request_identity() {
    let server = start(ServerLimits::default()).await;
    for (method, path, status) in [
        ("POST", "/v2/catalog", "405"),
        ("OPTIONS", "/v2/catalog", "405"),
        ("TRACE", "/v2/service_instances/x", "405"),
        ("BREW", "/v2/service_instances/x", "405"),
        ("GET", "/nothing/here", "404"),
        ("GET", "/v2/service_instances/%zz", "400"),
    ] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{HEAD}X-Broker-API-Request-Identity: r-77\r\nConnection: close\r\n\r\n"
        );
        let answer = server.exchange(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {path}: {answer}");
        assert!(answer.contains("r-77") && answer.contains("\"description\""), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_or_body_is_let_go() {
    let short = Duration::from_millis(100);
    let server =
        start(ServerLimits { head_time: short, request_time: short, ..ServerLimits::default() }).await;
    server.exchange("GET /v2/catalog HTTP/1.1\r\nHost").await;
    let put = "PUT /v2/service_instances/x HTTP/1.1\r\n";
    let answer =
        server.exchange(&format!("{put}{HEAD}Connection: close\r\nContent-Length: 10\r\n\r\n{{")).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

/// R5: a store that takes every question and answers none costs a bounded time, whatever is asked.
#[tokio::test]
async fn r5_a_store_that_never_answers_is_a_503() {
    let bench = Bench::new();
    bench.world.plan.crash_at(bench.world.plan.points_passed() + 1);
    let limits = ServerLimits { request_time: Duration::from_millis(100), ..ServerLimits::default() };
    let server = Running::start(bench.service(), limits).await;
    let body = provision_body(&serde_json::json!({"domain": "a.gov"})).to_string();
    let (path, plan) = (path(), format!("&service_id={}&plan_id={}", broker::SERVICE_ID, broker::PLAN_ID));
    for (method, path) in [
        ("PUT", format!("{path}?accepts_incomplete=true")),
        ("PATCH", format!("{path}?accepts_incomplete=true")),
        ("DELETE", format!("{path}?accepts_incomplete=true{plan}")),
        ("GET", path.clone()),
        ("GET", format!("{path}/last_operation")),
    ] {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\n{HEAD}Connection: close\r\nContent-Length: {length}");
        let answer = server.exchange(&format!("{head}\r\n\r\n{body}")).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("\"description\""),
            "{method}: {answer}"
        );
    }
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_the_server() {
    let server = start(ServerLimits::default()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}\r\n").as_bytes()).await.unwrap();
    let mut first = [0_u8; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    server.stop.send(true).unwrap();
    server.server.await.unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}
