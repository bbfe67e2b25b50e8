//! A thousand instances that are asked for at once, by users who set their TXT record as soon as they read it: how long
//! until all of them serve, and what that costs. Without a managed zone: Route 53 takes five calls a second of an account,
//! and would be all that is measured.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::clock::{Stopwatch, pause};
use crate::databases::Database;
use crate::house::{House, provision_body, records_in};
use crate::report::{Report, say};
use crate::stats::float;

/// How many instances are asked for.
const INSTANCES: usize = 1000;
/// How many requests are under way at once.
const AT_ONCE: usize = 16;
/// How often those are polled that have not ended yet. A platform does so once a minute.
const POLL: Duration = Duration::from_secs(5);
const BOUND: Duration = Duration::from_mins(30);

pub(crate) async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let house = House::without_broker(|settings| {
        settings.authority.nonce_rejection_percent = 0;
        // Looking through its proven authorizations, Pebble can lock itself up for good once there are some hundreds.
        settings.authority.authorization_reuse_percent = 0;
        settings.aws.distribution_quota = INSTANCES;
        settings.aws.certificate_quota = INSTANCES;
    })
    .await?;
    let database = Database::postgres().await?;
    let mut settings = database.broker_settings(house.sandbox.state())?;
    "p256".clone_into(&mut settings.key_type);
    let broker = Broker::start(&house, &settings).await?;
    let house = Arc::new(house);
    let url: Arc<str> = format!("http://{}", broker.address).into();

    let (busy, transactions) = (broker.processor_time()?, database.transactions().await?);
    let watch = Stopwatch::start();
    for_each(&house, &url, (0..INSTANCES).collect(), ask).await?;
    let mut open: BTreeSet<usize> = (0..INSTANCES).collect();
    while !open.is_empty() {
        ensure!(watch.elapsed() < BOUND, "{} instances do not serve", open.len());
        pause(POLL).await;
        let ended = for_each(&house, &url, open.iter().copied().collect(), has_ended).await?;
        open.retain(|number| !ended.contains(&(*number, true)));
        say(&format!("  {} of {INSTANCES} instances serve", INSTANCES - open.len()));
    }
    let busy = broker.processor_time()?.saturating_sub(busy).as_secs_f64();
    let transactions = database.transactions().await? - transactions;
    let name = |what| format!("{INSTANCES} provisions at once: {what}");
    report.note(name("wall time"), watch.elapsed().as_secs_f64(), "s");
    report.note(name("broker's CPU an instance"), busy * 1000.0 / float(INSTANCES), "ms");
    report.note(name("transactions an instance, polls included"), float(transactions) / float(INSTANCES), "");
    report.note(name("most memory"), broker.most_resident()?, "MiB");
    broker.stop().await
}

fn domain(number: usize) -> String {
    format!("www.user-{number}.example.gov")
}

fn id(number: usize) -> String {
    format!("5b7e9c14-0000-4000-8000-{number:012}")
}

/// Does `work` for all of them, some at a time, and gives what each has answered.
async fn for_each<T, F>(
    house: &Arc<House>,
    url: &Arc<str>,
    numbers: Vec<usize>,
    work: impl Fn(Arc<House>, Arc<str>, usize) -> F,
) -> anyhow::Result<BTreeSet<(usize, T)>>
where
    T: Ord + Send + 'static,
    F: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    let mut answers = BTreeSet::new();
    for some in numbers.chunks(AT_ONCE) {
        let mut asking = JoinSet::new();
        for &number in some {
            let answer = work(house.clone(), url.clone(), number);
            asking.spawn(async move { anyhow::Ok((number, answer.await?)) });
        }
        while let Some(answer) = asking.join_next().await {
            answers.insert(answer??);
        }
    }
    Ok(answers)
}

async fn ask(house: Arc<House>, url: Arc<str>, number: usize) -> anyhow::Result<()> {
    let path = format!("/v2/service_instances/{}?accepts_incomplete=true", id(number));
    let body = provision_body(&json!({"domain": domain(number)}));
    let accepted = house.call_at(&url, Method::PUT, &path, Some(&body)).await?;
    ensure!(accepted.status == 202, "{accepted:?}");
    Ok(())
}

/// Plays the user as well, who does what the text says.
async fn has_ended(house: Arc<House>, url: Arc<str>, number: usize) -> anyhow::Result<bool> {
    let path = format!("/v2/service_instances/{}/last_operation", id(number));
    let answer = house.call_at(&url, Method::GET, &path, None).await.context("no answer to a poll")?;
    ensure!(answer.text("state") != "failed", "{answer:?}");
    for (name, value) in records_in(answer.text("description")) {
        house.sandbox.dns().set_txt(&name, vec![value])?;
    }
    Ok(answer.text("state") == "succeeded")
}
