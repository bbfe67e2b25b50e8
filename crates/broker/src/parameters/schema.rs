//! What the parameters look like, for platforms and their user interfaces: JSON Schema, draft 04, as Cloud Controller
//! wants it (R39, R40). Every rule is here in as far as a schema can say it; the others are told in words.

use contract::{CachePolicy, MinimumTls, OriginRequestPolicy, PriceClass};
use serde_json::{Map, Value, json};

use super::delivery::CODES;
use super::forwarding::LONGEST_TTL;
use super::invalidation::{LONGEST, MOST};

const DRAFT: &str = "http://json-schema.org/draft-04/schema#";

/// What names of headers and of cookies are made of (RFC 9110, section 5.6.2).
const TOKEN: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/// A path, or nothing: printable ASCII without what ends a path or stands for something else.
const PATH: &str = r"^(/[!$-)+-;=@-\[\]_a-z~]{0,254}/?)?$";

/// The same, and it has to be there.
const PAGE: &str = r"^/[!$-)+-;=@-\[\]_a-z~]*$";

/// The same with a query, as it stands in a URL; a star at the end means all that begin so.
const PATHS: &str = r"^/[!$-)+-;=?-\[\]_a-z~]*[*]?$";

/// The parameters of a new instance.
pub(crate) fn create() -> Value {
    let mut schema = schema(&properties());
    schema["oneOf"] = json!([with("domain", "domains"), with("domains", "domain")]);
    schema
}

/// One of two names for the same, and not the other: `null` is as good as nothing.
fn with(name: &str, other: &str) -> Value {
    json!({
        "required": [name],
        "properties": {name: {"not": {"type": "null"}}, other: {"type": "null"}},
    })
}

/// The parameters of an update: the same, none of them required, and what is done once.
pub(crate) fn update() -> Value {
    let mut properties = properties();
    properties.insert(
        "invalidate".to_owned(),
        json!({
            "type": ["array", "null"], "minItems": 1, "maxItems": MOST,
            "items": {"type": "string", "maxLength": LONGEST, "pattern": PATHS},
            "description": "Paths that the edges are to fetch from the origin anew, such as `/index.html` or `/images/*`. \
                            Done once.",
        }),
    );
    let mut schema = schema(&properties);
    let given = |name: &str| json!({"required": [name], "properties": {name: {"not": {"type": "null"}}}});
    schema["not"] = json!({"allOf": [given("domain"), given("domains")]});
    schema
}

fn schema(properties: &Map<String, Value>) -> Value {
    json!({"$schema": DRAFT, "type": "object", "additionalProperties": false, "properties": properties})
}

fn properties() -> Map<String, Value> {
    [domains(), origin(), forwarding(), policies(), delivery()].into_iter().flatten().collect()
}

fn domains() -> Map<String, Value> {
    let name = json!({"type": "string", "minLength": 1, "maxLength": 253});
    object(json!({
        "domain": {"type": ["string", "null"], "minLength": 1, "description": "Your domain; several with commas between."},
        "domains": {
            "type": ["array", "null"], "minItems": 1, "maxItems": 100, "items": name,
            "description": "Your domains, as a list. Instead of `domain`.",
        },
    }))
}

fn origin() -> Map<String, Value> {
    object(json!({
        "origin": {"type": ["string", "null"], "maxLength": 253, "description": "The host the content comes from."},
        "path": {"type": ["string", "null"], "pattern": PATH, "description": "Put before the path of each request."},
        "insecure_origin": {
            "type": ["boolean", "null"],
            "description": "Fetch from an `origin` of your own over plain HTTP.",
        },
    }))
}

fn forwarding() -> Map<String, Value> {
    let names = json!({"type": "array", "items": {"type": "string", "pattern": TOKEN}});
    let headers =
        json!({"type": ["array", "null"], "maxItems": 10, "items": {"type": "string", "pattern": TOKEN}});
    let described = |mut schema: Value, description: &str| {
        schema["description"] = json!(description);
        schema
    };
    let cookies = "Cookies forwarded to the origin: true (all), false (none), or a list of names.";
    let texts = json!({"anyOf": [{"type": ["string", "null"]}, headers]});
    object(json!({
        "cookies": described(json!({"anyOf": [{"type": ["boolean", "null"]}, names]}), cookies),
        "forward_cookies": described(
            json!({"anyOf": [{"type": ["boolean", "string", "null"]}, names]}),
            "The same as `cookies`; also a string with commas, `*` for all, or empty for none.",
        ),
        "headers": described(headers, "Request headers forwarded to the origin, or [\"*\"] for all."),
        "forward_headers": described(texts, "The same as `headers`; also a string with commas."),
        "default_ttl": {
            "type": ["integer", "null"], "minimum": 0, "maximum": LONGEST_TTL,
            "description": "Seconds for which an answer is kept whose origin does not say; 86400 unless given.",
        },
    }))
}

fn policies() -> Map<String, Value> {
    object(json!({
        "cache_policy": {
            "enum": policies_of_aws(CachePolicy::ALL, CachePolicy::as_str),
            "description": "A cache policy of AWS's own, instead of `cookies`, `headers` and `default_ttl`.",
        },
        "origin_request_policy": {
            "enum": policies_of_aws(OriginRequestPolicy::ALL, OriginRequestPolicy::as_str),
            "description": "What reaches the origin besides that by which answers are kept.",
        },
    }))
}

fn delivery() -> Map<String, Value> {
    let pages: Map<String, Value> = CODES
        .iter()
        .map(|code| (code.to_string(), json!({"type": "string", "maxLength": 255, "pattern": PAGE})))
        .collect();
    object(json!({
        "error_responses": {
            "type": ["object", "null"], "additionalProperties": false, "properties": pages,
            "description": "Pages of the origin that are shown instead of its errors: status code to path.",
        },
        "compress": {"type": ["boolean", "null"], "description": "Compress what the origin has not compressed."},
        "hsts": {
            "type": ["boolean", "null"],
            "description": "Send Strict-Transport-Security, and the other headers of CloudFront's SecurityHeadersPolicy.",
        },
        "price_class": {
            "enum": named(PriceClass::ALL, PriceClass::as_str),
            "description": "Which edges serve: PriceClass_100 (the cheapest) unless given.",
        },
        "minimum_tls": {
            "enum": named(MinimumTls::ALL, MinimumTls::as_str),
            "description": "The oldest TLS that visitors may use: TLSv1.2_2021 unless given.",
        },
        "logging": {"type": ["boolean", "null"], "description": "Keep access logs, if the operator offers it."},
        "notify": {
            "type": ["string", "null"], "minLength": 3, "maxLength": 254, "pattern": "^[^@\\s]+@[^@\\s]+$",
            "description": "An e-mail address that is told what needs your hand, if the operator offers it.",
        },
    }))
}

/// The names of a closed set, and `null`.
fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<Value> {
    all.iter().map(|&one| json!(name(one))).chain([Value::Null]).collect()
}

/// The same, each also as tools show it that write `Managed-` before the name.
fn policies_of_aws<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<Value> {
    let shown = all.iter().map(|&one| json!(format!("Managed-{}", name(one))));
    shown.chain(named(all, &name)).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_knows_the_parameters_that_the_code_knows() {
        let names = |schema: &Value| {
            let mut names: Vec<String> =
                schema["properties"].as_object().expect("an object").keys().cloned().collect();
            names.sort_unstable();
            names
        };
        let mut in_code: Vec<String> = crate::parameters::KNOWN.iter().map(|&name| name.to_owned()).collect();
        in_code.sort_unstable();
        assert_eq!(names(&create()), in_code);
        in_code.push("invalidate".to_owned());
        in_code.sort_unstable();
        assert_eq!(names(&update()), in_code);
    }
}
