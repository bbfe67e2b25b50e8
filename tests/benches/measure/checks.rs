//! What the checks cost: latency of the API and of operations without them and with all of them running much more often than
//! they do, and the processor time of a walk past live sites.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::Method;
use sandbox::{BrokerSettings, Proofs};
use serde_json::json;

use crate::broker::Broker;
use crate::clock::{Stopwatch, pause};
use crate::databases::Database;
use crate::house::{House, provision_body, records_in};
use crate::report::{Aim, Report, say};
use crate::stats::Sorted;

/// How many sites are served.
const SITES: u32 = 40;
/// How many questions are asked of the API, one after the other.
const QUESTIONS: usize = 400;
/// How many users come, one after the other.
const USERS: u32 = 8;
/// The emulated cloud is no quicker.
const DEPLOY: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(50);
const BOUND: Duration = Duration::from_mins(10);
/// For how long a broker with nothing to do is watched.
const IDLE: Duration = Duration::from_secs(10);
/// Every check, every second.
const ALL_THE_TIME: &str = "acme-directory=1s,acme-issue=1s,expiry=1s,live-sites=1s,several-tenants=1s";
/// So many sites are walked past in a day.
const A_DAYS_SITES: f64 = 10_000.0;

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|settings| {
        settings.aws.deploy = DEPLOY;
        settings.authority.nonce_rejection_percent = 0;
        settings.authority.authorization_reuse_percent = 0;
        settings.aws.distribution_quota = 200;
        settings.aws.certificate_quota = 200;
    })
    .await?;
    let database = Database::postgres().await?;
    let staging = house.sandbox.authority().directory_url().replace("localhost", "127.0.0.1");
    let off = BrokerSettings {
        proofs: Proofs { managed_zone: true, ..Proofs::default() },
        key_type: "p256".to_owned(),
        more: vec![("CHECK_ACME_URL".to_owned(), staging)],
        ..database.broker_settings(house.sandbox.state())?
    };
    let broker = Broker::start(&house, &off).await?;
    for user in 0..SITES {
        serve(&house, &broker, user).await?;
    }
    say(&format!("  {SITES} sites are served"));
    let idle = busy_while(&broker, pause(IDLE)).await? / IDLE.as_secs_f64();
    latencies(report, "without checks", &house, &broker, SITES).await?;
    broker.stop().await?;

    // The walk: a new database remembers nothing of an earlier one.
    let walking = BrokerSettings { checks: "live-sites".to_owned(), ..every(&off, "live-sites=1s") };
    let broker = Broker::start(&house, &walking).await?;
    let (before, watch) = (looked_at(&house), Stopwatch::start());
    let walked = until(|| looked_at(&house) >= before + SITES as usize);
    let busy = busy_while(&broker, walked).await? - idle * watch.elapsed().as_secs_f64();
    let a_site = busy.max(0.0) * 1000.0 / f64::from(SITES);
    report.note("a live site: broker's CPU", a_site, "ms");
    let share = a_site / 1000.0 * A_DAYS_SITES / 86_400.0 * 100.0;
    report.aim("10,000 live sites a day: processor", share, "% of a core", Aim::Below(1.0));
    broker.stop().await?;

    let all = BrokerSettings { checks: "on".to_owned(), ..every(&off, ALL_THE_TIME) };
    let broker = Broker::start(&house, &all).await?;
    latencies(report, "all checks, every second", &house, &broker, SITES + USERS).await?;
    broker.stop().await
}

fn every(settings: &BrokerSettings, every: &str) -> BrokerSettings {
    let mut settings = settings.clone();
    settings.more.push(("CHECKS_EVERY".to_owned(), every.to_owned()));
    settings
}

/// How long users wait, of the API and of operations.
async fn latencies(
    report: &mut Report,
    checks: &str,
    house: &House,
    broker: &Broker,
    first: u32,
) -> anyhow::Result<()> {
    let (url, path) = (url(broker), format!("/v2/service_instances/{}", id(0)));
    let mut polls = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let watch = Stopwatch::start();
        let answer = house.call_at(&url, Method::GET, &path, None).await?;
        ensure!(answer.status == 200, "{answer:?}");
        polls.push(watch.elapsed());
    }
    let polls = Sorted::new(polls);
    report.note(format!("{checks}: GET instance, median"), polls.median().as_secs_f64() * 1000.0, "ms");
    report.note(format!("{checks}: GET instance, p99"), polls.percentile(99).as_secs_f64() * 1000.0, "ms");
    let mut served = Vec::new();
    for user in first..first + USERS {
        served.push(serve(house, broker, user).await?);
    }
    let served = Sorted::new(served);
    report.note(format!("{checks}: TXT visible to succeeded, median"), served.median().as_secs_f64(), "s");
    report.note(
        format!("{checks}: TXT visible to succeeded, most"),
        served.percentile(100).as_secs_f64(),
        "s",
    );
    Ok(())
}

fn url(broker: &Broker) -> String {
    format!("http://{}", broker.address)
}

fn id(user: u32) -> String {
    format!("3f1c9a52-0000-4000-8000-{user:012}")
}

/// Serves a site of one user, who points its name where it belongs. Gives the time from the TXT record to the success.
async fn serve(house: &House, broker: &Broker, user: u32) -> anyhow::Result<Duration> {
    let (url, id, domain) = (url(broker), id(user), format!("www.user-{user}.example.gov"));
    let path = format!("/v2/service_instances/{id}?accepts_incomplete=true");
    let body = provision_body(&json!({"domain": domain}));
    let accepted = house.call_at(&url, Method::PUT, &path, Some(&body)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    let path = format!("/v2/service_instances/{id}/last_operation");
    let (mut proven, begun) = (None, Stopwatch::start());
    loop {
        ensure!(begun.elapsed() < BOUND, "user {user} is not served");
        let answer = house.call_at(&url, Method::GET, &path, None).await?;
        ensure!(answer.text("state") != "failed", "{answer:?}");
        if answer.text("state") == "succeeded" {
            break;
        }
        if let (None, Some((name, value))) = (&proven, records_in(answer.text("description")).pop()) {
            house.sandbox.dns().set_txt(&name, vec![value])?;
            proven = Some(Stopwatch::start());
        }
        pause(POLL).await;
    }
    let state = house.sandbox.aws().state();
    let own = state.distributions.into_iter().find(|one| one.names.contains(&domain));
    house.sandbox.dns().set_cname(&domain, &own.context("no distribution has the name")?.domain)?;
    Ok(proven.context("nothing had to be proven")?.elapsed())
}

/// How many sites had an answer put into their folder.
fn looked_at(house: &House) -> usize {
    house.successes("PutObject")
}

async fn until(is_so: impl Fn() -> bool) {
    let watch = Stopwatch::start();
    while !is_so() && watch.elapsed() < BOUND {
        pause(POLL).await;
    }
}

/// The processor time that the broker has used meanwhile, in seconds.
async fn busy_while(broker: &Broker, work: impl Future<Output = ()>) -> anyhow::Result<f64> {
    let before = broker.processor_time()?;
    work.await;
    Ok(broker.processor_time()?.saturating_sub(before).as_secs_f64())
}
