//! R14: every line of a request names it as the platform does.

use std::io;
use std::sync::{Arc, Mutex};

use http::{HeaderValue, Method};
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{Bench, ask, headers, path, provision_body};

const NAMES: [(&str, &str, &str); 4] = [
    ("x-broker-api-request-identity", "request.identity", "e26cee84-6b38-4456-b34e-d1a9f002c956"),
    ("x-vcap-request-id", "request.vcap", "1f3a"),
    ("x-b3-traceid", "trace.id", "463ac35c9f6413ad48485a3953bb6124"),
    ("x-b3-spanid", "trace.span", "a2fb4a1d1a96d312"),
];

/// What was logged, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Asks with these headers besides the usual ones, and gives what was logged.
async fn logged(bench: &Bench, more: &[(&'static str, &str)], parameters: Value) -> Vec<Value> {
    let mut headers = headers();
    for (name, value) in more {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone()).finish();
    let path = format!("{}?accepts_incomplete=true", path());
    let body = provision_body(&parameters);
    ask(&bench.service(), Method::PUT, &path, &headers, Some(body)).with_subscriber(subscriber).await;
    let bytes = lines.0.lock().unwrap().clone();
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
