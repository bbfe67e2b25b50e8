//! What a user may ask for, and what becomes of it. Every mistake is one sentence that names the parameter and the
//! offending value; nothing is guessed.

mod domains;
pub(crate) mod effective;
mod forwarding;

use contract::{Behaviour, DomainName, Origin, Settings};
use serde_json::{Map, Value};

/// A mistake in the parameters, as a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParameterError(String);

impl ParameterError {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// The parameters of a new instance, in the order in which a person would explain them.
pub(crate) const KNOWN: &[&str] =
    &["domain", "domains", "origin", "path", "insecure_origin", "cookies", "headers"];

/// Reads the parameters of a new instance. `default_origin` is where content comes from when the user does not say.
pub fn read_settings(
    parameters: &Map<String, Value>,
    default_origin: &DomainName,
) -> Result<Settings, ParameterError> {
    if let Some(unknown) = parameters.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let known = KNOWN.join("`, `");
        return Err(ParameterError::new(format!(
            "The parameter `{}` is not known; this service knows `{known}`.",
            shorten(unknown)
        )));
    }
    let domains = domains::read(parameters)?;
    let (domain, is_default) = origin(parameters, default_origin)?;
    let origin =
        Origin { domain, path: path(parameters)?, insecure: flag(parameters, "insecure_origin", false)? };
    let behaviour = Behaviour {
        headers: forwarding::headers(parameters, is_default)?,
        cookies: forwarding::cookies(parameters)?,
    };
    Ok(Settings { domains, origin, behaviour })
}

/// The origin, and whether it is the platform's own: the platform's router needs the `Host` header of the user's domain.
fn origin(
    parameters: &Map<String, Value>,
    default: &DomainName,
) -> Result<(DomainName, bool), ParameterError> {
    let Some(value) = present(parameters, "origin") else { return Ok((default.clone(), true)) };
    let text = text(value, "origin")?;
    let name = DomainName::parse(text).map_err(|reason| wrong("origin", text, reason))?;
    if name.is_wildcard() {
        return Err(wrong("origin", text, "is a wildcard; content comes from one host"));
    }
    let is_default = name == *default;
    Ok((name, is_default))
}

/// CloudFront wants an origin path to begin with a slash and not to end with one; `/` alone means no path.
fn path(parameters: &Map<String, Value>) -> Result<String, ParameterError> {
    let Some(value) = present(parameters, "path") else { return Ok(String::new()) };
    let text = text(value, "path")?;
    let path = text.strip_suffix('/').unwrap_or(text);
    let allowed = |b: u8| b.is_ascii_graphic() && !b"?#*\"<>\\^`{|}".contains(&b);
    let reason = if path.is_empty() {
        return Ok(String::new());
    } else if !path.starts_with('/') {
        "does not begin with `/`"
    } else if path.len() > 255 {
        "is longer than 255 characters"
    } else if !path.bytes().all(allowed) {
        "contains a character that cannot stand in a path"
    } else {
        return Ok(path.to_owned());
    };
    Err(wrong("path", text, reason))
}

/// `null` counts as absent: it asks for the default.
fn present<'a>(parameters: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    parameters.get(name).filter(|value| !value.is_null())
}

fn flag(parameters: &Map<String, Value>, name: &str, default: bool) -> Result<bool, ParameterError> {
    match present(parameters, name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(wrong_type(name, "true or false", other)),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, ParameterError> {
    value.as_str().ok_or_else(|| wrong_type(name, "a string", value))
}

/// The strings of a list; anything else in it is a mistake.
fn texts<'a>(value: &'a Value, name: &str, wanted: &str) -> Result<Vec<&'a str>, ParameterError> {
    let list = value.as_array().ok_or_else(|| wrong_type(name, wanted, value))?;
    list.iter().map(|item| item.as_str().ok_or_else(|| wrong_type(name, wanted, item))).collect()
}

fn wrong_type(name: &str, wanted: &str, found: &Value) -> ParameterError {
    ParameterError::new(format!(
        "The parameter `{name}` must be {wanted}, not `{}`.",
        shorten(&found.to_string())
    ))
}

fn wrong(name: &str, value: &str, reason: impl std::fmt::Display) -> ParameterError {
    ParameterError::new(format!("The parameter `{name}` is not acceptable: `{}` {reason}.", shorten(value)))
}

/// Enough of a value to recognise it, without repeating a novel.
fn shorten(value: &str) -> String {
    const LONGEST: usize = 80;
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    value.chars().take(LONGEST).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use contract::Cookies;
    use serde_json::json;

    use super::*;

    fn read(parameters: &Value) -> Result<Settings, String> {
        let default = DomainName::parse("apps.example.org").expect("a name");
        let parameters = parameters.as_object().expect("an object");
        read_settings(parameters, &default).map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_earlier_broker() {
        let settings = read(&json!({"domain": "www.example.gov"})).expect("good");
        assert_eq!(settings.origin.domain.as_str(), "apps.example.org");
        assert_eq!(settings.origin.path, "");
        assert!(!settings.origin.insecure);
        assert_eq!(settings.behaviour.headers, ["Host"]);
        assert_eq!(settings.behaviour.cookies, Cookies::All);
    }

    #[test]
    fn a_list_and_a_text_with_commas_are_the_same_and_are_folded() {
        let expected = ["www.example.gov", "xn--bcher-kva.example"];
        for parameters in [
            json!({"domain": "WWW.Example.GOV., bücher.example"}),
            json!({"domains": ["WWW.example.gov", "bücher.example"]}),
        ] {
            let settings = read(&parameters).expect("good");
            assert_eq!(settings.domains.iter().map(DomainName::as_str).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_custom_origin_is_not_sent_the_host_header() {
        let settings = read(&json!({
            "domain": "a.gov", "origin": "Origin.example.com", "path": "/site/", "insecure_origin": true,
            "cookies": ["b", "a"], "headers": ["x-b", "X-A"],
        }))
        .expect("good");
        assert_eq!(settings.origin.domain.as_str(), "origin.example.com");
        assert_eq!(settings.origin.path, "/site");
        assert!(settings.origin.insecure);
        assert_eq!(settings.behaviour.headers, ["X-A", "X-B"]);
        assert_eq!(settings.behaviour.cookies, Cookies::Only(vec!["a".into(), "b".into()]));
    }

    #[test]
    fn null_asks_for_the_default() {
        let nulls =
            json!({"domain": "a.gov", "origin": null, "path": null, "cookies": null, "headers": null});
        assert_eq!(read(&nulls), read(&json!({"domain": "a.gov"})));
    }

    #[test]
    fn each_mistake_names_the_parameter_and_the_value() {
        for (parameters, parts) in [
            (json!({}), ["`domain`", "missing"]),
            (json!({"domain": null}), ["`domain`", "missing"]),
            (json!({"domain": ""}), ["`domain`", "empty"]),
            (json!({"domain": " , "}), ["`domain`", "empty"]),
            (json!({"domain": "a.gov,"}), ["`domain`", "empty"]),
            (json!({"domain": 7}), ["`domain`", "`7`"]),
            (json!({"domain": ["a.gov"]}), ["`domain`", "`domains`"]),
            (json!({"domain": "my site.gov"}), ["`my site.gov`", "white space"]),
            (json!({"domain": "192.0.2.7"}), ["`192.0.2.7`", "IP address"]),
            (json!({"domain": "https://a.gov/"}), ["`https://a.gov/`", "host name"]),
            (json!({"domain": "a.gov,A.GOV."}), ["`a.gov`", "twice"]),
            (json!({"domain": "a.gov", "domains": ["b.gov"]}), ["`domain`", "`domains`"]),
            (json!({"domains": []}), ["`domains`", "empty"]),
            (json!({"domains": [1]}), ["`domains`", "`1`"]),
            (json!({"domains": "a.gov"}), ["`domains`", "`\"a.gov\"`"]),
            (json!({"domain": "a.gov", "origin": ""}), ["`origin`", "empty"]),
            (json!({"domain": "a.gov", "origin": "*.b.gov"}), ["`origin`", "wildcard"]),
            (json!({"domain": "a.gov", "path": "site"}), ["`path`", "`site`"]),
            (json!({"domain": "a.gov", "path": "/a b"}), ["`path`", "`/a b`"]),
            (json!({"domain": "a.gov", "insecure_origin": "yes"}), ["`insecure_origin`", "`\"yes\"`"]),
            (json!({"domain": "a.gov", "cookies": "all"}), ["`cookies`", "`\"all\"`"]),
            (json!({"domain": "a.gov", "cookies": ["a b"]}), ["`cookies`", "`a b`"]),
            (json!({"domain": "a.gov", "headers": "X"}), ["`headers`", "`\"X\"`"]),
            (json!({"domain": "a.gov", "headers": ["X", "x"]}), ["`headers`", "twice"]),
            (json!({"domain": "a.gov", "headers": ["X", "*"]}), ["`headers`", "`*`"]),
            (json!({"domain": "a.gov", "headers": ["X:"]}), ["`headers`", "`X:`"]),
            (json!({"domain": "a.gov", "colour": 1}), ["`colour`", "not known"]),
        ] {
            let sentence = read(&parameters).expect_err(&parameters.to_string());
            for part in parts {
                assert!(sentence.contains(part), "{parameters}: {sentence}");
            }
        }
    }

    #[test]
    fn a_hundred_domains_are_enough() {
        let names = |n: usize| (0..n).map(|i| format!("w{i}.example.gov")).collect::<Vec<_>>();
        assert!(read(&json!({"domains": names(100)})).is_ok());
        assert!(read(&json!({"domains": names(101)})).expect_err("too many").contains("101"));
    }

    #[test]
    fn ten_headers_with_host_are_the_limit() {
        let headers = |n: usize| (0..n).map(|i| format!("X-{i}")).collect::<Vec<_>>();
        assert!(read(&json!({"domain": "a.gov", "headers": headers(9)})).is_ok());
        let sentence = read(&json!({"domain": "a.gov", "headers": headers(10)})).expect_err("too many");
        assert!(sentence.contains("11"), "{sentence}");
    }
}
