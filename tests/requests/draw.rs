//! Draws a request: one that is right, and then up to four things that are not.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::endpoints::{Body, Endpoint};
use crate::house::{PLAN_ID, SERVICE_ID, provision_body};
use crate::oddities::{HEADERS, IDS, METHODS, PATHS, QUERIES};

/// Chance that is the same in every run (the generator `SplitMix64`).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64, endpoint: &str, number: u64) -> Self {
        let name = endpoint.bytes().fold(seed, |hash, b| hash.wrapping_mul(31).wrapping_add(b.into()));
        let mut chance = Self(name ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most + 1);
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Printable ASCII, some of which means something somewhere.
    fn text(&mut self, most: usize) -> String {
        let length = self.below(most + 1);
        (0..length).map(|_| char::from(b' ' + u8::try_from(self.below(95)).unwrap_or_default())).collect()
    }
}

/// A request as it goes over the wire, and what is known about it.
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    /// More was promised than comes, or it is no HTTP at all: nobody can answer, and closing is right.
    pub(crate) is_cut_short: bool,
    pub(crate) is_head: bool,
    /// It is for a browser, which is answered with a page.
    pub(crate) is_page: bool,
    /// What has to come back with the answer.
    pub(crate) identity: Option<String>,
}

impl Sent {
    /// As a person can read it.
    pub(crate) fn shown(&self) -> String {
        let text = self.bytes.escape_ascii().to_string();
        match text.char_indices().nth(2000) {
            Some((end, _)) => format!("{}… ({} bytes)", &text[..end], self.bytes.len()),
            None => text,
        }
    }
}

/// A request before it is written down.
struct Draft {
    method: String,
    path: String,
    query: String,
    version: &'static str,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    /// What `Content-Length` says; `None` for a chunked body.
    length: Option<usize>,
    is_cut_short: bool,
}

pub(crate) fn request(endpoint: &Endpoint, chance: &mut Chance) -> Sent {
    let mut draft = right(endpoint, chance);
    for _ in 0..chance.below(5) {
        spoil(&mut draft, chance);
    }
    write(&draft)
}

/// What a platform would send.
fn right(endpoint: &Endpoint, chance: &mut Chance) -> Draft {
    let id = format!("3f1c9a52-0000-4000-8000-0000000005{:02}", chance.below(12));
    let body = match endpoint.body {
        Body::Nothing => Vec::new(),
        Body::Provision => provision_body(&parameters(chance)).to_string().into_bytes(),
        Body::Update => {
            json!({"service_id": SERVICE_ID, "plan_id": PLAN_ID, "parameters": parameters(chance)})
                .to_string()
                .into_bytes()
        }
    };
    let credentials = STANDARD.encode("sandbox:sandbox");
    let headers = [
        ("host", "broker.example.gov"),
        ("authorization", &format!("Basic {credentials}")),
        ("x-broker-api-version", "2.15"),
        ("x-broker-api-request-identity", &format!("r-{}", chance.below(1000))),
        ("content-type", "application/json"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    Draft {
        method: endpoint.method.to_owned(),
        path: endpoint.path.replace("{id}", &id),
        query: endpoint.query.to_owned(),
        version: "HTTP/1.1",
        headers: headers.to_vec(),
        length: Some(body.len()),
        body,
        is_cut_short: false,
    }
}

/// Parameters that are right, more often than not.
fn parameters(chance: &mut Chance) -> Value {
    let mut parameters = json!({"domain": format!("w{}.example.gov", chance.below(12))});
    for _ in 0..chance.below(3) {
        let name = chance.one_of(&[
            "domain",
            "domains",
            "origin",
            "path",
            "insecure_origin",
            "cookies",
            "headers",
            "default_ttl",
            "cache_policy",
            "error_responses",
            "compress",
            "price_class",
            "logging",
            "invalidate",
            "colour",
            "",
        ]);
        parameters[name] = value(chance, 3);
    }
    parameters
}

fn value(chance: &mut Chance, depth: usize) -> Value {
    match chance.below(if depth == 0 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!(chance.next()),
        3 => json!(-1.5e300),
        4 => json!(chance.text(40)),
        5 => json!(String::from_utf8_lossy(&chance.bytes(40))),
        6 => json!(chance.one_of(&[
            "a.gov",
            "*.gov",
            "/x",
            "https://a.gov",
            "\u{0}",
            "\u{202e}",
            "🦀.gov",
            "1.2.3.4"
        ])),
        7 => (0..chance.below(4)).map(|_| value(chance, depth - 1)).collect(),
        _ => {
            let fields = (0..chance.below(4)).map(|_| (chance.text(8), value(chance, depth - 1)));
            Value::Object(fields.collect())
        }
    }
}

/// Does one thing to it that no platform would.
fn spoil(draft: &mut Draft, chance: &mut Chance) {
    match chance.below(14) {
        0 => draft.method = chance.one_of(METHODS).to_owned(),
        1 => draft.path = chance.one_of(PATHS).to_owned(),
        2 => draft.path = format!("/v2/service_instances/{}", chance.one_of(IDS)),
        3 => draft.path = format!("/{}", chance.text(60)),
        4 => draft.path = format!("/v2/service_instances/{}", "x".repeat(chance.below(90_000))),
        5 => draft.query = chance.one_of(QUERIES).to_owned(),
        6 => draft.query = chance.text(60),
        7 => spoil_headers(draft, chance),
        8 => {
            let (name, value) = HEADERS[chance.below(HEADERS.len())];
            draft.headers.retain(|(known, _)| known != name);
            draft.is_cut_short |= name == "transfer-encoding";
            draft.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        9 => draft
            .headers
            .push((chance.one_of(&["x-y", "cookie", "authorization"]).to_owned(), chance.bytes(60))),
        10 => set_body(draft, spoilt_body(&draft.body, chance)),
        11 => set_body(draft, value(chance, 5).to_string().into_bytes()),
        12 => draft.length = None,
        _ => frame_wrongly(draft, chance),
    }
}

fn spoil_headers(draft: &mut Draft, chance: &mut Chance) {
    match chance.below(4) {
        0 => {
            let index = chance.below(draft.headers.len());
            if !draft.headers.is_empty() {
                draft.headers.remove(index);
            }
        }
        1 => {
            draft.headers.extend((0..chance.below(150)).map(|number| (format!("x-{number}"), b"y".to_vec())));
        }
        2 => draft.headers.push(("x-long".to_owned(), vec![b'x'; chance.below(200_000)])),
        _ => draft.headers.clear(),
    }
}

fn spoilt_body(body: &[u8], chance: &mut Chance) -> Vec<u8> {
    match chance.below(7) {
        0 => body[..chance.below(body.len() + 1)].to_vec(),
        1 => chance.bytes(200),
        2 => "[".repeat(chance.below(20_000)).into_bytes(),
        3 => "{\"a\":".repeat(chance.below(20_000)).into_bytes(),
        4 => format!("{{\"parameters\":{{\"domain\":\"{}\"}}}}", "a".repeat(chance.below(150_000)))
            .into_bytes(),
        5 => [b"\xef\xbb\xbf", body].concat(),
        _ => String::from_utf8_lossy(body).replace('"', "'").into_bytes(),
    }
}

fn set_body(draft: &mut Draft, body: Vec<u8>) {
    if draft.length.is_some() {
        draft.length = Some(body.len());
    }
    draft.body = body;
}

/// Less than is promised, more than is promised, or another version of HTTP.
fn frame_wrongly(draft: &mut Draft, chance: &mut Chance) {
    match chance.below(4) {
        0 => {
            draft.length = Some(draft.body.len() + 1 + chance.below(1000));
            draft.is_cut_short = true;
        }
        1 => draft.version = "HTTP/1.0",
        2 => {
            draft.version = ["HTTP/2.0", "HTTP/9", "HTTPS/1.1", "", "ICY"][chance.below(5)];
            draft.is_cut_short = true;
        }
        _ => {
            draft.headers.push(("transfer-encoding".to_owned(), b"chunked".to_vec()));
            draft.is_cut_short = true;
        }
    }
}

fn write(draft: &Draft) -> Sent {
    let mut head = format!("{} {}", draft.method, draft.path);
    if !draft.query.is_empty() {
        // Writing to a text cannot fail.
        let _ = write!(head, "?{}", draft.query);
    }
    let _ = write!(head, " {}\r\n", draft.version);
    let mut bytes = head.into_bytes();
    for (name, value) in &draft.headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    match draft.length {
        Some(0) if draft.body.is_empty() => bytes.extend_from_slice(b"\r\n"),
        Some(length) => {
            bytes.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
            bytes.extend_from_slice(&draft.body);
        }
        None => {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            for piece in draft.body.chunks(1000) {
                bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
    }
    let identity = draft.headers.iter().filter(|(name, _)| name == "x-broker-api-request-identity");
    let identity = identity.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).next();
    Sent {
        is_cut_short: draft.is_cut_short,
        is_head: draft.method == "HEAD",
        is_page: ["/instances", "/assets", "/admin", "/sso"]
            .iter()
            .any(|start| draft.path.starts_with(start)),
        identity: identity.filter(|_| draft.path.starts_with("/v2")),
        bytes,
    }
}
