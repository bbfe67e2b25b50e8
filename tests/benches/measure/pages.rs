//! A thousand open pages: what they cost, and whether the platform notices.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use broker::{Pages, PublicUrl};
use bytes::Bytes;
use contract::{InstanceId, InstanceStore};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use store::Store;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::clock::pause;
use crate::databases::Database;
use crate::house::House;
use crate::http::{INSTANCES, broker_with_instances, polls};
use crate::load::{self, Clients, Outcome};
use crate::report::{Aim, Report, say};
use crate::stats::{float, millis};
use crate::{seed, stats};

/// How many connections the platform uses meanwhile: one after another, as it polls, and more than there are processors, which
/// shows how much of the machine the pages take.
const CONNECTIONS: [usize; 2] = [1, 8];
const TIME: Duration = Duration::from_secs(5);
/// For how long the pages are open before anything is measured: they are told how often to ask.
const SETTLE: Duration = Duration::from_secs(30);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|_| {}).await?;
    let database = Database::postgres().await?;
    let broker = broker_with_instances(&house, &database).await?;
    let store = database.open(&house.settings()?).await?;
    let without = loads(&broker).await?;
    let (held, before) = (broker.resident()?, broker.processor_time()?);
    let asked = Arc::new(AtomicUsize::new(0));
    let open = open(&broker, &store, &asked).await?;
    say(&format!("  {INSTANCES} pages are open"));
    pause(SETTLE).await;
    let (questions, busy) = (asked.load(Ordering::Relaxed), broker.processor_time()?.saturating_sub(before));
    let with = loads(&broker).await?;
    report.aim(format!("{INSTANCES} open pages: memory"), broker.resident()? - held, "MiB", Aim::Below(50.0));
    report.note("questions of pages", float(questions) / SETTLE.as_secs_f64(), "1/s");
    report.note("broker's CPU a question", stats::micros(busy) / float(questions.max(1)), "µs");
    for (what, outcomes) in [("without pages", without), ("with pages", with)] {
        for (connections, outcome) in CONNECTIONS.iter().zip(outcomes) {
            let what = format!("last_operation, {connections} at once, {what}");
            report.note(format!("{what}: p50"), millis(outcome.latencies.median()), "ms");
            report.note(format!("{what}: p99"), millis(outcome.latencies.percentile(99)), "ms");
            report.note(what, outcome.per_second, "1/s");
        }
    }
    drop(open);
    broker.stop().await
}

async fn loads(broker: &Broker) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for connections in CONNECTIONS {
        outcomes.push(load::run(broker.address, &polls(), Clients::Sleeping(connections), TIME).await?);
    }
    Ok(outcomes)
}

/// Opens a page for each instance, which asks as its script does until this is dropped.
async fn open(
    broker: &Broker,
    store: &Store,
    asked: &Arc<AtomicUsize>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let origin = format!("http://{}", broker.address);
    let pages = Pages::new(Arc::new(store.clone()), Arc::new(store.clone()), PublicUrl::new(origin.clone()));
    let mut open = JoinSet::new();
    for number in 0..INSTANCES {
        let id = InstanceId::new(seed::id(number));
        let instance = InstanceStore::find(store, &id).await?.context("no such instance")?;
        let link = pages.link(&instance).await?;
        let path = link.strip_prefix(&origin).context("a link to elsewhere")?.to_owned();
        let page = Page { address: broker.address, id, asked: Arc::clone(asked) };
        open.spawn(page.stay_open(path, number));
    }
    Ok(open)
}

struct Page {
    address: SocketAddr,
    id: InstanceId,
    asked: Arc<AtomicUsize>,
}

impl Page {
    async fn stay_open(self, link: String, number: usize) -> anyhow::Result<()> {
        // People do not open a thousand pages in the same moment.
        pause(Duration::from_millis(u64::try_from(number * 5)?)).await;
        let opened = self.get(&link, &[]).await?;
        let cookie = header(opened.headers(), "set-cookie").split(';').next().unwrap_or_default().to_owned();
        ensure!(opened.status() == StatusCode::SEE_OTHER, "{opened:?}");
        let mut tag = String::new();
        loop {
            let path = format!("/instances/{}/part", self.id);
            let answer = self.get(&path, &[("cookie", &cookie), ("if-none-match", &tag)]).await?;
            ensure!([200, 304].contains(&answer.status().as_u16()), "{answer:?}");
            self.asked.fetch_add(1, Ordering::Relaxed);
            header(answer.headers(), "etag").clone_into(&mut tag);
            let again: u64 = header(answer.headers(), "x-again").parse()?;
            pause(Duration::from_millis(again * (800 + u64::try_from(number % 400)?))).await;
        }
    }

    /// One request on a connection of its own, which the broker closes.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Response<Bytes>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::get(path).header("host", self.address.to_string());
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let (head, body) = sender.send_request(request.body(Empty::<Bytes>::new())?).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Response::from_parts(head, body))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
