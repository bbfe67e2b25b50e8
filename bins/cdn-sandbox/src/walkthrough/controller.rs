//! Cloud Controller's memory of one broker and one service instance, and what it asks the broker when.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Response, StatusCode};
use sandbox::wait_for;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::platform::{LastOperation, Platform, read};

/// Longer than anything takes here.
pub(super) const BOUND: Duration = Duration::from_mins(2);

pub(super) struct Controller {
    platform: Platform,
    /// The name of the broker and its catalog.
    pub(super) broker: Option<(String, Value)>,
    pub(super) instance: Option<Instance>,
    /// How many instances there have been.
    count: usize,
}

pub(super) struct Instance {
    pub(super) name: String,
    pub(super) platform: Platform,
    pub(super) dashboard_url: String,
    pub(super) last: Operation,
}

/// The one row that the platform keeps of operations.
pub(super) struct Operation {
    pub(super) kind: &'static str,
    pub(super) state: String,
    pub(super) message: String,
    pub(super) started: String,
    pub(super) updated: String,
    id: String,
}

/// How the broker has taken a request.
pub(super) enum Taken {
    /// Done at once.
    Complete,
    /// Accepted.
    InProgress,
    /// Refused, with what the user reads.
    Refused(String),
}

/// What an answer to a request holds.
#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    operation: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    dashboard_url: String,
}

impl Controller {
    pub(super) fn new(platform: Platform) -> Self {
        Self { platform, broker: None, instance: None, count: 0 }
    }

    /// Takes a broker on, if it has a catalog.
    pub(super) async fn add_broker(&mut self, name: String) -> anyhow::Result<()> {
        self.platform.check_catalog().await?;
        self.broker = Some((name, self.platform.catalog().await?));
        Ok(())
    }

    /// Creates an instance. One of the same name whose creation has failed is deleted at the broker before.
    pub(super) async fn create(&mut self, name: String, parameters: &Value) -> anyhow::Result<Taken> {
        if let Some(earlier) = self.instance.take() {
            let failed = earlier.last.kind == "create" && earlier.last.state == "failed";
            ensure!(failed && earlier.name == name, "there is {} already", earlier.name);
            let answer = earlier.platform.deprovision().await?;
            ensure!(answer.status() == StatusCode::GONE, "the broker knows what it has refused: {answer:?}");
        }
        self.count += 1;
        let platform = self.platform.with_instance(self.count);
        let answer = platform.provision(parameters).await?;
        let last = Operation::begun("create");
        self.instance = Some(Instance { name, platform, dashboard_url: String::new(), last });
        self.take(&answer, "create").await
    }

    pub(super) async fn update(&mut self, name: &str, parameters: &Value) -> anyhow::Result<Taken> {
        let answer = self.instance(name)?.platform.update(parameters).await?;
        self.take(&answer, "update").await
    }

    pub(super) async fn delete(&mut self, name: &str) -> anyhow::Result<Taken> {
        let answer = self.instance(name)?.platform.deprovision().await?;
        self.take(&answer, "delete").await
    }

    /// The parameters that the broker tells.
    pub(super) async fn parameters(&mut self, name: &str) -> anyhow::Result<Value> {
        let answer = self.instance(name)?.platform.fetch().await?;
        let fetched: Value = read(&answer, &[StatusCode::OK])?;
        Ok(fetched["parameters"].clone())
    }

    /// Polls until the user can read what is seen of their domains.
    pub(super) async fn until_looked(&mut self) -> anyhow::Result<()> {
        self.poll_until("a look at the domains", |last| last.description.contains("seen on ")).await
    }

    /// Polls until the operation has ended.
    pub(super) async fn until_ended(&mut self) -> anyhow::Result<()> {
        self.poll_until("the end of the operation", |last| last.state != "in progress").await?;
        let ended = self.instance.as_ref().context("there is no instance")?;
        if ended.last.kind == "delete" && ended.last.state == "succeeded" {
            self.instance = None;
        }
        Ok(())
    }

    pub(super) fn instance(&mut self, name: &str) -> anyhow::Result<&mut Instance> {
        let instance = self.instance.as_mut().filter(|instance| instance.name == name);
        instance.with_context(|| format!("there is no service instance {name}"))
    }

    /// What follows from an answer. What was accepted is polled at once.
    async fn take(&mut self, answer: &Response<Bytes>, kind: &'static str) -> anyhow::Result<Taken> {
        let said: Answer =
            serde_json::from_slice(answer.body()).context("the answer is not what the API says")?;
        let instance = self.instance.as_mut().context("there is no instance")?;
        if !said.dashboard_url.is_empty() {
            instance.dashboard_url = said.dashboard_url;
        }
        let (taken, state, message) = match answer.status() {
            StatusCode::ACCEPTED => (Taken::InProgress, "in progress", said.description),
            StatusCode::OK => (Taken::Complete, "succeeded", said.description),
            status if status.is_client_error() => {
                let message = format!("Service broker error: {}", said.description);
                (Taken::Refused(message.clone()), "failed", message)
            }
            status => bail!("the broker answered {status}"),
        };
        let last =
            Operation { id: said.operation, state: state.to_owned(), message, ..Operation::begun(kind) };
        instance.last = last;
        if matches!(taken, Taken::InProgress) {
            instance.poll().await?;
        }
        Ok(taken)
    }

    async fn poll_until(&mut self, what: &str, found: impl Fn(&LastOperation) -> bool) -> anyhow::Result<()> {
        let instance = self.instance.as_mut().context("there is no instance")?;
        let (platform, id) = (&instance.platform, &instance.last.id);
        let last = wait_for(what, BOUND, || async {
            let last = platform.last_operation(id).await?;
            Ok(found(&last).then_some(last))
        });
        let last = last.await?;
        instance.last.note(last);
        Ok(())
    }
}

impl Instance {
    async fn poll(&mut self) -> anyhow::Result<()> {
        let last = self.platform.last_operation(&self.last.id).await?;
        self.last.note(last);
        Ok(())
    }
}

impl Operation {
    fn begun(kind: &'static str) -> Self {
        let (state, message, id) = ("initial".to_owned(), String::new(), String::new());
        Self { kind, state, message, started: now(), updated: now(), id }
    }

    fn note(&mut self, last: LastOperation) {
        // 410 ends a deletion well.
        let gone = last.state == LastOperation::GONE;
        self.state = if gone { "succeeded".to_owned() } else { last.state };
        self.message = last.description;
        self.updated = now();
    }
}

/// The platform's own clock.
fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (date, time) = (now.date(), now.time());
    format!("{date}T{:02}:{:02}:{:02}Z", time.hour(), time.minute(), time.second())
}
