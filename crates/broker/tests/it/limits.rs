//! The server's own promises, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use broker::{Listening, ServerLimits, Service, serve};
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
        let listening = Listening { address, limits, tls: None };
        let server = tokio::spawn(async move { serve(service, listening, stopped).await.unwrap() });
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

/// R1, R18: what the head decides is answered at once, however much is to come, and whoever still sends reads the answer.
#[tokio::test]
async fn r1_r18_nobody_waits_for_a_body_that_decides_nothing() {
    let server = start(ServerLimits::default()).await;
    let host = "Host: b\r\n";
    let password = "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";
    let put = format!("PUT {}?accepts_incomplete=true", path());
    let plan = format!("service_id={}&plan_id={}", broker::SERVICE_ID, broker::PLAN_ID);
    for (start, headers, status) in [
        (put.as_str(), host.to_owned(), 401),
        (&put, format!("{host}{password}"), 412),
        ("PUT /v2/nope", HEAD.to_owned(), 404),
        ("POST /v2/catalog", HEAD.to_owned(), 405),
        ("PUT /v2/service_instances/a%2Fb", HEAD.to_owned(), 400),
        (&put, format!("{HEAD}Content-Type: text/plain\r\n"), 400),
        ("PUT /v2/service_instances/a/service_bindings/b", HEAD.to_owned(), 400),
        (&format!("DELETE {}?accepts_incomplete=true&{plan}", path()), HEAD.to_owned(), 410),
        ("GET /v2/catalog", HEAD.to_owned(), 200),
        ("GET /health/live", host.to_owned(), 200),
        ("POST /health/live", host.to_owned(), 405),
        ("GET /.well-known/acme-challenge/a.gov/x", host.to_owned(), 404),
    ] {
        let head = format!("{start} HTTP/1.1\r\n{headers}");
        let large = "x".repeat(200_000);
        for request in [
            format!("{head}Content-Length: 200000\r\n\r\n{large}"),
            format!("{head}Transfer-Encoding: chunked\r\n\r\n30d40\r\n{large}\r\n0\r\n\r\n"),
            format!("{head}Content-Length: 100\r\n\r\nx"),
            format!("{head}Content-Length: 100\r\nExpect: 100-continue\r\n\r\n"),
        ] {
            let answer = server.exchange(&request).await;
            let start: String = request.chars().take(300).collect();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{start}: {answer}");
            assert!(answer.to_lowercase().contains("connection: close\r\n"), "{start}: {answer}");
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{start}: {answer}");
        }
    }
}

/// A body that is there and that nobody needs costs nobody the connection.
#[tokio::test]
async fn a_small_body_that_nobody_needs_leaves_the_connection_open() {
    let server = start(ServerLimits::default()).await;
    let deletion = format!("DELETE /v2/nothing HTTP/1.1\r\n{HEAD}Content-Length: 2\r\n\r\n{{}}");
    let last = format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n");
    let answers = server.exchange(&format!("{deletion}{deletion}{last}")).await;
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 2, "{answers}");
    assert!(answers.contains("HTTP/1.1 200"), "{answers}");
}

/// R17: a length that is too large is enough to know.
#[tokio::test]
async fn r17_a_length_over_the_limit_is_refused_before_anything_is_sent() {
    let server = start(ServerLimits::default()).await;
    let put = format!("PUT {}?accepts_incomplete=true HTTP/1.1\r\n{HEAD}", path());
    for more in ["", "Expect: 100-continue\r\n"] {
        let answer = server.exchange(&format!("{put}{more}Content-Length: 200000\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"description\""), "{answer}");
    }
}

/// Who has sent half of a request when the server stops, and nothing more, is told so before the server ends.
#[tokio::test]
async fn half_a_request_is_answered_when_the_server_stops() {
    let server = start(ServerLimits { drain: Duration::from_secs(2), ..ServerLimits::default() }).await;
    let mut half = TcpStream::connect(server.address).await.unwrap();
    let put = format!("PUT {}?accepts_incomplete=true HTTP/1.1\r\n", path());
    half.write_all(format!("{put}{HEAD}Content-Length: 100\r\n\r\n{{").as_bytes()).await.unwrap();
    // Whoever is answered now shows that the half has been taken.
    server.exchange(&format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n")).await;
    server.stop.send(true).unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("being stopped"), "{answer}");
    server.server.await.unwrap();
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
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"description\""), "{answer}");
}

/// Who trickles is let go as well: what counts is when the head is whole.
#[tokio::test]
async fn a_client_that_sends_its_head_byte_by_byte_is_let_go() {
    let limits = ServerLimits { head_time: Duration::from_millis(200), ..ServerLimits::default() };
    let server = start(limits).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let mut interval = tokio::time::interval(Duration::from_millis(20));
    let trickle = async {
        loop {
            interval.tick().await;
            if writing.write_all(b"x").await.is_err() {
                break;
            }
        }
    };
    let mut answer = Vec::new();
    let ended = async { reading.read_to_end(&mut answer).await };
    let bound = tokio::time::timeout(Duration::from_secs(30), async {
        tokio::select! {
            () = trickle => {}
            _ = ended => {}
        }
    });
    assert!(bound.await.is_ok(), "it is still being listened to");
}

/// What hyper refuses by itself has a body too.
#[tokio::test]
async fn what_is_no_http_is_refused_with_a_sentence() {
    let server = start(ServerLimits::default()).await;
    let many = "x-y: z\r\n".repeat(200);
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        // Who begins with HTTP/2 without having asked.
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0".to_owned(), "400"),
        (format!("GET /v2/cat alog HTTP/1.1\r\n{HEAD}\r\n"), "400"),
        (format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}bad name: x\r\n\r\n"), "400"),
        (format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}Content-Length: x\r\n\r\n"), "400"),
        (format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}{many}\r\n"), "431"),
        // hyper reads up to 64 KiB more before it looks at the limit: these are too large however they arrive.
        (format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}x: {}\r\n\r\n", "y".repeat(200_000)), "431"),
        (format!("GET /{} HTTP/1.1\r\n{HEAD}\r\n", "y".repeat(200_000)), "431"),
    ] {
        let answer = server.exchange(&request).await;
        let start: String = request.chars().take(60).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{start}: {answer}");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        assert!(body["description"].is_string(), "{start}: {answer}");
    }
}

/// A target that is a host and a port is for proxies. Whoever mistakes the broker for one is told so, like everybody.
#[tokio::test]
async fn targets_without_a_path_are_answered() {
    let server = start(ServerLimits::default()).await;
    for method in ["GET", "PUT", "CONNECT"] {
        let request = format!("{method} example.gov:443 HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n");
        let answer = server.exchange(&request).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{method}: {answer}");
        assert!(answer.contains("\"description\":"), "{method}: {answer}");
    }
}

/// Requests that are sent without waiting are answered one by one, in their order.
#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = start(ServerLimits::default()).await;
    let one = |number: usize, last: bool| {
        let close = if last { "Connection: close\r\n" } else { "" };
        format!("GET /v2/nothing HTTP/1.1\r\n{HEAD}X-Broker-API-Request-Identity: r-{number}\r\n{close}\r\n")
    };
    let all: String = (0..50).map(|number| one(number, number == 49)).collect();
    let answers = server.exchange(&all).await;
    let found: Vec<&str> =
        answers.lines().filter_map(|line| line.strip_prefix("x-broker-api-request-identity: ")).collect();
    assert_eq!(found, (0..50).map(|number| format!("r-{number}")).collect::<Vec<_>>());
}

/// More clients than there is room for wait for their turn; when those before them are let go, they are answered.
#[tokio::test]
async fn who_comes_when_there_is_no_room_waits_and_is_answered() {
    let limits =
        ServerLimits { connections: 4, head_time: Duration::from_millis(300), ..ServerLimits::default() };
    let server = start(limits).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let answer =
        server.exchange(&format!("GET /v2/catalog HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// R17: pieces that are no pieces, and sizes that nobody has.
#[tokio::test]
async fn chunks_that_are_none_are_refused() {
    let server = start(ServerLimits::default()).await;
    for body in ["zz\r\n{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n{}", "2\r\n{}{}\r\n0\r\n\r\n", "-1\r\n\r\n"]
    {
        let put = "PUT /v2/service_instances/x?accepts_incomplete=true HTTP/1.1\r\n";
        let answer = server.exchange(&format!("{put}{HEAD}Transfer-Encoding: chunked\r\n\r\n{body}")).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"description\""), "{body}: {answer}");
    }
}

/// R118: wrong passwords are told to slow down; the right one is let in at once all the same, from the same place and under
/// the same name.
#[tokio::test]
async fn r118_wrong_passwords_are_limited_and_the_right_one_never() {
    let server = start(ServerLimits::default()).await;
    let get = |authorization: &str| {
        format!(
            "GET /v2/catalog HTTP/1.1\r\nAuthorization: {authorization}\r\nX-Broker-API-Version: 2.15\r\nHost: b\r\n\
             X-Broker-API-Request-Identity: r-77\r\nConnection: close\r\n\r\n"
        )
    };
    let wrong = get("Basic dXNlcjp3cm9uZw==");
    let mut statuses = Vec::new();
    for _ in 0..120 {
        statuses.push(server.exchange(&wrong).await);
    }
    assert!(statuses[0].starts_with("HTTP/1.1 401"), "{}", statuses[0]);
    let limited = &statuses[119];
    assert!(limited.starts_with("HTTP/1.1 429") && limited.contains("retry-after: 1"), "{limited}");
    assert!(limited.contains("\"description\"") && limited.contains("r-77"), "{limited}");
    let right = server.exchange(&get("Basic dXNlcjpzZWNyZXQ=")).await;
    assert!(right.starts_with("HTTP/1.1 200"), "{right}");
    let nobody = server.exchange("GET /v2/catalog HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n").await;
    assert!(nobody.starts_with("HTTP/1.1 401"), "{nobody}");
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
