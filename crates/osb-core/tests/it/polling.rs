//! R27, R66–R71, R75: which operation a poll is answered for.

use std::time::Duration;

use osb_core::{KnownOperation, LastOperationDecision, OperationId, decide_last_operation};

use crate::support::{Ask, as_poll};

const HOUR: Duration = Duration::from_hours(1);

fn known(id: &str) -> KnownOperation {
    KnownOperation { id: OperationId::parse(id).unwrap(), deleted_for: None }
}

fn deleted(id: &str, ago: Duration) -> KnownOperation {
    KnownOperation { deleted_for: Some(ago), ..known(id) }
}

/// The id that is reported and whether it was the one asked for, or the status of the answer.
fn decide(query: &str, known: &[KnownOperation]) -> Result<(String, bool), u16> {
    match decide_last_operation(&as_poll(&Ask::poll().query(query)), known, HOUR) {
        LastOperationDecision::Report { operation, as_asked } => Ok((operation.id.to_string(), as_asked)),
        LastOperationDecision::Answer(response) => Err(response.status().as_u16()),
    }
}

#[test]
fn r66_an_unknown_instance_is_404() {
    assert_eq!(decide("operation=create-1", &[]), Err(404));
    assert_eq!(decide("", &[]), Err(404));
}

/// R68: also when it is over and another has begun.
#[test]
fn r68_r69_the_operation_asked_about_is_reported() {
    let operations = [known("delete-2"), known("create-1")];
    assert_eq!(decide("operation=create-1", &operations), Ok(("create-1".to_owned(), true)));
    assert_eq!(decide("operation=delete%2D2", &operations), Ok(("delete-2".to_owned(), true)));
}

#[test]
fn r69_an_operation_survives_the_encoding() {
    for (query, operation) in
        [("operation=a%25b%26c%2Bd%20e", "a%b&c+d e"), ("operation=a+b", "a b"), ("operation=", "")]
    {
        assert_eq!(as_poll(&Ask::poll().query(query)).operation.as_deref(), Some(operation));
    }
}

/// R27: never a 400, which Cloud Controller takes for the end.
#[test]
fn r27_r70_without_a_known_operation_the_latest_is_reported() {
    let operations = [known("delete-2"), known("create-1")];
    let vague = [
        "",
        "operation=",
        "operation",
        "operation=provision",
        "operation=%zz",
        "operation=%ff",
        "operation=%zz&operation=x",
    ];
    for query in vague {
        assert_eq!(decide(query, &operations), Ok(("delete-2".to_owned(), false)), "{query}");
    }
    assert_eq!(as_poll(&Ask { query: None, ..Ask::poll() }).operation, None);
}

#[test]
fn r71_hints_are_never_refused() {
    let operations = [known("create-1")];
    for hints in [
        "service_id=none&plan_id=none",
        "service_id=&plan_id=%zz",
        "plan_id=a&plan_id=b",
        "accepts_incomplete=%",
    ] {
        let query = format!("operation=create-1&{hints}");
        assert_eq!(decide(&query, &operations), Ok(("create-1".to_owned(), true)), "{hints}");
    }
}

#[test]
fn r67_a_deletion_is_reported_for_a_while_then_gone_then_unknown() {
    let just_before = HOUR.checked_sub(Duration::from_nanos(1)).unwrap();
    for query in ["operation=delete-2", "operation=deprovision", ""] {
        assert!(decide(query, &[deleted("delete-2", Duration::ZERO), known("create-1")]).is_ok());
        assert!(decide(query, &[deleted("delete-2", just_before), known("create-1")]).is_ok());
        assert_eq!(decide(query, &[deleted("delete-2", HOUR), known("create-1")]), Err(410));
        assert_eq!(decide(query, &[]), Err(404));
    }
}

/// A new instance under an old id is not taken for the deleted one.
#[test]
fn r67_an_id_that_is_used_again() {
    let operations = [known("create-3"), deleted("delete-2", 2 * HOUR)];
    assert_eq!(decide("operation=create-3", &operations), Ok(("create-3".to_owned(), true)));
    assert_eq!(decide("", &operations), Ok(("create-3".to_owned(), false)));
    assert_eq!(decide("operation=delete-2", &operations), Err(410));
}
