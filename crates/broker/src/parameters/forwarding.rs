use std::collections::BTreeSet;

use contract::Cookies;
use serde_json::{Map, Value};

use super::{ParameterError, present, texts, wrong, wrong_type};

/// CloudFront's limit of forwarded headers, `Host` included.
const MOST_HEADERS: usize = 10;

/// The headers to forward, canonical and sorted. `Host` comes with the default origin, unless all are forwarded.
pub(super) fn headers(
    parameters: &Map<String, Value>,
    is_default_origin: bool,
) -> Result<Vec<String>, ParameterError> {
    let listed = match present(parameters, "headers") {
        None => Vec::new(),
        Some(value) => texts(value, "headers", "a list of header names")?,
    };
    let mut headers = BTreeSet::new();
    for header in listed {
        if !is_token(header) {
            return Err(wrong("headers", header, "is not the name of a header"));
        }
        if !headers.insert(canonical(header)) {
            return Err(wrong("headers", header, "is given twice"));
        }
    }
    if headers.contains("*") {
        return match headers.len() {
            1 => Ok(vec!["*".to_owned()]),
            _ => Err(wrong("headers", "*", "means all headers, so nothing can stand beside it")),
        };
    }
    if is_default_origin {
        headers.insert("Host".to_owned());
    }
    if headers.len() > MOST_HEADERS {
        return Err(ParameterError::new(format!(
            "The parameter `headers` makes {} headers to forward, but CloudFront forwards at most {MOST_HEADERS}, \
             `Host` included.",
            headers.len()
        )));
    }
    Ok(headers.into_iter().collect())
}

/// The cookies to forward: `true` (all), `false` (none) or a list of names.
pub(super) fn cookies(parameters: &Map<String, Value>) -> Result<Cookies, ParameterError> {
    let list = match present(parameters, "cookies") {
        None | Some(Value::Bool(true)) => return Ok(Cookies::All),
        Some(Value::Bool(false)) => return Ok(Cookies::None),
        Some(list @ Value::Array(_)) => texts(list, "cookies", "true, false or a list of cookie names")?,
        Some(other) => return Err(wrong_type("cookies", "true, false or a list of cookie names", other)),
    };
    if let Some(bad) = list.iter().find(|name| !is_token(name)) {
        return Err(wrong("cookies", bad, "is not the name of a cookie"));
    }
    let names: BTreeSet<String> = list.iter().map(|&name| name.to_owned()).collect();
    Ok(if names.is_empty() { Cookies::None } else { Cookies::Only(names.into_iter().collect()) })
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
