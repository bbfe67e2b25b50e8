use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use contract::{
    Clock, InstanceId, Messenger, Notice, Parcel, PortError, PortResult, Remedy, Report, Secret, Turn, chain,
};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Uri};
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::{signature, text};
use crate::config::{WebhookConfig, WebhookFormat};
use crate::instances::words::rfc3339;

/// How long a target may take, from the connection to the head of its answer.
const TIME: Duration = Duration::from_secs(10);
/// The version of the body. Fields are only ever added to it.
const VERSION: u32 = 1;
/// What chats show of a message at most; Slack cuts at 4,000 characters.
const LONGEST: usize = 3500;

/// Posts reports to a URL. Redirects are not followed: the operator has named the place, and nobody else names another.
pub(super) struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    format: WebhookFormat,
    bearer: Option<HeaderValue>,
    secret: Option<Secret>,
    clock: Arc<dyn Clock>,
}

impl Webhook {
    pub(super) fn new(
        config: &WebhookConfig,
        roots_pem: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let bearer = config.token.as_ref().map(bearer).transpose()?;
        Ok(Self {
            client: client(tls(roots_pem).context("the roots of ALERT_ROOT_CA")?),
            url: config.url.clone(),
            format: config.format,
            bearer,
            secret: config.secret.clone(),
            clock,
        })
    }

    fn request(&self, parcel: &Parcel, report: &Report) -> Result<Request<Full<Bytes>>, http::Error> {
        let body = match self.format {
            WebhookFormat::Json => json_body(parcel, report),
            WebhookFormat::Slack => slack_body(report),
        };
        let body = body.to_string().into_bytes();
        let mut request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("cdn-broker/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", &parcel.id);
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer);
        }
        if let Some(secret) = &self.secret {
            request = request.header(signature::HEADER, signature::sign(secret, &body, self.clock.now()));
        }
        request.body(Full::new(Bytes::from(body)))
    }

    fn failed(&self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
        // The path may be the secret.
        let host = self.url.host().unwrap_or_default();
        PortError::new(format!("post to the webhook at {host}"), Remedy::Retry { after: None }, why)
    }
}

#[async_trait]
impl Messenger for Webhook {
    fn target(&self) -> &'static str {
        "webhook"
    }

    fn takes(&self, notice: &Notice) -> bool {
        matches!(notice, Notice::Incident(_))
    }

    async fn deliver(&self, parcel: &Parcel) -> PortResult<()> {
        let Notice::Incident(report) = &parcel.notice else {
            return Err(PortError::new("post a letter", Remedy::GiveUp, "the webhook takes reports only"));
        };
        let request = self.request(parcel, report).map_err(|error| self.failed(error))?;
        let answer = tokio::time::timeout(TIME, self.client.request(request)).await;
        let answer =
            answer.map_err(|_| self.failed(format!("no answer within {} seconds", TIME.as_secs())))?;
        let status = answer.map_err(|error| self.failed(chain(&error)))?.status();
        match status.as_u16() {
            200..300 => Ok(()),
            300..400 => Err(self.failed(format!("it answered {status}; redirects are not followed"))),
            _ => Err(self.failed(format!("it answered {status}"))),
        }
    }
}

/// docs/ALERTS.md, "The webhook".
fn json_body(parcel: &Parcel, report: &Report) -> Value {
    let is_over = report.turn == Turn::Resolved;
    json!({
        "version": VERSION,
        "id": parcel.id,
        "incident": parcel.about,
        "change": report.turn.word(),
        "subject": report.subject,
        "message": report.message,
        "side": report.side.map(contract::Side::word),
        "affected": report.affected.iter().map(InstanceId::as_str).collect::<Vec<_>>(),
        "opened_at": rfc3339(report.opened_at),
        "at": rfc3339(report.at),
        "closed_at": is_over.then(|| rfc3339(report.at)),
        "duration_seconds": is_over.then(|| report.lasted().as_secs()),
        "sender": concat!("cdn-broker ", env!("CARGO_PKG_VERSION")),
    })
}

/// What Slack's incoming webhooks take, and those of Mattermost, Rocket.Chat and Google Chat.
fn slack_body(report: &Report) -> Value {
    let whole = format!("*{}*\n{}", escaped(&text::headline(report)), escaped(&text::body(report)));
    let cut = match whole.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", &whole[..end]),
        None => whole,
    };
    json!({"text": cut})
}

/// The three characters that mean something in Slack's texts, so that nobody is called and nothing is linked.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn bearer(token: &Secret) -> anyhow::Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", token.expose()].concat())
        .map_err(|_| anyhow::anyhow!("ALERT_WEBHOOK_TOKEN holds a character that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn client(tls: ClientConfig) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(TIME));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    // One message now and then: no connection is kept.
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(https.wrap_connector(tcp))
}

fn tls(roots_pem: Option<&str>) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match roots_pem {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None => builder.with_native_roots()?,
    };
    Ok(builder.with_no_client_auth())
}

fn roots(pem: &str) -> anyhow::Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        store.add(certificate?)?;
    }
    anyhow::ensure!(!store.is_empty(), "no certificate is in the file");
    Ok(store)
}

#[cfg(test)]
mod tests {
    use contract::{Side, Timestamp};

    use super::*;

    fn report() -> Report {
        Report {
            turn: Turn::Resolved,
            subject: "breaker <cdn>".into(),
            message: "@here & <!channel>".into(),
            side: Some(Side::Aws),
            affected: vec![InstanceId::new("i-1")],
            opened_at: Timestamp::from_secs(1_767_225_600),
            at: Timestamp::from_secs(1_767_225_660),
        }
    }

    #[test]
    fn the_body_is_the_documented_one() {
        let report = report();
        let (about, notice) = ("abc".to_owned(), Notice::Incident(report.clone()));
        let body = json_body(&Parcel { id: "abc-2".into(), about, notice }, &report);
        assert_eq!(
            body,
            json!({
                "version": 1, "id": "abc-2", "incident": "abc", "change": "resolved", "subject": "breaker <cdn>",
                "message": "@here & <!channel>", "side": "aws", "affected": ["i-1"],
                "opened_at": "2026-01-01T00:00:00Z", "at": "2026-01-01T00:01:00Z",
                "closed_at": "2026-01-01T00:01:00Z", "duration_seconds": 60,
                "sender": concat!("cdn-broker ", env!("CARGO_PKG_VERSION")),
            })
        );
    }

    #[test]
    fn nobody_is_called_by_a_chat_message() {
        let text = slack_body(&report())["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with("*RESOLVED: breaker &lt;cdn&gt;*\n@here &amp; &lt;!channel&gt;"), "{text}");
        let long = Report { message: "ä".repeat(10_000), ..report() };
        assert!(slack_body(&long)["text"].as_str().unwrap().chars().count() < 4000);
    }
}
