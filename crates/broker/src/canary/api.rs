//! The broker's own API, as a platform speaks it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use contract::{InstanceId, PortError, PortResult, Remedy};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::own::OwnCertificate;
use super::{CanarySettings, ORGANIZATION};

/// No answer takes longer: the platform would not wait for it either.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer of ours is larger.
const LARGEST: usize = 1 << 20;
/// The version of the Open Service Broker API that Cloud Controller speaks.
const VERSION: &str = "2.17";

/// The API.
pub(super) struct Api {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    authorization: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// The service and the plan that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    service: String,
    plan: String,
}

impl Api {
    /// Errors: the system's root certificates cannot be read.
    pub(super) fn new(settings: &CanarySettings) -> PortResult<Self> {
        let tls = tls_config(settings)?;
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let password = settings.password.expose_str().unwrap_or_default();
        let credentials = STANDARD.encode(format!("{}:{password}", settings.username));
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(https),
            base: settings.api.trim_end_matches('/').to_owned(),
            authorization: format!("Basic {credentials}"),
        })
    }

    /// The first plan of the first service of the catalog.
    pub(super) async fn offer(&self) -> Result<Offer, String> {
        let answer = self.ask(Method::GET, "/v2/catalog", None).await?;
        let service = &answer.body["services"][0];
        let id = |value: &Value| value["id"].as_str().map(str::to_owned);
        let found = id(service).zip(id(&service["plans"][0])).filter(|_| answer.status == 200);
        let found = found.map(|(service, plan)| Offer { service, plan });
        found.ok_or_else(|| format!("the catalog holds no plan: {}", answer.told()))
    }

    pub(super) async fn provision(
        &self,
        instance: &InstanceId,
        offer: &Offer,
        parameters: &Value,
    ) -> Result<Answer, String> {
        let body = json!({
            "service_id": offer.service,
            "plan_id": offer.plan,
            "organization_guid": ORGANIZATION,
            "space_guid": ORGANIZATION,
            "parameters": parameters,
        });
        let path = format!("/v2/service_instances/{instance}?accepts_incomplete=true");
        self.ask(Method::PUT, &path, Some(&body)).await
    }

    pub(super) async fn change(
        &self,
        instance: &InstanceId,
        offer: &Offer,
        parameters: &Value,
    ) -> Result<Answer, String> {
        let body = json!({ "service_id": offer.service, "plan_id": offer.plan, "parameters": parameters });
        let path = format!("/v2/service_instances/{instance}?accepts_incomplete=true");
        self.ask(Method::PATCH, &path, Some(&body)).await
    }

    pub(super) async fn delete(&self, instance: &InstanceId, offer: &Offer) -> Result<Answer, String> {
        let Offer { service, plan } = offer;
        let path = format!(
            "/v2/service_instances/{instance}?accepts_incomplete=true&service_id={service}&plan_id={plan}"
        );
        self.ask(Method::DELETE, &path, None).await
    }

    pub(super) async fn last_operation(
        &self,
        instance: &InstanceId,
        operation: Option<&str>,
    ) -> Result<Answer, String> {
        let operation = operation.map_or_else(String::new, |id| format!("?operation={id}"));
        self.ask(Method::GET, &format!("/v2/service_instances/{instance}/last_operation{operation}"), None)
            .await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let lost = |why: &dyn std::fmt::Display| format!("{method} {path} is not answered: {why}");
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, &self.authorization)
            .header("x-broker-api-version", VERSION)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.map(Value::to_string).unwrap_or_default()))
            .map_err(|error| lost(&error))?;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| lost(&error))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| lost(&error))?.to_bytes();
            Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| Err(lost(&format!("nothing came within {} seconds", PATIENCE.as_secs()))))
    }
}

impl Answer {
    pub(super) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    /// Status and description, for the operator.
    pub(super) fn told(&self) -> String {
        let description = self.text("description");
        format!("{} {}", self.status, description.lines().next().unwrap_or_default()).trim_end().to_owned()
    }
}

/// For an API behind TLS its own certificate, or whatever the system trusts; nobody, where there is none to speak.
fn tls_config(settings: &CanarySettings) -> Result<ClientConfig, PortError> {
    let broken = |error: &dyn std::fmt::Display| {
        PortError::new("set up TLS for the broker's own API", Remedy::AwaitOperator, error.to_string())
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| broken(&error))?;
    let builder = match &settings.own {
        Some(tls) => {
            let own = OwnCertificate { tls: tls.clone(), provider };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(own))
        }
        None if settings.api.starts_with("https:") => {
            builder.with_native_roots().map_err(|error| broken(&error))?
        }
        None => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}
