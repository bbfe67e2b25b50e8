//! R8–R18: what comes and goes in headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use osb_core::{Api, ErrorCode, OriginatingIdentity, Response, claimed_user};
use serde_json::json;

use crate::support::{
    AUTHORIZATION, Ask, CONTENT_TYPE, REQUEST_IDENTITY, VERSION, basic, body, catalog, sent,
};

const ORIGINATING_IDENTITY: &str = "x-broker-api-originating-identity";

fn catalog_request() -> Ask {
    Ask::new("GET", "/v2/catalog")
}

#[test]
fn r8_r9_a_version_that_is_not_2_x_is_412() {
    for version in ["", "1.0", "3.0", "abc", "2", "2.", "2.x", "2.1.0", "2.-1", "2.+1", "02.1", " 2", "v2.17"]
    {
        let response = catalog_request().header(VERSION, version).refusal();
        assert_eq!(response.status(), 412, "{version:?}");
        assert_eq!(response.error_code(), Some("ApiVersionNotSupported"));
        let description = response.description().unwrap();
        assert!(description.contains("X-Broker-API-Version") && description.contains("2.x"), "{description}");
    }
    assert_eq!(catalog_request().without(VERSION).refusal().status(), 412);
    assert_eq!(catalog_request().raw_header(VERSION, b"2.\xff").refusal().status(), 412);
}

/// Whoever sends much is not sent it back.
#[test]
fn r8_no_more_than_a_piece_of_a_version_is_repeated() {
    for version in ["x".repeat(60_000), "\u{e9}".repeat(30_000)] {
        let refusal = catalog_request().raw_header(VERSION, version.as_bytes()).refusal();
        let description = refusal.description().unwrap();
        assert!(description.len() < 1000 && description.ends_with("...\"."), "{description}");
    }
}

#[test]
fn r10_every_minor_version_is_accepted() {
    for (version, minor) in [("2.0", 0), ("2.13", 13), ("2.15", 15), ("2.17", 17), ("2.99", 99)] {
        let call = catalog_request().header(VERSION, version).call();
        assert_eq!(call.api_version.minor, minor);
        assert_eq!(call.api_version.to_string(), version);
    }
    assert_eq!(
        catalog_request().header(VERSION, "2.99999999999999999999").call().api_version.minor,
        u32::MAX
    );
}

#[test]
fn r11_an_unreadable_identity_never_refuses_a_request() {
    assert_eq!(catalog_request().call().identity, None);
    let array = format!("cloudfoundry {}", STANDARD.encode("[]"));
    for value in ["", "cloudfoundry", "cloudfoundry ", "cloudfoundry %%%", "cloudfoundry e30=x", &array] {
        let call = catalog_request().header(ORIGINATING_IDENTITY, value).call();
        assert_eq!(call.identity, Some(OriginatingIdentity::Invalid), "{value:?}");
        assert_eq!(call.identity.unwrap().audit(), "invalid");
    }
    let call = catalog_request().raw_header(ORIGINATING_IDENTITY, b"cloudfoundry \xff").call();
    assert_eq!(call.identity, Some(OriginatingIdentity::Invalid));
}

#[test]
fn r12_the_audit_line_names_the_user_and_nothing_else() {
    let audit = |platform: &str, claims: serde_json::Value| {
        let value = format!("{platform} {}", STANDARD.encode(claims.to_string()));
        catalog_request().header(ORIGINATING_IDENTITY, &value).call().identity.unwrap().audit()
    };
    assert_eq!(audit("cloudfoundry", json!({"user_id": "u-1", "email": "x@y"})), "cloudfoundry u-1");
    let kubernetes = json!({"username": "duke", "uid": "c2d", "groups": ["a"], "extra": {}});
    assert_eq!(audit("kubernetes", kubernetes), "kubernetes c2d");
    assert_eq!(audit("kubernetes", json!({"username": "duke"})), "kubernetes duke");
    assert_eq!(audit("other", json!({})), "other unknown");
    assert_eq!(audit("cloudfoundry", json!({"user_id": 7})), "cloudfoundry unknown");
    assert_eq!(audit("cloudfoundry", json!({"user_id": "a\nb\u{1b}c"})), "cloudfoundry abc");
    assert_eq!(audit("cloudfoundry", json!({"user_id": "u".repeat(9999)})).len(), 255);
}

#[test]
fn r13_the_request_identity_is_on_every_error() {
    let wrong = [
        catalog_request().without(AUTHORIZATION),
        catalog_request().without(VERSION),
        Ask::new("GET", "/v2/elsewhere"),
        Ask::new("POST", "/v2/catalog"),
        Ask::provision().body(b"["),
        Ask::provision().query(""),
        Ask::new("DELETE", "/v2/service_instances/i/service_bindings/b"),
    ];
    for ask in wrong {
        assert_eq!(ask.refusal().headers()[REQUEST_IDENTITY], "asked-1", "{ask:?}");
        assert!(!ask.without(REQUEST_IDENTITY).refusal().headers().contains_key(REQUEST_IDENTITY));
    }
}

#[test]
fn r13_hostile_request_identities_come_back_unchanged() {
    let long = "x".repeat(20_000);
    for value in [b"".as_slice(), b"\xff\xfe\t;,\"", long.as_bytes()] {
        let ask = catalog_request().raw_header(REQUEST_IDENTITY, value);
        assert_eq!(ask.call().request_identity.unwrap().as_bytes(), value);
        let response = Response::too_large(1).for_request(&ask.headers);
        assert_eq!(response.headers()[REQUEST_IDENTITY].as_bytes(), value);
    }
    let response = Response::gone().for_request(&catalog_request().headers).for_request(&HeaderMap::new());
    assert!(!response.headers().contains_key(REQUEST_IDENTITY));
}

#[test]
fn r15_errors_are_json_objects_and_say_so() {
    let (status, headers, content) = sent(catalog_request().without(AUTHORIZATION).refusal());
    assert_eq!(status, 401);
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    assert!(serde_json::from_slice::<serde_json::Value>(&content).unwrap().is_object());
    assert_eq!(body(Response::gone()), json!({}));
}

#[test]
fn r16_content_types() {
    for good in
        ["application/json", "application/json; charset=utf-8", "Application/JSON;x=y", " application/json "]
    {
        assert!(Ask::provision().header(CONTENT_TYPE, good).read().is_ok(), "{good}");
    }
    assert!(Ask::provision().without(CONTENT_TYPE).read().is_ok());
    for bad in ["", "text/plain", "application/jsonx", "application/x-www-form-urlencoded", "application/xml"]
    {
        let refused = Ask::provision().header(CONTENT_TYPE, bad).refused();
        assert_eq!(refused, (400, "InvalidRequest".to_owned()), "{bad}");
    }
    assert_eq!(Ask::provision().raw_header(CONTENT_TYPE, b"application/json\xff").refusal().status(), 400);
    assert!(Ask::deprovision().header(CONTENT_TYPE, "text/plain").read().is_ok());
}

#[test]
fn r18_wrong_credentials_are_401_with_a_challenge() {
    let no_base64 = "Basic new:secret";
    let bearer = basic("new:secret").replace("Basic", "Bearer");
    let pairs = [
        "new:wrong",
        "wrong:secret",
        "new",
        "new:",
        ":secret",
        ":",
        "",
        "old:pass",
        "new:secret\0",
        "new:pass:word",
    ];
    let mut wrong: Vec<String> = pairs.iter().map(|pair| basic(pair)).collect();
    wrong.extend([no_base64.to_owned(), bearer, "Basic".to_owned(), "Basic ".to_owned(), String::new()]);
    for value in wrong {
        let response = catalog_request().header(AUTHORIZATION, &value).refusal();
        assert_eq!(response.status(), 401, "{value}");
        assert_eq!(response.error_code(), Some("Unauthorized"));
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic realm="));
    }
    let not_utf8 = format!("Basic {}", STANDARD.encode(b"new:\xff\xfe"));
    assert_eq!(catalog_request().header(AUTHORIZATION, &not_utf8).refusal().status(), 401);
    assert_eq!(catalog_request().raw_header(AUTHORIZATION, b"Basic \xff").refusal().status(), 401);
    assert_eq!(catalog_request().without(AUTHORIZATION).refusal().status(), 401);
}

#[test]
fn r18_every_credential_opens_and_the_scheme_has_no_case() {
    for value in [basic("new:secret"), basic("old:pass:word"), basic("new:secret").replace("Basic", "bAsIc")]
    {
        assert!(catalog_request().header(AUTHORIZATION, &value).read().is_ok(), "{value}");
    }
}

#[test]
fn r18_without_credentials_nobody_is_let_in() {
    let api = Api::new(catalog(), Vec::new()).unwrap();
    assert_eq!(catalog_request().read_by(&api).unwrap_err().status(), 401);
}

#[test]
fn r18_a_challenge_comes_with_every_401() {
    let response = Response::error(ErrorCode::Unauthorized, "No.");
    assert!(response.headers().contains_key("www-authenticate"));
}

#[test]
fn r18_credentials_that_open_to_anybody_cannot_be_made() {
    use osb_core::{Credential, InvalidCredential};
    assert_eq!(Credential::new("", "x").err(), Some(InvalidCredential::User));
    assert_eq!(Credential::new("a:b", "x").err(), Some(InvalidCredential::User));
    assert_eq!(Credential::new("a", "").err(), Some(InvalidCredential::Password));
    assert_eq!(format!("{:?}", Credential::new("user", "secret").unwrap()), "Credential");
}

/// R118: whom a wrong password was for, so that it can be counted.
#[test]
fn r118_the_claimed_user_is_what_stands_before_the_first_colon() {
    let claimed = |value: &str| claimed_user(&Ask::new("GET", "/").header(AUTHORIZATION, value).headers);
    assert_eq!(claimed(&basic("user:pass:word")), Some(b"user".to_vec()));
    assert_eq!(claimed(&basic(":password")), Some(Vec::new()));
    for none in ["", "Basic", "Basic !!!", "Bearer x", &basic("without a colon")] {
        assert_eq!(claimed(none), None, "{none}");
    }
    assert_eq!(claimed_user(&Ask::new("GET", "/").without(AUTHORIZATION).headers), None);
}
