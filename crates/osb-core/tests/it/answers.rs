//! R15, R17, R22–R27, R51, R59–R65, R72, R73, R78, R97, R108, R109: the form of what goes out.

use std::time::Duration;

use http::header::RETRY_AFTER;
use osb_core::{
    ErrorCode, FailedOperation, InvalidOperationId, LastOperationState, OperationId, Response, UpdateRefusal,
};
use serde_json::{Value, json};

use crate::support::{Ask, body, shown};

const CODES: [ErrorCode; 18] = [
    ErrorCode::InvalidRequest,
    ErrorCode::MissingField,
    ErrorCode::UnknownServiceOrPlan,
    ErrorCode::InvalidParameters,
    ErrorCode::BindingNotSupported,
    ErrorCode::Unauthorized,
    ErrorCode::NotFound,
    ErrorCode::MethodNotAllowed,
    ErrorCode::RequestTimeout,
    ErrorCode::InstanceConflict,
    ErrorCode::ApiVersionNotSupported,
    ErrorCode::RequestTooLarge,
    ErrorCode::AsyncRequired,
    ErrorCode::ConcurrencyError,
    ErrorCode::MaintenanceInfoConflict,
    ErrorCode::TooManyAttempts,
    ErrorCode::InternalError,
    ErrorCode::Unavailable,
];

fn operation() -> OperationId {
    OperationId::parse("provision-7f3a").unwrap()
}

fn description(text: &str) -> String {
    Response::error(ErrorCode::InvalidParameters, text).description().unwrap().to_owned()
}

#[test]
fn refusals_as_they_are_sent() {
    let refusals = [
        ("no credentials", Ask::new("GET", "/v2/catalog").without("authorization")),
        ("no version", Ask::new("GET", "/v2/catalog").without("x-broker-api-version")),
        ("another version", Ask::new("GET", "/v2/catalog").header("x-broker-api-version", "3.0")),
        ("unknown path", Ask::new("GET", "/v2/elsewhere")),
        ("wrong method", Ask::new("POST", "/v2/service_instances/i")),
        ("bad id", Ask::new("GET", "/v2/service_instances/a%2Fb")),
        ("bad type", Ask::provision().header("content-type", "text/plain")),
        ("bad json", Ask::provision().body(b"{\"a\":")),
        ("missing field", Ask::provision().lacking("space_guid")),
        ("wrong field", Ask::provision().with("parameters", &json!([]))),
        ("missing query", Ask::deprovision().query("service_id=cache-service")),
        ("unknown plan", Ask::provision().with("plan_id", &json!("none"))),
        ("synchronous", Ask::provision().query("")),
        ("bind", Ask::new("PUT", "/v2/service_instances/i/service_bindings/b")),
        ("fetch binding", Ask::new("GET", "/v2/service_instances/i/service_bindings/b")),
        ("unbind", Ask::new("DELETE", "/v2/service_instances/i/service_bindings/b")),
    ];
    let shown: Value =
        refusals.into_iter().map(|(name, ask)| (name.to_owned(), shown(ask.refusal()))).collect();
    insta::assert_json_snapshot!(shown);
}

/// R51, R59, R62, R78: no nulls anywhere.
#[test]
fn r60_r78_answers_as_they_are_sent() {
    let operation = operation();
    let url = Some("https://broker.example/i-1");
    let parameters = json!({"domain": "example.com"}).as_object().unwrap().clone();
    let answers = [
        ("provision accepted", Response::provision_accepted(&operation, url, Some("Set a TXT record."))),
        ("provision accepted, bare", Response::provision_accepted(&operation, None, None)),
        ("provisioned", Response::provisioned(url)),
        ("provisioned, bare", Response::provisioned(None)),
        ("update accepted", Response::update_accepted(&operation, None, None)),
        ("updated", Response::updated(None, Some("Nothing to do."))),
        ("updated, bare", Response::updated(None, None)),
        (
            "update refused",
            Response::update_refused(UpdateRefusal::UpdateNotSupported, "Create another instance."),
        ),
        (
            "plan change refused",
            Response::update_refused(UpdateRefusal::PlanChangeNotSupported, "Keep the plan."),
        ),
        ("deprovision accepted", Response::deprovision_accepted(&operation)),
        ("gone", Response::gone()),
        ("fetched", Response::fetched("s", "p", &parameters, url)),
        ("fetched, bare", Response::fetched("s", "p", &serde_json::Map::new(), None)),
        ("too large", Response::too_large(131_072)),
    ];
    let shown: Value = answers.into_iter().map(|(name, answer)| (name.to_owned(), shown(answer))).collect();
    assert!(!shown.to_string().contains("null"));
    insta::assert_json_snapshot!(shown);
}

/// R25, R64, R73: the exact words, and `instance_usable` and `update_repeatable` only where they may be.
#[test]
fn r64_r73_last_operations_as_they_are_sent() {
    let wait = Some(Duration::from_millis(90_001));
    let update = FailedOperation::Update { instance_usable: true, update_repeatable: false };
    let states = [
        ("in progress", LastOperationState::InProgress { retry_after: None }),
        ("in progress, later", LastOperationState::InProgress { retry_after: wait }),
        ("succeeded", LastOperationState::Succeeded),
        ("provision failed", LastOperationState::Failed(FailedOperation::Provision)),
        ("update failed", LastOperationState::Failed(update)),
        (
            "deprovision failed",
            LastOperationState::Failed(FailedOperation::Deprovision { instance_usable: false }),
        ),
    ];
    let shown: Value = states
        .into_iter()
        .map(|(name, state)| {
            (name.to_owned(), shown(Response::last_operation(state, "Line one.\nLine two.")))
        })
        .collect();
    insta::assert_json_snapshot!(shown);
}

#[test]
fn r65_a_last_operation_always_has_a_description() {
    let states = [
        LastOperationState::InProgress { retry_after: None },
        LastOperationState::Succeeded,
        LastOperationState::Failed(FailedOperation::Provision),
    ];
    for state in states {
        for text in ["", "  \n\t\r\n", "\u{0}"] {
            let response = Response::last_operation(state, text);
            assert!(response.description().unwrap().starts_with("The operation "), "{text:?}");
        }
    }
}

#[test]
fn r72_retry_after_is_whole_seconds() {
    for (wait, header) in [(0, "0"), (1, "1"), (1000, "1"), (60_001, "61"), (86_400_000, "86400")] {
        let state = LastOperationState::InProgress { retry_after: Some(Duration::from_millis(wait)) };
        assert_eq!(Response::last_operation(state, "x").headers()[RETRY_AFTER], header);
    }
    assert!(
        !Response::last_operation(LastOperationState::Succeeded, "x").headers().contains_key(RETRY_AFTER)
    );
}

#[test]
fn r23_errors_have_one_camel_case_word_and_a_sentence() {
    for code in CODES {
        let response = Response::error(code, "");
        let word = response.error_code().unwrap();
        assert!(
            word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_alphabetic())
        );
        assert_eq!((word, response.status()), (code.as_str(), code.status()));
        assert!(response.description().unwrap().ends_with('.'));
        assert_eq!(body(response).as_object().unwrap().len(), 2);
    }
}

#[test]
fn r22_r24_the_codes_that_the_specification_names() {
    for (code, word) in [
        (ErrorCode::AsyncRequired, "AsyncRequired"),
        (ErrorCode::ConcurrencyError, "ConcurrencyError"),
        (ErrorCode::MaintenanceInfoConflict, "MaintenanceInfoConflict"),
    ] {
        assert_eq!((code.as_str(), code.to_string().as_str(), code.status().as_u16()), (word, word, 422));
    }
    let statuses = [400, 400, 400, 400, 400, 401, 404, 405, 408, 409, 412, 413, 422, 422, 422, 429, 500, 503];
    assert_eq!(CODES.map(|code| code.status().as_u16()), statuses);
}

/// R26: on a provision Cloud Controller survives no other 422.
#[test]
fn r26_no_other_code_is_a_422() {
    let unprocessable = CODES.into_iter().filter(|code| code.status() == 422).count();
    assert_eq!(unprocessable, 3);
}

#[test]
fn r17_a_body_that_is_too_large() {
    let response = Response::too_large(131_072);
    assert_eq!((response.status().as_u16(), response.error_code()), (413, Some("RequestTooLarge")));
    assert!(response.description().unwrap().contains("131072 bytes"));
}

#[test]
fn r109_operation_ids() {
    for good in ["a", "provision-7f3a", &"0".repeat(64)] {
        assert_eq!(OperationId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "A", "a b", "a_b", "a%b", "é", "a\n", &"0".repeat(65)] {
        assert_eq!(OperationId::parse(bad), Err(InvalidOperationId), "{bad}");
    }
}

#[test]
fn r108_descriptions_are_plain_ascii() {
    assert_eq!(description("One.\tTwo.\r\n\u{1b}Three.  \n"), "One. Two.\nThree.");
    assert_eq!(description("“It’s” – well…\u{a0}fine"), "\"It's\" - well... fine");
    assert_eq!(description("bücher.example"), "b\\u{fc}cher.example");
    assert_eq!(description("\n\nOne.\n\n  Two.\n\n"), "One.\n\n  Two.");
}

#[test]
fn r108_long_descriptions_end_after_a_whole_line() {
    const CUT: &str = "\nThe rest of this text is left out, because it is too long to show here.";
    let exact = "x".repeat(32_768);
    assert_eq!(description(&exact), exact);
    let lines = "Set a TXT record for this name.\n".repeat(2000);
    let cut = description(&lines);
    assert!(cut.len() <= 32_768 && cut.len() > 32_768 - CUT.len() - 33, "{}", cut.len());
    let kept = cut.strip_suffix(CUT).unwrap();
    assert!(kept.lines().all(|line| line == "Set a TXT record for this name."));
    let one_line = description(&"x".repeat(40_000));
    assert_eq!((one_line.len(), one_line.ends_with(CUT)), (32_768, true));
    let room = 32_768 - CUT.len();
    let fitting = format!("One.\n{}", "x".repeat(room - 5));
    assert_eq!(description(&format!("{fitting}\n{}", "y".repeat(5000))), format!("{fitting}{CUT}"));
}

/// R118: what is said instead of 401 to whoever has been wrong too often.
#[test]
fn r118_too_many_attempts_say_when_to_come_back() {
    let answer = Response::too_many_attempts(Duration::from_millis(1500));
    assert_eq!((answer.status().as_u16(), answer.error_code()), (429, Some("TooManyAttempts")));
    assert_eq!(answer.headers()[RETRY_AFTER], "2");
    assert!(answer.description().is_some_and(|sentence| sentence.contains("let in at any time")));
}
