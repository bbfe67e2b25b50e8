//! R105: many requests for one instance at the same moment, through real sockets. One of each kind is accepted, and every
//! other one is told in the way that the platform understands.

use std::sync::Arc;

use anyhow::ensure;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::house::{Answer, House, PLAN_ID, SERVICE_ID, nothing_left, provision_body};

const ID: &str = "3f1c9a52-0000-4000-8000-000000000061";
const MANY: usize = 12;

/// Sends all of these at the same moment.
async fn at_once(
    house: &Arc<House>,
    requests: impl IntoIterator<Item = (Method, String, Option<Value>)>,
) -> anyhow::Result<Vec<Answer>> {
    let mut running = JoinSet::new();
    for (method, path, body) in requests {
        let house = Arc::clone(house);
        running.spawn(async move { house.call(method, &path, body.as_ref()).await });
    }
    running.join_all().await.into_iter().collect()
}

fn path() -> String {
    format!("/v2/service_instances/{ID}?accepts_incomplete=true")
}

fn change(number: usize) -> (Method, String, Option<Value>) {
    let parameters = json!({"path": format!("/{number}")});
    (Method::PATCH, path(), Some(json!({"service_id": SERVICE_ID, "parameters": parameters})))
}

fn deletion() -> (Method, String, Option<Value>) {
    (Method::DELETE, format!("{}&service_id={SERVICE_ID}&plan_id={PLAN_ID}", path()), None)
}

/// The operations that were accepted, without repetition; everything else is a conflict.
fn accepted(answers: &[Answer]) -> anyhow::Result<Vec<&str>> {
    let mut operations = Vec::new();
    for answer in answers {
        match answer.status.as_u16() {
            202 => operations.push(answer.text("operation")),
            422 => ensure!(answer.text("error") == "ConcurrencyError", "{answer:?}"),
            _ => anyhow::bail!("{answer:?}"),
        }
    }
    operations.sort_unstable();
    operations.dedup();
    Ok(operations)
}

#[tokio::test(flavor = "multi_thread")]
async fn r105_of_many_at_once_one_of_each_kind_is_accepted() -> anyhow::Result<()> {
    let house = Arc::new(House::start().await?);
    let body = provision_body(&json!({"domain": "www.example.gov"}));
    let create = (Method::PUT, path(), Some(body));
    let answers = at_once(&house, std::iter::repeat_n(create, MANY)).await?;
    ensure!(answers.iter().all(|answer| answer.status == 202), "{answers:?}");
    assert_eq!(accepted(&answers)?.len(), 1, "one operation: {answers:?}");
    house.prove(ID, 1).await?;
    house.until_succeeded(ID).await?;

    let answers = at_once(&house, (0..MANY).map(change)).await?;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1, "{answers:?}");
    accepted(&answers)?;

    let mixed = (0..MANY).flat_map(|number| [change(MANY + number), deletion()]);
    let answers = at_once(&house, mixed).await?;
    let deletions: Vec<Answer> = answers.iter().filter(|answer| answer.status == 202).cloned().collect();
    assert_eq!(deletions.len(), MANY, "{answers:?}");
    assert_eq!(accepted(&answers)?.len(), 1, "one deletion: {answers:?}");
    house.until_succeeded(ID).await?;
    assert_eq!(house.successes("CreateDistributionWithTags"), 1);
    nothing_left(&house.sandbox.aws().state())
}
