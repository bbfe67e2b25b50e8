//! Cloud Controller's part: the Open Service Broker API over HTTP, as the platform speaks it.

use std::fmt;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use sandbox::{BrokerSettings, Client};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::setup::{PLAN_ID, SERVICE_ID};

/// The API version that Cloud Controller sends.
const API_VERSION: &str = "2.15";

/// The organization and its space, as the platform would number them.
const ORGANIZATION: &str = "9c2b1a52-5c1f-4d0e-a3d4-0c6f9f3f7b21";
const SPACE: &str = "e6a3c1d7-7f7e-4c9b-8c5a-1b7d2e4f9a32";

/// What people call them.
pub(crate) const ORGANIZATION_NAME: &str = "demo";
pub(crate) const SPACE_NAME: &str = "web";

/// A platform with one broker, and one service instance on it.
#[derive(Clone)]
pub(crate) struct Platform {
    client: Client,
    url: String,
    authorization: String,
    instance: String,
}

/// How an operation stands.
#[derive(Debug, Deserialize)]
pub(crate) struct LastOperation {
    /// `in progress`, `succeeded`, `failed`, or [`LastOperation::GONE`].
    pub(crate) state: String,
    /// The text for the user.
    #[serde(default)]
    pub(crate) description: String,
}

impl Platform {
    pub(crate) fn new(url: String, broker: &BrokerSettings) -> anyhow::Result<Self> {
        let credential = STANDARD.encode(format!("{}:{}", broker.username, broker.password));
        let authorization = format!("Basic {credential}");
        Ok(Self { client: Client::trusting("")?, url, authorization, instance: instance(0) })
    }

    /// The same platform with another instance.
    pub(crate) fn with_instance(&self, number: usize) -> Self {
        Self { instance: instance(number), ..self.clone() }
    }

    /// The id of the instance.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// What the broker offers.
    pub(crate) async fn catalog(&self) -> anyhow::Result<Value> {
        read(&self.ask(Method::GET, "/v2/catalog", None).await?, &[StatusCode::OK])
    }

    /// The catalog has to offer the service and the plan that operators know.
    pub(crate) async fn check_catalog(&self) -> anyhow::Result<()> {
        let catalog = self.catalog().await?;
        let services = catalog["services"].as_array().context("the catalog has no services")?;
        let service = services.iter().find(|service| service["id"] == SERVICE_ID);
        let service =
            service.with_context(|| format!("the catalog has no service {SERVICE_ID}: {catalog}"))?;
        let plans = service["plans"].as_array().context("the service has no plans")?;
        ensure!(
            plans.iter().any(|plan| plan["id"] == PLAN_ID),
            "the service has no plan {PLAN_ID}: {service}"
        );
        Ok(())
    }

    /// Creates the instance and answers the operation.
    pub(crate) async fn create(&self, domains: &[&str]) -> anyhow::Result<String> {
        operation(&self.provision(&json!({ "domain": domains.join(",") })).await?)
    }

    /// Asks for the instance with these parameters.
    pub(crate) async fn provision(&self, parameters: &Value) -> anyhow::Result<Response<Bytes>> {
        let body = json!({
            "service_id": SERVICE_ID,
            "plan_id": PLAN_ID,
            "organization_guid": ORGANIZATION,
            "space_guid": SPACE,
            "context": context(),
            "parameters": parameters,
        });
        self.ask(Method::PUT, &self.path("?accepts_incomplete=true"), Some(&body)).await
    }

    /// Asks for other parameters. Cloud Controller sends what was before, too.
    pub(crate) async fn update(&self, parameters: &Value) -> anyhow::Result<Response<Bytes>> {
        let body = json!({
            "service_id": SERVICE_ID,
            "plan_id": PLAN_ID,
            "context": context(),
            "parameters": parameters,
            "previous_values": {
                "plan_id": PLAN_ID,
                "service_id": SERVICE_ID,
                "organization_id": ORGANIZATION,
                "space_id": SPACE,
                "maintenance_info": null,
            },
        });
        self.ask(Method::PATCH, &self.path("?accepts_incomplete=true"), Some(&body)).await
    }

    /// Fetches the instance.
    pub(crate) async fn fetch(&self) -> anyhow::Result<Response<Bytes>> {
        self.ask(Method::GET, &self.path(""), None).await
    }

    /// Asks how an operation stands. An instance that is gone is a state too: it ends a deletion.
    pub(crate) async fn last_operation(&self, operation: &str) -> anyhow::Result<LastOperation> {
        let query =
            format!("/last_operation?operation={operation}&service_id={SERVICE_ID}&plan_id={PLAN_ID}");
        let answer = self.ask(Method::GET, &self.path(&query), None).await?;
        if answer.status() == StatusCode::GONE {
            return Ok(LastOperation { state: LastOperation::GONE.to_owned(), description: String::new() });
        }
        read(&answer, &[StatusCode::OK])
    }

    /// Deletes the instance and answers the operation.
    pub(crate) async fn delete(&self) -> anyhow::Result<String> {
        operation(&self.deprovision().await?)
    }

    /// Asks for the end of the instance.
    pub(crate) async fn deprovision(&self) -> anyhow::Result<Response<Bytes>> {
        let query = format!("?accepts_incomplete=true&plan_id={PLAN_ID}&service_id={SERVICE_ID}");
        self.ask(Method::DELETE, &self.path(&query), None).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/v2/service_instances/{}{rest}", self.instance)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Response<Bytes>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", &self.authorization)
            .header("x-broker-api-version", API_VERSION)
            .header("content-type", "application/json")
            .body(Full::from(body.map(ToString::to_string).unwrap_or_default()))?;
        self.client.send(request).await
    }
}

impl LastOperation {
    /// The state of an operation whose instance is not there any more (410).
    pub(crate) const GONE: &'static str = "gone";

    /// The sentence that says how it stands.
    pub(crate) fn first_line(&self) -> &str {
        self.description.lines().next().unwrap_or_default()
    }

    /// The part of `cf service` that comes from the broker.
    pub(crate) fn as_cf_shows(&self, kind: &str) -> String {
        format!(
            "Showing status from last operation:\n   status:    {kind} {}\n   message:   {}",
            self.state, self.description
        )
    }
}

impl fmt::Display for LastOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.state, self.description)
    }
}

/// The id of an instance.
fn instance(number: usize) -> String {
    format!("2f0fd6a5-6b2c-4b59-8d3e-{number:012}")
}

/// Where the instance is, in words.
fn context() -> Value {
    json!({
        "platform": "cloudfoundry",
        "organization_guid": ORGANIZATION,
        "organization_name": ORGANIZATION_NAME,
        "space_guid": SPACE,
        "space_name": SPACE_NAME,
        "instance_name": "my-cdn",
    })
}

/// The operation that the broker has begun.
fn operation(answer: &Response<Bytes>) -> anyhow::Result<String> {
    let begun: Value = read(answer, &[StatusCode::ACCEPTED])?;
    Ok(begun["operation"].as_str().context("the broker named no operation")?.to_owned())
}

/// An answer with one of the expected codes, read.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(
    answer: &Response<Bytes>,
    expected: &[StatusCode],
) -> anyhow::Result<T> {
    let (status, body) = (answer.status(), answer.body());
    ensure!(expected.contains(&status), "the broker answered {status}: {}", String::from_utf8_lossy(body));
    serde_json::from_slice(body)
        .with_context(|| format!("the broker's answer is not what the API says: {status}"))
}
