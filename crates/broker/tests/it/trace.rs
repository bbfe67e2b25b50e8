//! R14: every line of a request names it as the platform does, and so does every line of the work that it has begun.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Once};

use contract::{Alert, Alerts as _, OperationState};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::harness::{Bench, DOMAINS, ID, ask, headers, path, provision_body};

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

/// What is logged while something is done. A test has one thread, so that all of it is logged on this one.
async fn listening<T>(work: impl Future<Output = T>) -> Vec<Value> {
    listen();
    LOGGED.set(Some(Vec::new()));
    work.await;
    let bytes = LOGGED.take().unwrap();
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asks with these headers besides the usual ones, and gives what was logged.
async fn logged(bench: &Bench, more: &[(&'static str, &str)], parameters: Value) -> Vec<Value> {
    let mut headers = headers();
    for (name, value) in more {
        headers.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let path = format!("{}?accepts_incomplete=true", path());
    let body = provision_body(&parameters);
    listening(ask(&bench.service(), Method::PUT, &path, &headers, Some(body))).await
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

/// A refusal says what was refused: method, path and instance, whatever was wrong.
#[tokio::test]
async fn r14_a_refusal_names_instance_method_and_path() {
    let bench = Bench::new();
    let nobody = HeaderMap::new();
    let mut stranger = headers();
    stranger.insert("authorization", HeaderValue::from_static("Basic eDp5"));
    let mut old = headers();
    old.remove("x-broker-api-version");
    for (method, headers) in
        [(Method::PUT, headers()), (Method::PUT, old), (Method::PUT, stranger), (Method::POST, headers())]
    {
        let lines = listening(ask(&bench.service(), method.clone(), &path(), &headers, None)).await;
        assert!(!lines.is_empty(), "{method}");
        for line in &lines {
            assert_eq!(line["span"]["http.method"], method.as_str(), "{line}");
            assert_eq!(line["span"]["http.path"], path(), "{line}");
            assert_eq!(line["span"]["instance.id"], ID, "{line}");
        }
    }
    assert!(listening(ask(&bench.service(), Method::GET, "/v2/catalog", &nobody, None)).await.is_empty());
}

/// Who gives no name is given one, of their own.
#[tokio::test]
async fn r14_a_request_without_a_name_is_given_one() {
    let bench = Bench::new();
    let service = bench.service();
    let mut names = Vec::new();
    for _ in 0..2 {
        let lines = listening(ask(&service, Method::POST, &path(), &headers(), None)).await;
        names.push(lines[0]["span"]["request.identity"].as_str().unwrap().to_owned());
    }
    assert!(names[0] != names[1] && !names[0].is_empty(), "{names:?}");
}

/// Background work goes on under the name of the request that has begun it.
#[tokio::test]
async fn r14_every_line_of_the_work_names_operation_instance_and_request() {
    let bench = Bench::new();
    let (header, field, name) = NAMES[0];
    bench.prove_all();
    logged(&bench, &[(header, name)], json!({"domain": DOMAINS.join(",")})).await;
    let ended = bench.work_until(async |bench| bench.latest().await == Some(OperationState::Succeeded));
    let lines = listening(ended).await;
    let of_work = |line: &&Value| line["fields"].get("step").is_some();
    assert!(lines.iter().filter(of_work).count() > 5, "{lines:?}");
    for line in lines.iter().filter(of_work) {
        assert_eq!(line["span"][field], name, "{line}");
        assert_eq!(line["span"]["instance.id"], ID, "{line}");
        assert_eq!(line["span"]["operation.id"], line["fields"]["operation.id"], "{line}");
    }
}

/// An alert about an operation or an instance names it in fields, not only in its sentence.
#[tokio::test]
async fn alerts_name_operation_and_instance() {
    let Bench { world, .. } = Bench::new();
    let store = Arc::new(world.store);
    let notifier = broker::Notifier::new(
        store.clone(),
        store,
        Vec::new(),
        Arc::new(world.clock),
        Arc::new(world.randomness),
    );
    for (subject, operation, instance) in [
        ("operation o-1 of instance i-1", json!("o-1"), json!("i-1")),
        ("certificate of instance i-2", Value::Null, json!("i-2")),
        ("check expiry", Value::Null, Value::Null),
    ] {
        let raised = async {
            notifier.raise(Alert::new(subject, "It is so.")).await;
            notifier.resolve(Alert::new(subject, "It is over.")).await;
        };
        let lines = listening(raised).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in &lines {
            assert_eq!(line["fields"]["operation.id"], operation, "{line}");
            assert_eq!(line["fields"]["instance.id"], instance, "{line}");
        }
    }
}
