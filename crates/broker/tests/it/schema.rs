//! R39 to R41: the schemas that the catalog serves, and the code that reads the parameters, say the same.

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use broker::{Offer, Offering, read_settings};
use contract::DomainName;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::harness::Bench;

const DRAFT: &str = "http://json-schema.org/draft-04/schema#";

/// A schema as a platform has it: read from the catalog, and checked against the meta-schema of draft 04.
struct Served {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Served {
    fn new(action: &str) -> Self {
        let catalog = serde_json::to_value(Offering::built_in(false).catalog).unwrap();
        let schema = &catalog["services"][0]["plans"][0]["schemas"]["service_instance"][action]["parameters"];
        assert_eq!(schema["$schema"], DRAFT);
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.set_default_draft(Draft::V4);
        compiler.add_resource("https://broker.example/schema", schema.clone()).unwrap();
        let index = compiler.compile("https://broker.example/schema", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn takes(&self, parameters: &Value) -> bool {
        self.schemas.validate(parameters, self.index).is_ok()
    }
}

fn code_takes(parameters: &Value) -> Result<(), String> {
    let default = DomainName::parse("apps.example.org").unwrap();
    let read =
        read_settings(parameters.as_object().unwrap(), &default, Offer { logging: true, letters: true });
    read.map(drop).map_err(|mistake| mistake.to_string())
}

/// The parameters that the schema for this action knows, and one that it does not.
fn names(action: &str) -> Vec<String> {
    let catalog = serde_json::to_value(Offering::built_in(false).catalog).unwrap();
    let schema = &catalog["services"][0]["plans"][0]["schemas"]["service_instance"][action]["parameters"];
    let known = schema["properties"].as_object().unwrap().keys().cloned();
    known.chain(["colour".to_owned()]).collect()
}

/// Values that some parameter takes, and values that none does.
fn value() -> impl Strategy<Value = Value> {
    let text = select(vec![
        "",
        "*",
        "a",
        "/",
        "/p",
        "/404.html",
        "www.example.gov",
        "a.gov, b.gov",
        "origin.example.net",
        "X-A,x-b",
        "X-A",
        "x a",
        "p",
        "/a b",
        "/a-b/[c]@d,e;f=~",
        "session",
        "CachingDisabled",
        "Managed-CachingDisabled",
        "AllViewer",
        "PriceClass_All",
        "TLSv1.2_2021",
        "TLSv1",
    ]);
    let leaf = prop_oneof![
        4 => text.prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(vec![-1_i64, 0, 60, 86_400, 31_536_000, i64::MAX]).prop_map(Value::from),
        1 => Just(json!(1.5)),
    ];
    let codes = select(vec!["400", "404", "418", "503"]).prop_map(str::to_owned);
    prop_oneof![
        4 => leaf.clone(),
        1 => vec(leaf.clone(), 0..4).prop_map(Value::from),
        1 => btree_map(codes, leaf, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
    ]
}

fn parameters(action: &'static str) -> impl Strategy<Value = Value> {
    let others = btree_map(select(names(action)), value(), 0..4);
    (others, any::<bool>()).prop_map(|(map, with_domain)| {
        let domain = with_domain.then(|| ("domain".to_owned(), json!("www.example.gov")));
        Value::Object(map.into_iter().chain(domain).collect())
    })
}

/// The parameters that there are, with values that nobody would think of.
fn anything() -> impl Strategy<Value = Value> {
    let text =
        prop_oneof!["\\PC{0,20}", "([a-z0-9*.,:/ -]|\\PC){0,90}", "(.|\\s){0,12}"].prop_map(Value::from);
    let leaf = prop_oneof![
        3 => text,
        1 => value(),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-1000_i32..1000).prop_map(|number| Value::from(f64::from(number) / 4.0)),
    ];
    let deep = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z0-9]{0,3}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let others = btree_map(prop_oneof![9 => select(names("update")), 1 => "\\PC{0,9}"], deep, 0..5);
    others.prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// R41: what the documentation shows, and what the schema could be taken to forbid.
#[test]
fn r39_r40_r41_the_schemas_are_of_draft_04_and_take_what_the_code_takes() {
    let (create, update) = (Served::new("create"), Served::new("update"));
    for good in [
        json!({"domain": "www.example.gov"}),
        json!({"domains": ["www.example.gov", "*.example.gov"], "origin": "o.example.net", "insecure_origin": true}),
        json!({"domain": "a.gov", "cookies": ["a"], "headers": ["*"], "default_ttl": 0}),
        json!({"domain": "a.gov", "forward_cookies": "a, b", "forward_headers": "X-A"}),
        json!({"domain": "a.gov", "cache_policy": "CachingDisabled", "origin_request_policy": "AllViewer"}),
        json!({"domain": "a.gov", "cache_policy": "Managed-CachingDisabled"}),
        json!({"domain": "a.gov", "error_responses": {"404": "/404.html"}, "compress": true, "hsts": false}),
        json!({"domain": "a.gov", "price_class": "PriceClass_All", "minimum_tls": "TLSv1.2_2021", "logging": true}),
        json!({"domain": "a.gov", "path": null, "origin": null, "cookies": null, "error_responses": null}),
    ] {
        assert_eq!(code_takes(&good), Ok(()), "{good}");
        assert!(create.takes(&good) && update.takes(&good), "{good}");
    }
    assert!(update.takes(&json!({})) && !create.takes(&json!({})));
    for (bad, both) in [
        (json!({"domain": "a.gov", "domains": ["b.gov"]}), true),
        (json!({"domain": null, "domains": null}), false),
        (json!({"domain": "a.gov", "path": "p"}), true),
        (json!({"domain": "a.gov", "path": "/a b"}), true),
        (json!({"domain": "a.gov", "headers": ["x a"]}), true),
        (json!({"domain": "a.gov", "cookies": [""]}), true),
        (json!({"domain": "a.gov", "error_responses": {"404": "/a b"}}), true),
    ] {
        assert!(code_takes(&bad).is_err(), "{bad}");
        assert!(!create.takes(&bad) && (!both || !update.takes(&bad)), "{bad}");
    }
    assert!(update.takes(&json!({"invalidate": ["/*"]})) && !create.takes(&json!({"invalidate": ["/*"]})));
}

/// R41, through the front door: whatever the schema for an update refuses, the broker refuses, and changes nothing.
#[tokio::test]
async fn r41_what_the_schema_for_an_update_refuses_is_a_400() {
    let served = Served::new("update");
    let bench = Bench::serving().await;
    for (name, wrong) in [
        ("colour", json!("red")),
        ("domain", json!("")),
        ("domains", json!([])),
        ("origin", json!(7)),
        ("path", json!(["/p"])),
        ("insecure_origin", json!("yes")),
        ("cookies", json!("some")),
        ("headers", json!("X-A")),
        ("default_ttl", json!(-1)),
        ("error_responses", json!({"418": "/teapot"})),
        ("cache_policy", json!("none")),
        ("price_class", json!("PriceClass_1")),
        ("compress", json!(1)),
        ("invalidate", json!(["page"])),
        ("invalidate", json!([])),
        ("invalidate", json!(["/a b"])),
        ("invalidate", json!(["/a*b"])),
    ] {
        let parameters = json!({name: wrong});
        assert!(!served.takes(&parameters), "{parameters}");
        let answer = bench.update(parameters.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text("error")),
            (400, "InvalidParameters"),
            "{parameters}"
        );
        assert!(answer.text("description").contains(name), "{answer:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever it is, it is read or refused with one sentence of a readable length; nothing panics.
    #[test]
    fn any_parameters_are_read_or_refused_with_a_sentence(parameters in anything()) {
        if let Err(sentence) = code_takes(&parameters) {
            prop_assert!(sentence.ends_with('.') && sentence.chars().count() < 1000, "{parameters}: {sentence}");
        }
    }

    /// The target of `tests/fuzz`, driven by generated JSON and by any bytes.
    #[test]
    fn fuzz_parameters(parameters in anything(), bytes in vec(any::<u8>(), 0..60)) {
        broker::fuzz_parameters(parameters.to_string().as_bytes());
        broker::fuzz_parameters(&bytes);
    }

    /// R41: what the code takes is what the schema takes. The other way round there are rules that no schema can say.
    #[test]
    fn r41_what_the_schema_refuses_the_code_refuses(parameters in parameters("create")) {
        if code_takes(&parameters).is_ok() {
            prop_assert!(Served::new("create").takes(&parameters), "{parameters}");
        }
    }
}
