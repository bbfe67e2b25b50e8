//! A domain owner who does at once what the broker's instructions say, for tools that cannot do it themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::dns::Dns;
use crate::hosts::forward;
use crate::web::{Answer, Server, text};

/// How often the owner reads instructions.
const PACE: Duration = Duration::from_millis(500);

/// More than any request of the API holds.
const LARGEST_BODY: usize = 4 << 20;

/// What a value of a DNS-01 challenge looks like (RFC 8555, 8.4): SHA-256 in base64url without padding.
const VALUE_LENGTH: usize = 43;

/// Stands before a broker: passes every request on, notes which instances are created or updated and with which
/// credential, reads their last operation with it, and sets the TXT records that stand there. It knows nothing that a user
/// does not read. Dropping it stops it.
pub struct Owner {
    server: Server,
    _reading: JoinSet<()>,
}

struct State {
    dns: Arc<Dns>,
    client: Client,
    broker: SocketAddr,
    /// The instances whose instructions are to be read.
    open: Mutex<BTreeMap<String, Begun>>,
}

/// What it takes to ask how an operation stands.
#[derive(Clone)]
struct Begun {
    /// The credential of whoever began it.
    credential: Option<HeaderValue>,
    /// What the broker calls it, if it has named it.
    operation: Option<String>,
}

/// The part of an answer that names an operation.
#[derive(Deserialize)]
struct Accepted {
    operation: Option<String>,
}

/// The part of an answer that an owner reads.
#[derive(Deserialize)]
struct LastOperation {
    state: String,
    #[serde(default)]
    description: String,
}

impl Owner {
    pub(crate) async fn start(
        dns: Arc<Dns>,
        broker: SocketAddr,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let state = Arc::new(State { dns, client: Client::trusting("")?, broker, open: Mutex::default() });
        let shared = Arc::clone(&state);
        let handler = move |request| {
            let state = Arc::clone(&shared);
            async move { state.pass(request).await }
        };
        let server = Server::start(address, None, handler).await?;
        let mut reading = JoinSet::new();
        reading.spawn(async move { state.read_on().await });
        Ok(Self { server, _reading: reading })
    }

    /// The base URL of the broker behind it, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

impl State {
    async fn pass(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "the body could not be read\n".to_owned());
        };
        let answer = match forward(&self.client, &head, &body.to_bytes(), self.broker).await {
            Ok(answer) => answer,
            Err(error) => {
                return text(StatusCode::BAD_GATEWAY, format!("the broker did not answer: {error:#}\n"));
            }
        };
        // Afterwards: what the broker does not know yet cannot be read.
        if let Some(instance) = instance(&head.method, head.uri.path()) {
            let credential = head.headers.get(AUTHORIZATION).cloned();
            let begun = Begun { credential, operation: operation(&answer).await };
            self.open().insert(instance.to_owned(), begun);
        }
        answer
    }

    async fn read_on(&self) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            let open = self.open().clone();
            for (instance, begun) in open {
                match self.read(&instance, begun).await {
                    Ok(true) => {}
                    Ok(false) => drop(self.open().remove(&instance)),
                    Err(error) => {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            instance,
                            "no instructions could be read"
                        );
                    }
                }
            }
        }
    }

    /// Does what the instructions say. Answers whether there may be more to do.
    async fn read(&self, instance: &str, begun: Begun) -> anyhow::Result<bool> {
        let mut url = format!("http://{}/v2/service_instances/{instance}/last_operation", self.broker);
        if let Some(operation) = begun.operation {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("operation", &operation)
                .finish();
            url = format!("{url}?{query}");
        }
        let mut request = Request::get(url).header("x-broker-api-version", "2.17");
        if let Some(credential) = begun.credential {
            request = request.header(AUTHORIZATION, credential);
        }
        let answer = self.client.send(request.body(Full::<Bytes>::default())?).await?;
        if answer.status() != StatusCode::OK {
            return Ok(false);
        }
        let last: LastOperation =
            serde_json::from_slice(answer.body()).context("the last operation is not what the API says")?;
        for (name, value) in txt_records(&last.description) {
            self.dns.add_txt(&name, &value)?;
        }
        Ok(last.state == "in progress")
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Begun>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operation that an answer has begun.
async fn operation(answer: &Answer) -> Option<String> {
    // A whole body in memory: reading it cannot fail and changes nothing.
    let body = answer.body().clone().collect().await.ok()?.to_bytes();
    serde_json::from_slice::<Accepted>(&body).ok()?.operation
}

/// The instance that a request creates or updates.
fn instance<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
    let id = path.strip_prefix("/v2/service_instances/")?;
    (matches!(*method, Method::PUT | Method::PATCH) && !id.is_empty() && !id.contains('/')).then_some(id)
}

/// The TXT records of a text: a name below `_acme-challenge`, then `TXT`, then the value.
fn txt_records(text: &str) -> Vec<(String, String)> {
    let marks = ['"', '`', '\'', ',', '(', ')', ':'];
    let (mut name, mut is_txt) = (None, false);
    let mut records = Vec::new();
    for word in text.split_whitespace().map(|word| word.trim_matches(marks)) {
        if word.starts_with("_acme-challenge.") {
            (name, is_txt) = (Some(word.trim_end_matches('.')), false);
        } else if word == "TXT" {
            is_txt = true;
        } else if let (Some(found), true, true) = (name, is_txt, is_value(word)) {
            records.push((found.to_owned(), word.to_owned()));
            (name, is_txt) = (None, false);
        }
    }
    records
}

fn is_value(word: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    word.len() == VALUE_LENGTH && word.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "LPsIwTo7o8BoG0-vjCyGQGBWSVIPxI-i_X336eUOQZo";

    #[test]
    fn records_are_found_in_a_line_and_in_a_block() {
        let line = format!("Do one of these:\n  _acme-challenge.www.example.gov. 60 IN TXT \"{VALUE}\"\n");
        let block =
            format!("  name:  _acme-challenge.www.example.gov.\n  type:  TXT\n  value: {VALUE}\n  ttl: 60\n");
        for text in [line, block] {
            let found = txt_records(&text);
            assert_eq!(found, [("_acme-challenge.www.example.gov".to_owned(), VALUE.to_owned())], "{text}");
        }
        assert!(txt_records(&format!("_acme-challenge.x.gov. IN CNAME {VALUE}.example.net")).is_empty());
        assert!(
            txt_records("_acme-challenge.x.gov. has the TXT value \"other\", which is not it").is_empty()
        );
    }

    #[test]
    fn instances_are_known_by_what_creates_and_updates_them() {
        assert_eq!(instance(&Method::PUT, "/v2/service_instances/one"), Some("one"));
        assert_eq!(instance(&Method::PATCH, "/v2/service_instances/one"), Some("one"));
        assert_eq!(instance(&Method::GET, "/v2/service_instances/one"), None);
        assert_eq!(instance(&Method::PUT, "/v2/service_instances/one/service_bindings/two"), None);
        assert_eq!(instance(&Method::PUT, "/v2/catalog"), None);
    }
}
