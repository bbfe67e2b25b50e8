use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use contract::Timestamp;
use http::StatusCode;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What the last HTTP request of an operation brought. instant-acme hands on neither status nor headers, and drops
/// what it does not model; this is where they are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    /// Where the request went.
    pub(crate) url: String,
    /// The answer's status; `None` when no answer came.
    pub(crate) status: Option<StatusCode>,
    /// Where the answer says that something is now, such as a new order (RFC 8555, section 7.4).
    pub(crate) location: Option<String>,
    /// How long the answer asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// The answer's body.
    pub(crate) body: Bytes,
}

/// An operation that listens: what it asks for, and what came last.
struct Ear {
    call: &'static str,
    last: RefCell<Exchange>,
}

tokio::task_local! {
    static EAR: Ear;
}

/// Runs an operation and gives its last exchange beside its result. `call` is what RFC 8555 (section 7.1) or RFC 9773 calls
/// the resource that is asked.
pub(crate) async fn listening<T>(call: &'static str, operation: impl Future<Output = T>) -> (T, Exchange) {
    // On the heap: every step waits for one of these somewhere.
    let operation = Box::pin(operation);
    EAR.scope(Ear { call, last: RefCell::default() }, async {
        let result = operation.await;
        (result, EAR.with(|ear| ear.last.take()))
    })
    .await
}

/// What is being asked for; outside of an operation nobody has said it.
pub(crate) fn call() -> &'static str {
    EAR.try_with(|ear| ear.call).unwrap_or("other")
}

/// Called by the HTTP client for each exchange; outside of an operation nobody listens.
pub(crate) fn record(exchange: Exchange) {
    let _ = EAR.try_with(|ear| ear.last.replace(exchange));
}

impl Exchange {
    /// The body as JSON; `Null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Where that is which the request has made, if it has made something.
    pub(crate) fn made(&self) -> Option<&str> {
        self.location.as_deref().filter(|_| self.status.is_some_and(|status| status.is_success()))
    }

    /// Whether the other side does not know (any more) what was asked for.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Some(StatusCode::NOT_FOUND | StatusCode::GONE))
    }
}

/// A date of a JSON object of the protocol, such as `expires` (RFC 8555, section 7.1.3; RFC 3339).
pub(crate) fn moment(json: &Value, field: &str) -> Option<Timestamp> {
    let moment = OffsetDateTime::parse(json.get(field)?.as_str()?, &Rfc3339).ok()?;
    Some(Timestamp::from_secs(moment.unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_exchange_of_an_operation_is_kept() {
        let exchange = |url: &str| Exchange { url: url.into(), ..Exchange::default() };
        record(exchange("nobody listens"));
        let (result, last) = listening("order", async {
            record(exchange("first"));
            record(exchange("second"));
            7
        })
        .await;
        assert_eq!((result, last.url.as_str()), (7, "second"));
    }

    #[test]
    fn dates_of_the_protocol_are_read_to_the_second() {
        let order = serde_json::json!({"expires": "2016-01-05T14:09:07.99Z", "notBefore": "soon"});
        assert_eq!(moment(&order, "expires"), Some(Timestamp::from_secs(1_452_002_947)));
        assert_eq!(moment(&order, "notBefore"), None);
        assert_eq!(moment(&order, "notAfter"), None);
    }
}
