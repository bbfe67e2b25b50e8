//! Generated input: never a panic, never a 5xx, never a body that is not a JSON object with a description.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method};
use osb_core::{ErrorCode, OriginatingIdentity, Response, same_json};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Number, Value};

use crate::support::{Ask, VERSION, as_poll, sent};

const IDENTITY: &str = "x-broker-api-originating-identity";

fn few() -> ProptestConfig {
    ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() }
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..60)
        .prop_filter("a value that a server lets through", |v| HeaderValue::from_bytes(v).is_ok())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i32..1000).prop_map(|n| Value::from(f64::from(n) / 4.0)),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-d]{1,2}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Paths and queries near those of the protocol.
fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        select(vec![
            "v2",
            "catalog",
            "service_instances",
            "service_bindings",
            "last_operation",
            "i-1",
            "%2F",
            "%",
            ""
        ])
        .prop_map(str::to_owned),
        "[!-~]{0,9}",
    ];
    let free = vec(segment, 0..7).prop_map(|segments| format!("/{}", segments.join("/")));
    prop_oneof![free, "/v2/service_instances/[a-z%0-9]{1,6}(/last_operation)?"]
}

fn query() -> impl Strategy<Value = Option<String>> {
    let name = select(vec!["accepts_incomplete", "service_id", "plan_id", "operation", "x", "%6f"]);
    let value = prop_oneof![Just("true".to_owned()), Just("cache-service".to_owned()), "[!-~]{0,9}"];
    let pairs = vec((name, value).prop_map(|(name, value)| format!("{name}={value}")), 0..5);
    proptest::option::of(pairs.prop_map(|pairs| pairs.join("&")))
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let fields = select(vec![
        "service_id",
        "plan_id",
        "space_guid",
        "organization_guid",
        "parameters",
        "maintenance_info",
    ]);
    let value = prop_oneof![json(), Just("cache-service".into()), Just("small-plan".into())];
    let object = btree_map(fields.prop_map(str::to_owned), value, 0..7)
        .prop_map(|map| Value::Object(map.into_iter().collect()).to_string().into_bytes());
    prop_oneof![object, vec(any::<u8>(), 0..60)]
}

fn request() -> impl Strategy<Value = Ask> {
    let method = select(vec!["GET", "PUT", "PATCH", "DELETE", "POST", "HEAD", "OPTIONS", "TRACE", "MADE-UP"]);
    (method, path(), query(), content(), header(), any::<bool>()).prop_map(
        |(method, path, query, body, header, typed)| {
            let ask = Ask::new("GET", &path).raw_header(IDENTITY, &header);
            let ask = if typed { ask.raw_header("content-type", &header) } else { ask };
            Ask { method: method.parse::<Method>().unwrap(), query, body, ..ask }
        },
    )
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"))
}

/// The same value, written differently: whole numbers as floats, as far as they are exact.
fn rewritten(value: &Value) -> Value {
    match value {
        Value::Number(number) => number
            .as_i64()
            .and_then(|n| i32::try_from(n).ok())
            .and_then(|n| Number::from_f64(f64::from(n)))
            .map_or_else(|| value.clone(), Value::Number),
        Value::Array(items) => items.iter().map(rewritten).collect(),
        Value::Object(fields) => fields
            .iter()
            .rev()
            .map(|(name, value)| (name.clone(), rewritten(value)))
            .collect::<Map<_, _>>()
            .into(),
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(few())]

    /// R16, R22, R23, R27, R114.
    #[test]
    fn any_request_gets_an_operation_or_a_proper_refusal(ask in request()) {
        if let Err(response) = ask.read() {
            let (status, headers, content) = sent(response);
            prop_assert!(status.is_client_error(), "{status}");
            prop_assert_eq!(&headers["content-type"], "application/json");
            let body: Map<String, Value> = serde_json::from_slice(&content).unwrap();
            let described = body.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            prop_assert!(described || status == 410, "{status} {body:?}");
        }
    }

    /// R27: a poll of a possible instance is never refused.
    #[test]
    fn any_poll_is_read(query in query(), body in content()) {
        let ask = Ask { query, ..Ask::poll().body(&body) };
        prop_assert!(ask.read().is_ok());
    }

    /// R20, R69: decoded once, whatever is in it.
    #[test]
    fn an_encoded_operation_comes_out_as_it_went_in(operation in "\\PC{0,40}") {
        let ask = Ask::poll().query(&format!("x=%zz&operation={}", percent_encoded(&operation)));
        prop_assert_eq!(as_poll(&ask).operation, Some(operation));
    }

    /// R20: an id that is encoded twice is no id.
    #[test]
    fn an_instance_id_is_decoded_once(id in "[A-Za-z0-9._~-]{1,80}") {
        let once = percent_encoded(&id);
        let poll = |id: &str| Ask::poll().path(&format!("/v2/service_instances/{id}/last_operation"));
        prop_assert_eq!(as_poll(&poll(&once)).instance_id, id);
        prop_assert_eq!(poll(&percent_encoded(&once)).refusal().status(), 400);
    }

    /// R20: what is read is what the rule allows.
    #[test]
    fn any_path_segment_is_an_id_or_refused(segment in "[!-.0->@-~]{1,20}") {
        match Ask::poll().path(&format!("/v2/service_instances/{segment}/last_operation")).read() {
            Ok(call) => {
                let osb_core::Operation::LastOperation(poll) = call.operation else { unreachable!() };
                prop_assert!(poll.instance_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)));
            }
            Err(response) => prop_assert_eq!(response.status(), 400),
        }
    }

    /// R8–R10.
    #[test]
    fn any_version_is_2_x_or_refused(version in header(), minor in "[0-9]{1,30}") {
        let ask = |version: &[u8]| Ask::new("GET", "/v2/catalog").raw_header(VERSION, version);
        let minor = format!("2.{minor}");
        prop_assert!(ask(minor.as_bytes()).read().is_ok());
        let good = version.strip_prefix(b"2.").is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit));
        prop_assert_eq!(ask(&version).read().map_err(|refusal| refusal.status().as_u16()).err(), (!good).then_some(412));
    }

    /// R11, R12.
    #[test]
    fn any_identity_is_read_or_marked(
        value in header(), platform in "[a-z]{1,12}", claims in btree_map("[a-z_]{1,9}", json(), 0..4), user in "\\PC{0,300}",
    ) {
        let identity = |value: &[u8]| Ask::new("GET", "/v2/catalog").raw_header(IDENTITY, value).call().identity.unwrap();
        let audit = identity(&value).audit();
        prop_assert!(audit.chars().count() <= 255 && !audit.contains(char::is_control));
        let mut claims: Map<String, Value> = claims.into_iter().collect();
        claims.insert("user_id".to_owned(), user.into());
        let encoded = STANDARD.encode(Value::Object(claims.clone()).to_string());
        match identity(format!("{platform} {encoded}").as_bytes()) {
            OriginatingIdentity::Known(known) => prop_assert_eq!((known.platform, known.claims), (platform, claims)),
            OriginatingIdentity::Invalid => prop_assert!(false, "not read"),
        }
    }

    /// R54.
    #[test]
    fn a_value_written_differently_is_the_same(value in json()) {
        let other = rewritten(&value);
        prop_assert!(same_json(&value, &other) && same_json(&other, &value), "{value} {other}");
    }

    /// R54: what serde_json takes for equal is the same, and the comparison has no sides.
    #[test]
    fn sameness_is_symmetric_and_no_coarser_than_it_should_be(a in json(), b in json()) {
        prop_assert_eq!(same_json(&a, &b), same_json(&b, &a));
        prop_assert_eq!(same_json(&a, &b), rewritten(&a) == rewritten(&b));
    }

    /// R54: one changed value makes a difference.
    #[test]
    fn a_changed_field_is_seen(fields in btree_map("[a-d]{1,2}", json(), 1..5), which in any::<Index>()) {
        let before: Map<String, Value> = fields.into_iter().collect();
        let mut after = before.clone();
        let name = before.keys().nth(which.index(before.len())).unwrap().clone();
        after.insert(name.clone(), Value::Array(vec![before[&name].clone()]));
        prop_assert!(!same_json(&before.into(), &after.into()));
    }

    /// R65, R108.
    #[test]
    fn any_description_becomes_plain_text(text in prop_oneof!["\\PC{0,80}", "(\\s|.){0,80}", "(.{0,60}\n){0,90}"]) {
        let response = Response::error(ErrorCode::InvalidParameters, &text);
        let description = response.description().unwrap();
        prop_assert!((1..=32_768).contains(&description.len()));
        prop_assert!(description.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "{description:?}");
    }
}
