//! R2, R20, R35, R113, R114, C40: paths and methods.

use http::header::ALLOW;

use osb_core::{Fetch, Operation};

use crate::support::{AUTHORIZATION, Ask, VERSION, api, body, sent};

const BINDING: &str = "/v2/service_instances/i/service_bindings/b";
const BINDING_OPERATION: &str = "/v2/service_instances/i/service_bindings/b/last_operation";

/// The ten operations of the specification that a broker serves.
fn all_operations() -> [Ask; 10] {
    [
        Ask::new("GET", "/v2/catalog"),
        Ask::provision(),
        Ask::update(),
        Ask::deprovision(),
        Ask::poll(),
        Ask::new("GET", "/v2/service_instances/i"),
        Ask::new("PUT", BINDING),
        Ask::new("GET", BINDING),
        Ask::new("DELETE", BINDING),
        Ask::new("GET", BINDING_OPERATION),
    ]
}

#[test]
fn r2_credentials_and_version_first_for_all_operations() {
    for ask in all_operations() {
        assert_eq!(ask.clone().without(AUTHORIZATION).refusal().status(), 401, "{ask:?}");
        assert_eq!(ask.clone().without(AUTHORIZATION).without(VERSION).refusal().status(), 401, "{ask:?}");
        assert_eq!(ask.clone().without(VERSION).refusal().status(), 412, "{ask:?}");
        assert_eq!(ask.clone().header(VERSION, "").refusal().status(), 412, "{ask:?}");
    }
}

#[test]
fn r35_binding_calls_have_fixed_answers() {
    assert_eq!(Ask::new("PUT", BINDING).refused(), (400, "BindingNotSupported".to_owned()));
    assert_eq!(Ask::new("GET", BINDING).refused(), (404, "NotFound".to_owned()));
    assert_eq!(Ask::new("GET", BINDING_OPERATION).refused(), (404, "NotFound".to_owned()));
    let gone = Ask::new("DELETE", BINDING).refusal();
    assert_eq!((gone.status().as_u16(), body(gone)), (410, serde_json::json!({})));
}

#[test]
fn r113_unknown_paths_are_404() {
    let paths = [
        "/",
        "",
        "*",
        "/v2",
        "/v2/",
        "/v2/catalog/",
        "/v2/catalogue",
        "/v2//catalog",
        "/v3/catalog",
        "/V2/catalog",
        "/v2/service_instances",
        "/v2/service_instances/",
        "/v2/service_instances/i/",
        "/v2/service_instances//last_operation",
        "/v2/service_instances/i/last_operation/",
        "/v2/service_instances/i/other",
        "/v2/%63atalog",
        "/v2/service_instances/i/service_bindings",
        "/v2/service_instances/i/service_bindings/b/c",
        "/x/v2/catalog",
    ];
    for path in paths {
        assert_eq!(Ask::new("GET", path).refused(), (404, "NotFound".to_owned()), "{path:?}");
    }
}

/// R114: methods that nobody expects are refused like any other.
#[test]
fn r113_r114_wrong_methods_are_405_and_say_which_are_right() {
    let instance = "/v2/service_instances/i";
    let poll = "/v2/service_instances/i/last_operation";
    let table = [
        ("/v2/catalog", "GET", ["PUT", "POST"]),
        (instance, "GET, PUT, PATCH, DELETE", ["POST", "CONNECT"]),
        (poll, "GET", ["DELETE", "PATCH"]),
        (BINDING, "GET, PUT, DELETE", ["PATCH", "POST"]),
        (BINDING_OPERATION, "GET", ["PUT", "DELETE"]),
    ];
    for (path, allow, wrong) in table {
        for method in wrong.into_iter().chain(["HEAD", "OPTIONS", "TRACE", "MADE-UP", "get"]) {
            let (status, headers, _) = sent(Ask::new(method, path).refusal());
            assert_eq!((status.as_u16(), headers[ALLOW].to_str().unwrap()), (405, allow), "{method} {path}");
        }
    }
}

#[test]
fn r20_an_instance_id_is_decoded_once() {
    let fetched = |segment: &str| {
        let ask = Ask::new("GET", &format!("/v2/service_instances/{segment}"));
        ask.read().map(|call| call.operation)
    };
    let long = "x".repeat(255);
    for (segment, id) in [("a-Z.0_~", "a-Z.0_~"), ("%61%2D%7e", "a-~"), (&long, &long), ("..", "..")] {
        let expected = Operation::Fetch(Fetch { instance_id: id.to_owned() });
        assert_eq!(fetched(segment), Ok(expected), "{segment}");
    }
    let (too_long, huge) = ("x".repeat(256), "x".repeat(1 << 20));
    let bad = [
        "%2F", "%00", "%zz", "%", "%4", "a%", "%+1", "%2561", "%C3%A9", "%ff", "é", "a b", "a+b", "a:b",
        "a;b", &too_long, &huge,
    ];
    for segment in bad {
        let response = fetched(segment).unwrap_err();
        assert_eq!(response.status(), 400, "{}", &segment[..segment.len().min(20)]);
        assert!(response.description().unwrap().contains("1 to 255"));
    }
}

#[test]
fn r20_every_operation_checks_the_instance_id() {
    for (method, rest) in
        [("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("GET", ""), ("GET", "/last_operation")]
    {
        let ask = Ask::new(method, &format!("/v2/service_instances/a%2Fb{rest}"));
        assert_eq!(ask.refused(), (400, "InvalidRequest".to_owned()), "{method} {rest}");
    }
}

/// C40: the URL of a broker may have a path.
#[test]
fn c40_a_base_path() {
    for base_path in ["cdn/broker", "/cdn/broker", "/cdn/broker/"] {
        let api = api().with_base_path(base_path);
        assert!(Ask::new("GET", "/cdn/broker/v2/catalog").read_by(&api).is_ok());
        for path in [
            "/v2/catalog",
            "/cdn/v2/catalog",
            "/cdn/brokers/v2/catalog",
            "/cdn/broker",
            "/cdn/broker//v2/catalog",
        ] {
            assert_eq!(Ask::new("GET", path).read_by(&api).unwrap_err().status(), 404, "{path}");
        }
    }
    assert!(Ask::new("GET", "/v2/catalog").read_by(&api().with_base_path("/")).is_ok());
}
