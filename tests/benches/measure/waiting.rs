//! How soon a proof is noticed while a thousand other instances wait for theirs, and what their waiting costs.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::clock::{Stopwatch, pause};
use crate::databases::Database;
use crate::house::{House, provision_body, records_in};
use crate::report::{Aim, Report, say};
use crate::stats::{Sorted, float};

/// How many instances wait.
const WAITING: usize = 1000;
/// How many users come while they wait, one after the other, and prove their domain at once.
const NEWCOMERS: usize = 40;
/// The broker looks every two seconds at first: newcomers act at moments spread over that.
const SPREAD: Duration = Duration::from_millis(170);
/// How many are asked for at once.
const AT_ONCE: usize = 16;
/// For how long their waiting is watched.
const WATCHED: Duration = Duration::from_secs(20);
/// How often it is looked whether something has happened.
const POLL: Duration = Duration::from_millis(20);
const BOUND: Duration = Duration::from_mins(5);
/// Where Pebble takes the answers to challenges.
const CHALLENGES: &str = "/chalZ/";

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|settings| {
        settings.authority.nonce_rejection_percent = 0;
        // Looking through its proven authorizations, Pebble can lock itself up for good once there are some hundreds.
        settings.authority.authorization_reuse_percent = 0;
        settings.aws.distribution_quota = WAITING + NEWCOMERS;
    })
    .await?;
    let database = Database::postgres().await?;
    let mut settings = database.broker_settings(house.sandbox.state())?;
    "p256".clone_into(&mut settings.key_type);
    let broker = Broker::start(&house, &settings).await?;
    let url = format!("http://{}", broker.address);
    let house = std::sync::Arc::new(house);
    for start in (0..WAITING).step_by(AT_ONCE) {
        let mut asking = JoinSet::new();
        for user in start..(start + AT_ONCE).min(WAITING) {
            let (house, url) = (house.clone(), url.clone());
            asking.spawn(async move { ask(&house, &url, user).await });
        }
        while let Some(asked) = asking.join_next().await {
            asked??;
        }
        if start % 160 == 0 {
            say(&format!("  {start} of {WAITING} instances wait"));
        }
    }
    watch(report, &house, &broker).await?;
    let mut noticed = Vec::new();
    for newcomer in 0..NEWCOMERS {
        let user = WAITING + newcomer;
        ask(&house, &url, user).await?;
        pause(SPREAD * u32::try_from(newcomer % 12)?).await;
        noticed.push(prove(&house, &url, user).await?);
    }
    let noticed = Sorted::new(noticed);
    report.aim("proof visible to answered: median", noticed.median().as_secs_f64(), "s", Aim::Below(3.0));
    report.aim("proof visible to answered: p95", noticed.percentile(95).as_secs_f64(), "s", Aim::Below(10.0));
    broker.stop().await
}

/// Watches for a while how everybody waits.
async fn watch(report: &mut Report, house: &House, broker: &Broker) -> anyhow::Result<()> {
    let asked = || house.sandbox.authority().gate().requests().len();
    let (requests, busy, held) = (asked(), broker.processor_time()?, broker.resident()?);
    pause(WATCHED).await;
    let busy = broker.processor_time()?.saturating_sub(busy).as_secs_f64() / WATCHED.as_secs_f64();
    report.note(format!("{WAITING} instances waiting: processor"), busy * 100.0, "% of a core");
    report.note(format!("{WAITING} instances waiting: memory"), broker.resident()?, "MiB");
    report.note(format!("{WAITING} instances waiting: growth"), broker.resident()? - held, "MiB");
    report.note(format!("{WAITING} instances waiting: CA requests"), float(asked() - requests), "");
    Ok(())
}

fn id(user: usize) -> String {
    format!("3f1c9a52-0000-4000-8000-{user:012}")
}

/// Creates an instance and waits until it says what to do.
async fn ask(house: &House, url: &str, user: usize) -> anyhow::Result<()> {
    let path = format!("/v2/service_instances/{}?accepts_incomplete=true", id(user));
    let body = provision_body(&json!({"domain": format!("www.user-{user}.example.gov")}));
    let accepted = house.call_at(url, Method::PUT, &path, Some(&body)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let watch = Stopwatch::start();
    while record(house, url, user).await?.is_none() {
        ensure!(watch.elapsed() < BOUND, "user {user} is not told what to do");
        pause(POLL).await;
    }
    Ok(())
}

async fn record(house: &House, url: &str, user: usize) -> anyhow::Result<Option<(String, String)>> {
    let path = format!("/v2/service_instances/{}/last_operation", id(user));
    let answer = house.call_at(url, Method::GET, &path, None).await?;
    Ok(records_in(answer.text("description")).pop())
}

/// From the moment when a TXT record is visible until the authority has been told.
async fn prove(house: &House, url: &str, user: usize) -> anyhow::Result<Duration> {
    let (name, value) = record(house, url, user).await?.context("no record to set")?;
    let before = answered(house);
    house.sandbox.dns().set_txt(&name, vec![value])?;
    let watch = Stopwatch::start();
    while answered(house) == before {
        ensure!(watch.elapsed() < BOUND, "the proof of user {user} is not noticed");
        pause(POLL).await;
    }
    Ok(watch.elapsed())
}

fn answered(house: &House) -> usize {
    let requests = house.sandbox.authority().gate().requests();
    requests.iter().filter(|request| request.path.starts_with(CHALLENGES)).count()
}
