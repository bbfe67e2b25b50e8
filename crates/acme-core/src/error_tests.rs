use super::*;
use serde_json::json;

fn refusal(operation: Operation, status: u16, body: &serde_json::Value) -> PortError {
    let exchange = Exchange {
        url: "https://ca.example/x".into(),
        status: StatusCode::from_u16(status).ok(),
        location: None,
        retry_after: Some(Duration::from_secs(7)),
        body: body.to_string().into(),
    };
    AcmeError::Refused(Box::new(Refusal::new(operation, &exchange, "library"))).into_port()
}

fn remedy(operation: Operation, status: u16, kind: &str) -> Remedy {
    refusal(operation, status, &json!({"type": format!("urn:ietf:params:acme:error:{kind}")})).remedy()
}

#[test]
fn what_may_pass_is_tried_again_when_the_authority_says() {
    let again = Remedy::Retry { after: Some(Duration::from_secs(7)) };
    for (status, kind) in [
        (429, "rateLimited"),
        (400, "badNonce"),
        (500, "serverInternal"),
        (403, "neverHeardOf"),
        (403, "caa"),
    ] {
        assert_eq!(remedy(Operation::NewOrder, status, kind), again, "{kind}");
    }
    assert_eq!(refusal(Operation::NewOrder, 503, &json!("<html>")).remedy(), again);
    assert_eq!(remedy(Operation::ReadOrder, 400, "malformed"), again, "it is not the names");
    assert_eq!(remedy(Operation::NewAccount, 429, "rateLimited"), again);
}

#[test]
fn what_is_wrong_with_the_account_is_for_the_operator() {
    for kind in ["accountDoesNotExist", "externalAccountRequired", "userActionRequired", "unauthorized"] {
        assert_eq!(remedy(Operation::NewOrder, 403, kind), Remedy::AwaitOperator, "{kind}");
    }
    for kind in ["malformed", "unauthorized", "invalidContact", "externalAccountRequired"] {
        assert_eq!(remedy(Operation::NewAccount, 403, kind), Remedy::AwaitOperator, "{kind}");
    }
    let gone = json!({"type": "urn:ietf:params:acme:error:accountDoesNotExist"});
    let obstacle = refusal(Operation::ReadOrder, 400, &gone).obstacle().expect("it stops everybody");
    assert_eq!((obstacle.upstream, obstacle.reach), (Upstream::Authority, Reach::Everything));
    assert_eq!(refusal(Operation::NewOrder, 429, &json!({"detail": "later"})).obstacle(), None);
}

#[test]
fn names_that_are_never_certified_are_named_to_the_tenant() {
    let body = json!({
        "type": "urn:ietf:params:acme:error:rejectedIdentifier",
        "detail": "Cannot issue for 1 of 2",
        "subproblems": [{"type": "urn:ietf:params:acme:error:rejectedIdentifier",
            "detail": "The domain is on the blocklist.",
            "identifier": {"type": "dns", "value": "bad.example"}}],
    });
    let error = refusal(Operation::NewOrder, 400, &body);
    assert_eq!(error.remedy(), Remedy::GiveUp);
    assert_eq!(
        error.tenant_sentence(),
        Some("The certificate authority does not issue for `bad.example`: The domain is on the blocklist.")
    );
    assert_eq!(remedy(Operation::NewOrder, 400, "malformed"), Remedy::GiveUp);
}

#[test]
fn the_operator_reads_what_the_authority_said_and_where() {
    let body = json!({"type": "urn:ietf:params:acme:error:userActionRequired",
        "detail": "agree first", "instance": "https://ca.example/terms"});
    assert_eq!(
        refusal(Operation::NewOrder, 403, &body).to_string(),
        "could not place the order: agree first (userActionRequired), see https://ca.example/terms, \
         HTTP 403 from https://ca.example/x"
    );
    assert_eq!(
        refusal(Operation::ReadOrder, 503, &json!("<html>")).to_string(),
        "could not read the order: unexpected answer, HTTP 503 from https://ca.example/x: library"
    );
}
