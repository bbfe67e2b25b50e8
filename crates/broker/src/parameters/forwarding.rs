use std::collections::BTreeSet;

use contract::{Behaviour, Cookies, Wish};
use serde_json::{Map, Value};

use super::{ParameterError, boolean, policies, present, texts, wish, wrong, wrong_type};

/// CloudFront's limit of forwarded headers, `Host` included.
const MOST_HEADERS: usize = 10;

/// The longest time that CloudFront can be told to keep an answer: a year, in seconds.
pub(super) const LONGEST_TTL: u32 = 31_536_000;

/// How requests are passed on. Policies leave headers, cookies and time without a meaning.
pub(super) fn read(
    parameters: &Map<String, Value>,
    is_default_origin: bool,
) -> Result<Behaviour, ParameterError> {
    let policies = policies::read(parameters, is_default_origin)?;
    let headers = match policies {
        Wish::Is(_) => Vec::new(),
        _ => headers(parameters, is_default_origin)?,
    };
    Ok(Behaviour {
        headers,
        cookies: cookies(parameters)?,
        default_ttl: default_ttl(parameters)?,
        policies,
        compress: boolean(parameters, "compress")?,
        hsts: boolean(parameters, "hsts")?,
    })
}

fn default_ttl(parameters: &Map<String, Value>) -> Result<Wish<u32>, ParameterError> {
    wish(parameters, "default_ttl", |value| {
        let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
        let wanted = format!("a number of seconds from 0 to {LONGEST_TTL}");
        seconds
            .filter(|seconds| *seconds <= LONGEST_TTL)
            .ok_or_else(|| wrong_type("default_ttl", &wanted, value))
    })
}

/// A parameter that has a newer name too, and the name under which it was given.
fn either<'a>(
    parameters: &'a Map<String, Value>,
    name: &'static str,
    newer: &'static str,
) -> Result<Option<(&'static str, &'a Value)>, ParameterError> {
    match (present(parameters, name), present(parameters, newer)) {
        (Some(_), Some(_)) => Err(ParameterError::new(format!(
            "Give either the parameter `{name}` or the parameter `{newer}`, not both: they are the same."
        ))),
        (Some(value), None) => Ok(Some((name, value))),
        (None, Some(value)) => Ok(Some((newer, value))),
        (None, None) => Ok(None),
    }
}

/// The items of a text with commas; none if there is nothing in it.
fn commas(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}

/// The headers to forward, canonical and sorted. `Host` comes with the default origin, unless all are forwarded.
fn headers(parameters: &Map<String, Value>, is_default_origin: bool) -> Result<Vec<String>, ParameterError> {
    let (name, listed) = match either(parameters, "headers", "forward_headers")? {
        None => ("headers", Vec::new()),
        Some((name @ "forward_headers", Value::String(text))) => (name, commas(text)),
        Some((name, value)) => (name, texts(value, name, "a list of header names")?),
    };
    let mut headers = BTreeSet::new();
    for header in listed {
        if !is_token(header) {
            return Err(wrong(name, header, "is not the name of a header"));
        }
        if is_not_forwarded(header) {
            return Err(wrong(name, header, NOT_FORWARDED));
        }
        if !headers.insert(canonical(header)) {
            return Err(wrong(name, header, "is given twice"));
        }
    }
    if headers.contains("*") {
        return match headers.len() {
            1 => Ok(vec!["*".to_owned()]),
            _ => Err(wrong(name, "*", "means all headers, so nothing can stand beside it")),
        };
    }
    if is_default_origin {
        headers.insert("Host".to_owned());
    }
    if headers.len() > MOST_HEADERS {
        return Err(ParameterError::new(format!(
            "The parameter `{name}` makes {} headers to forward, but CloudFront forwards at most {MOST_HEADERS}, \
             `Host` included.",
            headers.len()
        )));
    }
    Ok(headers.into_iter().collect())
}

/// The cookies to forward: `true` (all), `false` (none) or a list of names; under the newer name also a text with commas.
fn cookies(parameters: &Map<String, Value>) -> Result<Cookies, ParameterError> {
    const WANTED: &str = "true, false or a list of cookie names";
    let (name, list) = match either(parameters, "cookies", "forward_cookies")? {
        None | Some((_, Value::Bool(true))) => return Ok(Cookies::All),
        Some((_, Value::Bool(false))) => return Ok(Cookies::None),
        Some((name @ "forward_cookies", Value::String(text))) => (name, commas(text)),
        Some((name, list @ Value::Array(_))) => (name, texts(list, name, WANTED)?),
        Some((name, other)) => return Err(wrong_type(name, WANTED, other)),
    };
    if let Some(bad) = list.iter().find(|cookie| !is_token(cookie)) {
        return Err(wrong(name, bad, "is not the name of a cookie"));
    }
    let names: BTreeSet<String> = list.iter().map(|&name| name.to_owned()).collect();
    Ok(match names.first().map(String::as_str) {
        None => Cookies::None,
        Some("*") if names.len() == 1 => Cookies::All,
        Some(_) => Cookies::Only(names.into_iter().collect()),
    })
}

const NOT_FORWARDED: &str =
    "is about one connection or CloudFront's own; CloudFront does not forward it by name";

/// What ends at CloudFront: it keeps a connection of its own with the origin. Cookies have a parameter of their own.
fn is_not_forwarded(header: &str) -> bool {
    const NAMES: &[&str] = &[
        "connection",
        "content-length",
        "cookie",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    const PREFIXES: &[&str] = &["proxy-", "x-amz-cf-", "x-edge-"];
    let header = header.to_ascii_lowercase();
    NAMES.contains(&header.as_str()) || PREFIXES.iter().any(|prefix| header.starts_with(prefix))
}

/// A token of RFC 9110, section 5.6.2: what names of headers and of cookies are made of.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// `x-forwarded-for` as `X-Forwarded-For`, the way the earlier broker compared and sent names.
fn canonical(header: &str) -> String {
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    header.split('-').map(capital).collect::<Vec<_>>().join("-")
}
