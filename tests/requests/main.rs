//! Requests of every kind, drawn from a seed, sent to the real program: none gets a 5xx, a hang, or an error that is not a JSON
//! object with a description. `make requests` sends ten thousand to each endpoint; `make test` some dozens. The exit code is
//! 1 when something was violated.

mod draw;
mod endpoints;
mod oddities;
mod wire;

#[expect(dead_code, reason = "the tests' harness; not all of it is needed here")]
#[path = "../tests/it/house.rs"]
mod house;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use sandbox::Client;
use tokio::task::JoinSet;

use crate::draw::{Chance, Sent};
use crate::endpoints::{ENDPOINTS, Endpoint};
use crate::house::House;
use crate::wire::{Answer, Line};

/// The seed of the ordinary run. A number like any other.
const SEED: u64 = 5;
/// For each endpoint in the ordinary run.
const COUNT: u64 = 60;

#[derive(Clone)]
struct Options {
    count: u64,
    seed: u64,
    only: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        // A filter that is meant for other tests.
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            return ExitCode::from(64);
        }
    };
    match play(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("VIOLATED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Reads `--count N`, `--seed N` and `--endpoint NAME`. Other options are the test runner's.
fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let mut options = Options { count: COUNT, seed: SEED, only: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--count" => options.count = value()?.parse().context("--count wants a number")?,
            "--seed" => options.seed = value()?.parse().context("--seed wants a number")?,
            "--endpoint" => options.only = Some(value()?),
            "--list" => return Ok(None),
            other if !other.starts_with('-') => return Ok(None),
            _ => {}
        }
    }
    Ok(Some(options))
}

async fn play(options: &Options) -> anyhow::Result<()> {
    let house = House::start().await?;
    let address = house.brokers.first().context("no broker runs")?.url();
    let address = address.trim_start_matches("http://").to_owned();
    let mut storms = JoinSet::new();
    for endpoint in ENDPOINTS.iter().filter(|one| options.only.as_deref().is_none_or(|only| only == one.name))
    {
        let (options, address) = (options.clone(), address.clone());
        storms.spawn(async move {
            storm(endpoint, &options, &address).await.map(|counts| (endpoint.name, counts))
        });
    }
    while let Some(ended) = storms.join_next().await {
        let (name, counts) = ended.context("a storm has crashed")??;
        say(&format!("{name:<26}{}", told(&counts)));
    }
    still_well(&house).await?;
    say(&format!("the seed was {}, with {} requests for each endpoint", options.seed, options.count));
    Ok(())
}

/// Sends one endpoint its requests, one after the other. Each is drawn from the seed and its own number, so that it is the same
/// in every run.
async fn storm(
    endpoint: &'static Endpoint,
    options: &Options,
    address: &str,
) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut line = Line::to(address);
    let mut counts = BTreeMap::new();
    for number in 0..options.count {
        let sent = draw::request(endpoint, &mut Chance::new(options.seed, endpoint.name, number));
        let judged = match line.exchange(&sent).await {
            Ok(answer) => judge(&sent, &answer).map(|()| answer),
            Err(error) => Err(error),
        };
        let answer = judged.with_context(|| {
            format!("{} request {number} of seed {}: {}", endpoint.name, options.seed, sent.shown())
        })?;
        *counts.entry(answer.status.map_or("closed".to_owned(), |status| status.to_string())).or_default() +=
            1;
    }
    Ok(counts)
}

/// The law.
fn judge(sent: &Sent, answer: &Answer) -> anyhow::Result<()> {
    let Some(status) = answer.status else {
        ensure!(sent.is_cut_short, "the connection was closed without an answer");
        return Ok(());
    };
    ensure!(status < 500, "it is a {status}: {answer:?}");
    ensure!(status >= 200, "it ends with a {status}");
    if sent.is_head || sent.is_page || status == 304 {
        return Ok(());
    }
    let is_challenge = answer.header("x-acme-responder").is_some();
    if is_challenge {
        return Ok(());
    }
    let kind = answer.header("content-type").unwrap_or_default();
    ensure!(kind.starts_with("application/json"), "it is {kind:?}: {answer:?}");
    let body: serde_json::Value =
        serde_json::from_slice(&answer.body).with_context(|| format!("not JSON: {answer:?}"))?;
    ensure!(body.is_object(), "it is no object: {body}");
    let described = body["description"].as_str().is_some_and(|text| !text.is_empty());
    // What is not there any more is `{}`, as the specification wants it.
    ensure!(status < 400 || described || status == 410, "it has no description: {status} {body}");
    if let Some(identity) = sent.identity.as_deref().filter(|_| ![400, 414, 431].contains(&status)) {
        ensure!(answer.header("x-broker-api-request-identity") == Some(identity), "without its identity");
    }
    Ok(())
}

/// It lives, it knows its platform, and nothing has panicked.
async fn still_well(house: &House) -> anyhow::Result<()> {
    let broker = house.brokers.first().context("no broker runs")?;
    let request =
        http::Request::get(format!("{}/health/ready", broker.url())).body(http_body_util::Full::default())?;
    ensure!(Client::trusting("")?.send(request).await?.status() == 200, "it is not ready");
    let catalog = house.call(http::Method::GET, "/v2/catalog", None).await?;
    ensure!(catalog.status == 200, "{catalog:?}");
    let log = house.log()?;
    ensure!(!log.contains("panicked"), "a panic: {}", house.last_words());
    Ok(())
}

fn told(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(status, times)| format!("{status} x{times}")).collect::<Vec<_>>().join("  ")
}

/// One line for whoever watches. Nobody may be there.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
