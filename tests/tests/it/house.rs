//! The whole service on one machine, and a platform and a domain owner who use it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use sandbox::aws::AwsState;
use sandbox::{BrokerProcess, BrokerSettings, Client, Sandbox, Settings, wait_for};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const SERVICE_ID: &str = "8478b533-2b59-4007-8494-2feec5970f94";
pub(crate) const PLAN_ID: &str = "fc055c72-1075-44c9-9aee-bddd52e1b053";

/// Longer than anything here takes on a busy machine.
pub(crate) const BOUND: Duration = Duration::from_mins(2);

/// A sandbox with brokers in it. Everything stops when it is dropped.
pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    pub(crate) brokers: Vec<BrokerProcess>,
    client: Client,
    state: TempDir,
}

/// What a platform reads.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

/// What a command has printed.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Printed {
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("not JSON: {self:?}"))
    }
}

impl House {
    /// Everything with one broker on SQLite.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let mut house = Self::without_broker(|_| {}).await?;
        let settings = BrokerSettings::new(house.state.path())?;
        house.add_broker(&settings).await?;
        Ok(house)
    }

    /// Everything but a broker, with a cloud as `adjust` makes it: quick, unless it says otherwise.
    pub(crate) async fn without_broker(adjust: impl FnOnce(&mut Settings)) -> anyhow::Result<Self> {
        let state = tempfile::tempdir()?;
        let mut settings = Settings::new(state.path());
        settings.aws.deploy = Duration::from_millis(500);
        settings.aws.iam_propagation = Duration::from_millis(200);
        settings.aws.iam_release = Duration::from_millis(200);
        adjust(&mut settings);
        let sandbox = Sandbox::start(settings).await?;
        Ok(Self { sandbox, brokers: Vec::new(), client: Client::trusting("")?, state })
    }

    pub(crate) fn settings(&self) -> anyhow::Result<BrokerSettings> {
        BrokerSettings::new(self.state.path())
    }

    /// Settings of a broker whose leases run out soon: twice this time and five seconds. Its keys are of the kind that
    /// an unoptimised build makes quickly, or thirty at once would take longer than a step may.
    pub(crate) fn hasty_settings(&self, step_timeout: &str) -> anyhow::Result<BrokerSettings> {
        let mut settings = self.settings()?;
        step_timeout.clone_into(&mut settings.step_timeout);
        "p256".clone_into(&mut settings.key_type);
        Ok(settings)
    }

    pub(crate) async fn add_broker(&mut self, settings: &BrokerSettings) -> anyhow::Result<()> {
        self.brokers.push(self.sandbox.start_broker(&program("cdn-broker")?, settings).await?);
        Ok(())
    }

    /// Asks the first broker, as Cloud Controller would.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let broker = self.brokers.first().context("no broker runs")?;
        self.call_at(&broker.url(), method, path, body).await
    }

    pub(crate) async fn call_at(
        &self,
        url: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{url}{path}"))
            .header("authorization", format!("Basic {}", STANDARD.encode("sandbox:sandbox")))
            .header("x-broker-api-version", "2.15")
            .header("content-type", "application/json")
            .body(Full::from(body.map(Value::to_string).unwrap_or_default()))?;
        let answer = self.client.send(request).await?;
        let body = serde_json::from_slice(answer.body()).context("the answer is not JSON")?;
        Ok(Answer { status: answer.status(), body })
    }

    pub(crate) async fn provision(&self, id: &str, parameters: Value) -> anyhow::Result<Answer> {
        let path = format!("/v2/service_instances/{id}?accepts_incomplete=true");
        self.call(Method::PUT, &path, Some(&provision_body(&parameters))).await
    }

    pub(crate) async fn deprovision(&self, id: &str) -> anyhow::Result<Answer> {
        let path = format!(
            "/v2/service_instances/{id}?accepts_incomplete=true&service_id={SERVICE_ID}&plan_id={PLAN_ID}"
        );
        self.call(Method::DELETE, &path, None).await
    }

    pub(crate) async fn poll(&self, id: &str) -> anyhow::Result<Answer> {
        self.call(Method::GET, &format!("/v2/service_instances/{id}/last_operation"), None).await
    }

    /// Polls until the operation has ended well.
    pub(crate) async fn until_succeeded(&self, id: &str) -> anyhow::Result<Answer> {
        wait_for(&format!("the operation on {id} to succeed"), BOUND, || async {
            let answer = self.poll(id).await?;
            ensure!(answer.status == 200 && answer.text("state") != "failed", "{answer:?}");
            Ok((answer.text("state") == "succeeded").then_some(answer))
        })
        .await
    }

    /// Polls until the description shows `count` records, and gives them: owner name and value, as a person reads them.
    pub(crate) async fn records(&self, id: &str, count: usize) -> anyhow::Result<Vec<(String, String)>> {
        wait_for("the records to be shown", BOUND, || async {
            let answer = self.poll(id).await?;
            ensure!(answer.text("state") == "in progress", "{answer:?}");
            let records = records_in(answer.text("description"));
            Ok((records.len() == count).then_some(records))
        })
        .await
    }

    /// Plays the owner: reads the instructions and sets the records.
    pub(crate) async fn prove(&self, id: &str, count: usize) -> anyhow::Result<()> {
        for (name, value) in self.records(id, count).await? {
            self.sandbox.dns().set_txt(&name, vec![value])?;
        }
        Ok(())
    }

    /// A whole life's first half: asked for, proven, served.
    pub(crate) async fn provisioned(&self, id: &str, domains: &[&str]) -> anyhow::Result<()> {
        let accepted = self.provision(id, json!({"domain": domains.join(",")})).await?;
        ensure!(accepted.status == 202, "{accepted:?}");
        self.prove(id, domains.len()).await?;
        self.until_succeeded(id).await?;
        Ok(())
    }

    /// Runs `cdn-broker ARGUMENTS` beside the brokers, in the environment of one with these settings.
    pub(crate) async fn command(
        &self,
        settings: &BrokerSettings,
        arguments: &[&str],
    ) -> anyhow::Result<Printed> {
        let ended = tokio::process::Command::new(program("cdn-broker")?)
            .args(arguments)
            .env_clear()
            .envs(self.sandbox.broker_environment(settings))
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(BOUND, ended).await.context("the command does not end")??;
        Ok(Printed {
            code: ended.status.code().context("the command was killed")?,
            out: String::from_utf8(ended.stdout)?,
            err: String::from_utf8(ended.stderr)?,
        })
    }

    /// The folder in which everything of this house lies.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.state.path()
    }

    /// What the brokers have logged so far.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.state.path().join("broker.log"))?)
    }

    /// The end of what the brokers have logged, for the report of a failure.
    pub(crate) fn last_words(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("R70")).rev().take(20).collect();
        format!("the brokers' last words:\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// How often an operation of the cloud took effect or was tried, by its name.
    pub(crate) fn times(&self, op: &str) -> usize {
        self.sandbox.aws().journal().iter().filter(|entry| entry.op == op).count()
    }

    /// How often it succeeded.
    pub(crate) fn successes(&self, op: &str) -> usize {
        self.sandbox.aws().journal().iter().filter(|entry| entry.op == op && entry.status < 300).count()
    }
}

/// How many certificates the authority has issued: orders that were finalized, whoever has heard of it.
pub(crate) fn issued(house: &House) -> anyhow::Result<usize> {
    Ok(house.sandbox.authority().log()?.matches("Issued certificate serial").count())
}

/// The rule that CloudFront has enforced since April 2019, looked for in everything that was ever sent.
pub(crate) fn names_never_without_certificate(house: &House) -> anyhow::Result<()> {
    for entry in house.sandbox.aws().journal() {
        ensure!(entry.aliases.is_empty() || entry.certificate.is_some(), "{entry:?}");
    }
    Ok(())
}

/// Nothing of any instance is left in the cloud.
pub(crate) fn nothing_left(state: &AwsState) -> anyhow::Result<()> {
    ensure!(state.distributions.is_empty(), "{:?}", state.distributions);
    ensure!(state.certificates.is_empty(), "{:?}", state.certificates);
    ensure!(state.buckets.iter().all(|bucket| bucket.keys.is_empty()), "{:?}", state.buckets);
    Ok(())
}

pub(crate) fn provision_body(parameters: &Value) -> Value {
    json!({
        "service_id": SERVICE_ID,
        "plan_id": PLAN_ID,
        "organization_guid": "org-1",
        "space_guid": "space-1",
        "parameters": parameters,
    })
}

/// The TXT records in a description, in their order: lines of the form `NAME TTL IN TXT "VALUE"`, as in a zone file.
pub(crate) fn records_in(description: &str) -> Vec<(String, String)> {
    let record = |line: &str| {
        let (start, value) = line.trim().split_once(" IN TXT ")?;
        let name = start.split_whitespace().next()?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    description.lines().filter_map(record).collect()
}

/// A program of this workspace, built before the tests run. The tests lie in `target/PROFILE/deps`.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let folder = tests.ancestors().nth(2).context("the test program lies in no target folder")?;
    let program = folder.join(name);
    ensure!(
        program.is_file(),
        "{} is not built: run `make test`, or `cargo build --workspace --bins`",
        program.display()
    );
    Ok(program)
}
