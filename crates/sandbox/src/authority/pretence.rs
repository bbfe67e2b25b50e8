use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::web::{Answer, text};

/// What the authority seems to be, while Pebble behind the gate stays what it is. By default it is itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pretence {
    /// It answers every request with 503 and a page in HTML, as a front end does whose servers are gone.
    pub is_down: bool,
    /// Its clock is ahead by this.
    pub ahead: Duration,
    /// Its terms of service are at this URL (RFC 8555, 7.1.1: `termsOfService`).
    pub terms: Option<String>,
    /// CAA records mean it by this name (RFC 8555, 7.1.1: `caaIdentities`).
    pub caa_identity: Option<String>,
    /// It does not offer the challenge http-01 any more (RFC 8555, 8.3).
    pub no_http_01: bool,
    /// It knows no account any more, neither by its key nor by its URL (RFC 8555, 7.3.1 and 6.7: `accountDoesNotExist`).
    pub forgets_accounts: bool,
}

/// What an authority says to who has no account there.
pub(super) fn unknown_account() -> Answer {
    let problem = json!({
        "type": "urn:ietf:params:acme:error:accountDoesNotExist",
        "detail": "the authority has no such account",
        "status": 400,
    });
    let mut answer = text(StatusCode::BAD_REQUEST, problem.to_string());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    answer
}

pub(super) fn down() -> Answer {
    text(StatusCode::SERVICE_UNAVAILABLE, "<html><body>Service unavailable</body></html>\n".to_owned())
}

impl Pretence {
    /// Changes an answer of Pebble's into one of the authority that it seems to be.
    pub(super) async fn dress(&self, path: &str, answer: Answer) -> Answer {
        let mut answer = match path {
            "/dir" => self.dress_directory(answer).await,
            _ if self.no_http_01 => without_http_01(answer).await,
            _ => answer,
        };
        if !self.ahead.is_zero()
            && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now() + self.ahead))
        {
            answer.headers_mut().insert(DATE, date);
        }
        answer
    }

    async fn dress_directory(&self, answer: Answer) -> Answer {
        changed(answer, |directory| {
            if let Some(terms) = &self.terms {
                directory["meta"]["termsOfService"] = json!(terms);
            }
            if let Some(identity) = &self.caa_identity {
                directory["meta"]["caaIdentities"] = json!([identity]);
            }
        })
        .await
    }
}

/// Authorizations are the only answers with challenges (RFC 8555, 7.1.4). One that is valid shows the challenge that made
/// it so.
async fn without_http_01(answer: Answer) -> Answer {
    changed(answer, |authorization| {
        let is_pending = authorization["status"] == "pending";
        if let Some(challenges) = authorization.get_mut("challenges").and_then(Value::as_array_mut)
            && is_pending
        {
            challenges.retain(|challenge| challenge["type"] != "http-01");
        }
    })
    .await
}

/// What is not a JSON object stays what it is.
async fn changed(answer: Answer, change: impl FnOnce(&mut Value)) -> Answer {
    let (head, body) = answer.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes);
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) if value.is_object() => {
            change(&mut value);
            Bytes::from(value.to_string())
        }
        _ => body,
    };
    Answer::from_parts(head, Full::new(body))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox is the world: its authority has the time of the machine"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
