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

/// A platform with one broker, and one service instance on it.
#[derive(Clone)]
pub(super) struct Platform {
    client: Client,
    url: String,
    authorization: String,
    instance: String,
}

/// How an operation stands.
#[derive(Debug, Deserialize)]
pub(super) struct LastOperation {
    /// `in progress`, `succeeded`, `failed`, or [`LastOperation::GONE`].
    pub(super) state: String,
    /// The text for the user.
    #[serde(default)]
    pub(super) description: String,
}

impl Platform {
    pub(super) fn new(url: String, broker: &BrokerSettings) -> anyhow::Result<Self> {
        let credential = STANDARD.encode(format!("{}:{}", broker.username, broker.password));
        let authorization = format!("Basic {credential}");
        Ok(Self { client: Client::trusting("")?, url, authorization, instance: instance(0) })
    }

    /// The same platform with another instance.
    pub(super) fn with_instance(&self, number: usize) -> Self {
        Self { instance: instance(number), ..self.clone() }
    }

    /// The catalog has to offer the service and the plan that operators know.
    pub(super) async fn check_catalog(&self) -> anyhow::Result<()> {
        let answer = self.ask(Method::GET, "/v2/catalog", None).await?;
        let catalog: Value = read(&answer, &[StatusCode::OK])?;
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
    pub(super) async fn create(&self, domains: &[&str]) -> anyhow::Result<String> {
        let body = json!({
            "service_id": SERVICE_ID,
            "plan_id": PLAN_ID,
            "organization_guid": ORGANIZATION,
            "space_guid": SPACE,
            "context": {
                "platform": "cloudfoundry",
                "organization_guid": ORGANIZATION,
                "organization_name": "demo",
                "space_guid": SPACE,
                "space_name": "web",
                "instance_name": "my-cdn",
            },
            "parameters": { "domain": domains.join(",") },
        });
        let path = format!("/v2/service_instances/{}?accepts_incomplete=true", self.instance);
        operation(&self.ask(Method::PUT, &path, Some(&body)).await?)
    }

    /// Asks how an operation stands. An instance that is gone is a state too: it ends a deletion.
    pub(super) async fn last_operation(&self, operation: &str) -> anyhow::Result<LastOperation> {
        let path = format!(
            "/v2/service_instances/{}/last_operation\
             ?operation={operation}&service_id={SERVICE_ID}&plan_id={PLAN_ID}",
            self.instance
        );
        let answer = self.ask(Method::GET, &path, None).await?;
        if answer.status() == StatusCode::GONE {
            return Ok(LastOperation { state: LastOperation::GONE.to_owned(), description: String::new() });
        }
        read(&answer, &[StatusCode::OK])
    }

    /// Deletes the instance and answers the operation.
    pub(super) async fn delete(&self) -> anyhow::Result<String> {
        let path = format!(
            "/v2/service_instances/{}?service_id={SERVICE_ID}&plan_id={PLAN_ID}&accepts_incomplete=true",
            self.instance
        );
        operation(&self.ask(Method::DELETE, &path, None).await?)
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
    pub(super) const GONE: &'static str = "gone";

    /// The sentence that says how it stands.
    pub(super) fn first_line(&self) -> &str {
        self.description.lines().next().unwrap_or_default()
    }

    /// The part of `cf service` that comes from the broker.
    pub(super) fn as_cf_shows(&self, kind: &str) -> String {
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

/// The operation that the broker has begun.
fn operation(answer: &Response<Bytes>) -> anyhow::Result<String> {
    let begun: Value = read(answer, &[StatusCode::ACCEPTED])?;
    Ok(begun["operation"].as_str().context("the broker named no operation")?.to_owned())
}

fn read<T: for<'de> Deserialize<'de>>(
    answer: &Response<Bytes>,
    expected: &[StatusCode],
) -> anyhow::Result<T> {
    let (status, body) = (answer.status(), answer.body());
    ensure!(expected.contains(&status), "the broker answered {status}: {}", String::from_utf8_lossy(body));
    serde_json::from_slice(body)
        .with_context(|| format!("the broker's answer is not what the API says: {status}"))
}
