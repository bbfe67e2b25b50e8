//! A load generator: one or some connections that are kept open, one request after the other on each, to this machine only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::clock::Stopwatch;
use crate::stats::{Sorted, float};

/// No connection sends more, however quick the answers are.
const MOST_REQUESTS: usize = 200_000;

/// Longer than any answer may take.
const ANSWER_BOUND: Duration = Duration::from_secs(20);

/// What a load has shown.
pub(crate) struct Outcome {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) latencies: Sorted,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Clients {
    /// One that never sleeps: what is measured is how soon the broker answers, not how soon the other side of the connection
    /// is woken up, which on a virtual machine takes longer than most answers.
    Awake,
    /// So many, each of which sleeps until its answer wakes it up.
    Sleeping(usize),
}

impl Clients {
    pub(crate) fn connections(self) -> usize {
        match self {
            Self::Awake => 1,
            Self::Sleeping(connections) => connections,
        }
    }
}

/// Asks for `paths` in turn, for as long as `time`. Every answer must be a 200.
pub(crate) async fn run(
    address: SocketAddr,
    paths: &Arc<[String]>,
    clients: Clients,
    time: Duration,
) -> anyhow::Result<Outcome> {
    ensure!(address.ip().is_loopback(), "load is for this machine only");
    match clients {
        Clients::Sleeping(connections) => ask_over(address, paths, connections, time).await,
        Clients::Awake => {
            let paths = Arc::clone(paths);
            tokio::task::spawn_blocking(move || awake(ask_over(address, &paths, 1, time))).await?
        }
    }
}

/// Runs a future on this thread without ever letting the thread sleep.
fn awake<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // A runtime with something to do looks whether anything has come instead of waiting for it.
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        future.await
    })
}

async fn ask_over(
    address: SocketAddr,
    paths: &Arc<[String]>,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let mut senders = Vec::new();
    for _ in 0..connections {
        senders.push(connect(address).await?);
    }
    let watch = Stopwatch::start();
    let mut running = JoinSet::new();
    for (first, sender) in senders.into_iter().enumerate() {
        running.spawn(ask(sender, Arc::clone(paths), first, connections, time));
    }
    let mut latencies = Vec::new();
    while let Some(asked) = running.join_next().await {
        latencies.extend(asked??);
    }
    let requests = latencies.len();
    let per_second = float(requests) / watch.elapsed().as_secs_f64();
    Ok(Outcome { requests, per_second, latencies: Sorted::new(latencies) })
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Empty<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Ends when the sender is dropped; errors reach the sender.
    tokio::spawn(connection);
    Ok(sender)
}

async fn ask(
    mut sender: SendRequest<Empty<Bytes>>,
    paths: Arc<[String]>,
    first: usize,
    stride: usize,
    time: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let authorization = format!("Basic {}", STANDARD.encode("sandbox:sandbox"));
    let mut latencies = Vec::new();
    let began = Stopwatch::start();
    while began.elapsed() < time && latencies.len() < MOST_REQUESTS {
        let path = &paths[(first + latencies.len() * stride) % paths.len()];
        let request = Request::get(path)
            .header("host", "localhost")
            .header("authorization", &authorization)
            .header("x-broker-api-version", "2.17")
            .body(Empty::new())?;
        let watch = Stopwatch::start();
        let answer = tokio::time::timeout(ANSWER_BOUND, exchange(&mut sender, request)).await;
        answer.context("no answer")??;
        latencies.push(watch.elapsed());
    }
    Ok(latencies)
}

async fn exchange(
    sender: &mut SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
) -> anyhow::Result<()> {
    sender.ready().await?;
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    ensure!(head.status == StatusCode::OK, "{}: {}", head.status, String::from_utf8_lossy(&body));
    Ok(())
}
