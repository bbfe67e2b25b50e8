//! What the authority itself suggests about renewals (RFC 9773). Asked by our own request: instant-acme takes an answer
//! without `Retry-After` for an error, and wants the certificate where its id is enough.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{Clock, Timestamp};
use http::StatusCode;
use serde_json::Value;

use crate::directory::Directories;
use crate::exchange::{Exchange, listening, moment};
use crate::http::Transport;

/// How soon to ask again when the authority does not say (RFC 9773, section 4.3.2).
const ASK_AGAIN: Duration = Duration::from_hours(6);
/// How soon to ask again when there was no answer.
const AFTER_TROUBLE: Duration = Duration::from_hours(1);
/// The bounds of what an authority may ask for. A day, because a window can move to the past at any time, when
/// certificates are to be revoked, and that may be five days later or one.
const BOUNDS: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(24));
/// A suggestion is worth little: nobody waits longer for one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many answers are kept. One is a few dozen bytes; whoever has more certificates asks again.
const KEPT: usize = 50_000;
const MAX_EXPLANATION: usize = 500;

/// When the authority would have a certificate renewed (RFC 9773, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    /// `suggestedWindow.start`
    pub(crate) start: Timestamp,
    /// `suggestedWindow.end`; always after `start`.
    pub(crate) end: Timestamp,
    /// `explanationURL`
    pub(crate) explanation: Option<String>,
}

/// What came of asking, good until `until`.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) suggestion: Option<Suggestion>,
    pub(crate) until: Timestamp,
}

/// Asks about renewals, and never sooner again than the authority wants.
pub(crate) struct Renewals {
    directories: Arc<Directories>,
    transport: Transport,
    clock: Arc<dyn Clock>,
    patience: Duration,
    answers: Mutex<HashMap<String, Answer>>,
}

impl Renewals {
    pub(crate) fn new(
        directories: Arc<Directories>,
        transport: Transport,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Self {
        Self { directories, transport, clock, patience: timeout.min(PATIENCE), answers: Mutex::default() }
    }

    /// What the authority suggests for a certificate that lives until `not_after`. Trouble is no error: the last
    /// suggestion stands, if there was one.
    pub(crate) async fn answer(&self, id: Option<&str>, not_after: Timestamp) -> Answer {
        let now = self.clock.now();
        let nothing = |wait| Answer { suggestion: None, until: now + wait };
        let Some(id) = id.filter(|id| is_certificate_id(id)) else {
            return nothing(BOUNDS.1);
        };
        let known = self.answers().get(id).cloned();
        if let Some(known) = known.clone().filter(|known| now < known.until) {
            return known;
        }
        let asked = tokio::time::timeout(self.patience, self.ask(id)).await;
        let (suggestion, wait) = match asked {
            Ok(Ok((suggestion, wait))) => (suggestion, wait),
            Ok(Err(trouble)) => (known.and_then(|known| known.suggestion), trouble.log(id)),
            Err(_) => (known.and_then(|known| known.suggestion), Trouble::new("it did not answer").log(id)),
        };
        // However long the authority wants to be left alone: a renewal is never put off beyond half of what is left.
        let left = not_after.since(now) / 2;
        let wait = wait.clamp(BOUNDS.0, BOUNDS.1).min(left.max(BOUNDS.0));
        let answer = Answer { suggestion, until: now + wait };
        self.keep(id, answer.clone());
        answer
    }

    async fn ask(&self, id: &str) -> Result<(Option<Suggestion>, Duration), Trouble> {
        let Some(url) = self.url().await? else { return Ok((None, BOUNDS.1)) };
        let url = format!("{}/{id}", url.trim_end_matches('/'));
        let (answer, exchange) = listening("renewalInfo", self.transport.get(&url)).await;
        answer.map_err(|error| Trouble::new(error.to_string()))?;
        let wait = exchange.retry_after;
        match exchange.status {
            Some(StatusCode::OK) => {
                let suggestion = suggestion(&exchange.json()).ok_or_else(|| Trouble {
                    why: "its answer cannot be understood".into(),
                    retry_after: wait,
                })?;
                Ok((Some(suggestion), wait.unwrap_or(ASK_AGAIN)))
            }
            // A certificate that it does not know, of another authority for example, is one that it has no wish for.
            Some(StatusCode::NOT_FOUND | StatusCode::GONE) => Ok((None, wait.unwrap_or(ASK_AGAIN))),
            _ => Err(Trouble { why: unexpected(&exchange), retry_after: wait }),
        }
    }

    async fn url(&self) -> Result<Option<String>, Trouble> {
        let directory = self.directories.directory().await;
        let directory = directory.map_err(|error| Trouble::new(error.to_string()))?;
        Ok(directory.renewal_info.filter(|url| !url.is_empty()))
    }

    fn keep(&self, id: &str, answer: Answer) {
        let mut answers = self.answers();
        if answers.len() >= KEPT {
            answers.clear();
        }
        answers.insert(id.to_owned(), answer);
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no suggestion.
struct Trouble {
    why: String,
    retry_after: Option<Duration>,
}

impl Trouble {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), retry_after: None }
    }

    /// Says so, and gives how long to leave the authority alone.
    fn log(self, id: &str) -> Duration {
        tracing::info!(
            certificate.renewal_id = id,
            "the authority suggests no time for the renewal: {}",
            self.why
        );
        self.retry_after.unwrap_or(AFTER_TROUBLE)
    }
}

fn unexpected(exchange: &Exchange) -> String {
    let status = exchange.status.map_or_else(String::new, |status| status.as_u16().to_string());
    format!("unexpected answer, HTTP {status} from {}", exchange.url)
}

/// RFC 9773, section 4.2. A window that ends before it begins is none.
fn suggestion(json: &Value) -> Option<Suggestion> {
    let window = json.get("suggestedWindow")?;
    let (start, end) = (moment(window, "start")?, moment(window, "end")?);
    let explanation = json.get("explanationURL").and_then(Value::as_str).filter(|url| is_presentable(url));
    (start < end).then(|| Suggestion { start, end, explanation: explanation.map(ToOwned::to_owned) })
}

/// Whether an address can be shown to a person as it is.
fn is_presentable(url: &str) -> bool {
    url.starts_with("https://") && url.len() <= MAX_EXPLANATION && url.bytes().all(|b| b.is_ascii_graphic())
}

/// Two parts in base64url (RFC 9773, section 4.1), which need no escaping in a path.
pub(crate) fn is_certificate_id(id: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    id.split_once('.').is_some_and(|(issuer, serial)| part(issuer) && part(serial))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_example_of_the_standard_is_understood() {
        let answer = json!({
            "suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
            "explanationURL": "https://acme.example.com/docs/ari"
        });
        let expected = Suggestion {
            start: Timestamp::from_secs(1_735_790_400),
            end: Timestamp::from_secs(1_735_876_800),
            explanation: Some("https://acme.example.com/docs/ari".into()),
        };
        assert_eq!(suggestion(&answer), Some(expected));
    }

    #[test]
    fn what_is_malformed_suggests_nothing() {
        for answer in [
            json!(null),
            json!({"suggestedWindow": {"start": "2025-01-02T04:00:00Z"}}),
            json!({"suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "soon"}}),
            json!({"suggestedWindow": {"start": "2025-01-03T04:00:00Z", "end": "2025-01-02T04:00:00Z"}}),
            json!({"suggestedWindow": {"start": "2025-01-03T04:00:00Z", "end": "2025-01-03T04:00:00Z"}}),
        ] {
            assert_eq!(suggestion(&answer), None, "{answer}");
        }
    }

    #[test]
    fn an_explanation_that_is_not_fit_to_be_shown_is_left_out() {
        for url in ["javascript:alert(1)", "https://a.example/\u{1b}[31m", "http://a.example/"] {
            let answer = json!({
                "suggestedWindow": {"start": "2025-01-02T04:00:00Z", "end": "2025-01-03T04:00:00Z"},
                "explanationURL": url
            });
            assert_eq!(suggestion(&answer).unwrap().explanation, None, "{url}");
        }
    }

    #[test]
    fn an_id_has_two_parts_that_need_no_escaping() {
        assert!(is_certificate_id("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"));
        for id in ["", ".", "a.", ".b", "a.b.c", "a/../b.c", "a?.b"] {
            assert!(!is_certificate_id(id), "{id}");
        }
    }
}
