//! R14: every line of a request names it as the platform does.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use http::{HeaderValue, Method};
use serde_json::{Value, json};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::harness::{Bench, ask, headers, path, provision_body};

const NAMES: [(&str, &str, &str); 4] = [
    ("x-broker-api-request-identity", "request.identity", "e26cee84-6b38-4456-b34e-d1a9f002c956"),
    ("x-vcap-request-id", "request.vcap", "1f3a"),
    ("x-b3-traceid", "trace.id", "463ac35c9f6413ad48485a3953bb6124"),
    ("x-b3-spanid", "trace.span", "a2fb4a1d1a96d312"),
];

thread_local! {
    /// What this thread has logged, while somebody wants to know.
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A subscriber for the whole process: one for a test alone would come and go, and what other tests log at that moment
/// is then remembered as unwanted for this one too.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let is_wanted = dynamic_filter_fn(|_, _| LOGGED.with_borrow(Option::is_some));
        let lines = tracing_subscriber::fmt::layer().json().with_writer(|| OfThread).with_filter(is_wanted);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines)).unwrap();
    });
}

struct OfThread;

impl io::Write for OfThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.get_or_insert_default().extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks with these headers besides the usual ones, and gives what was logged.
async fn logged(bench: &Bench, more: &[(&'static str, &str)], parameters: Value) -> Vec<Value> {
    let mut headers = headers();
    for (name, value) in more {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    listen();
    let path = format!("{}?accepts_incomplete=true", path());
    let body = provision_body(&parameters);
    LOGGED.set(Some(Vec::new()));
    // A test has one thread, so that all of it is logged on this one.
    ask(&bench.service(), Method::PUT, &path, &headers, Some(body)).await;
    let bytes = LOGGED.take().unwrap();
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn r14_every_line_of_a_request_names_it() {
    let bench = Bench::new();
    let sent = NAMES.map(|(header, _, value)| (header, value));
    // Refused, and accepted: each is worth a line.
    for parameters in [json!({"colour": "red"}), json!({"domain": "a.gov"})] {
        let lines = logged(&bench, &sent, parameters).await;
        assert!(!lines.is_empty());
        for (_, field, value) in NAMES {
            assert!(lines.iter().all(|line| line["span"][field] == value), "{field}: {lines:?}");
        }
    }
}

#[tokio::test]
async fn r14_what_is_not_sent_is_not_named_and_what_is_long_is_cut() {
    let bench = Bench::new();
    let long = "x".repeat(5000);
    let lines = logged(&bench, &[(NAMES[0].0, &long)], json!({"colour": "red"})).await;
    assert_eq!(lines[0]["span"]["request.identity"], json!("x".repeat(255)));
    assert_eq!(lines[0]["span"].get("trace.id"), None);
}
