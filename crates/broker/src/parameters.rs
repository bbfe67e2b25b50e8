//! What a user may ask for, and what becomes of it. Every mistake is one sentence that names the parameter and the
//! offending value; nothing is guessed.

mod delivery;
mod domains;
pub(crate) mod effective;
mod forwarding;
pub(crate) mod invalidation;
pub(crate) mod merge;
mod notify;
mod origin;
mod path;
mod policies;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

use contract::{DomainName, Settings, Wish};
use serde_json::{Map, Value};

pub(crate) use self::domains::MOST as MOST_DOMAINS;

/// A mistake in the parameters, as a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParameterError(String);

impl ParameterError {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// The parameters of a new instance, in the order in which a person would explain them.
pub(crate) const KNOWN: &[&str] = &[
    "domain",
    "domains",
    "origin",
    "path",
    "insecure_origin",
    "cookies",
    "forward_cookies",
    "headers",
    "forward_headers",
    "default_ttl",
    "cache_policy",
    "origin_request_policy",
    "error_responses",
    "compress",
    "hsts",
    "price_class",
    "minimum_tls",
    "logging",
    "notify",
];

/// What can be asked for only where the operator has set up what it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// There is a bucket for access logs.
    pub logging: bool,
    /// Mail can be sent.
    pub letters: bool,
}

/// Reads the parameters of an instance: those of a new one, or all that were ever given for an old one. `default_origin`
/// is where content comes from when the user does not say.
pub fn read_settings(
    parameters: &Map<String, Value>,
    default_origin: &DomainName,
    offer: Offer,
) -> Result<Settings, ParameterError> {
    if let Some(unknown) = parameters.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let known = KNOWN.join("`, `");
        return Err(ParameterError::new(format!(
            "The parameter `{}` is not known; this service knows `{known}`.",
            shorten(unknown)
        )));
    }
    let domains = domains::read(parameters)?;
    let (origin, is_default) = origin::read(parameters, default_origin)?;
    let behaviour = forwarding::read(parameters, is_default)?;
    let delivery = delivery::read(parameters, offer)?;
    let notify = notify::read(parameters, offer)?;
    Ok(Settings { domains, origin, behaviour, delivery, notify })
}

/// `null` counts as absent: it asks for the default.
fn present<'a>(parameters: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    parameters.get(name).filter(|value| !value.is_null())
}

/// What was said of a parameter: nothing, `null`, or what `read` makes of the value.
fn wish<T>(
    parameters: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Result<T, ParameterError>,
) -> Result<Wish<T>, ParameterError> {
    match parameters.get(name) {
        None => Ok(Wish::Unsaid),
        Some(Value::Null) => Ok(Wish::Default),
        Some(value) => read(value).map(Wish::Is),
    }
}

fn boolean(parameters: &Map<String, Value>, name: &str) -> Result<Wish<bool>, ParameterError> {
    wish(parameters, name, |value| value.as_bool().ok_or_else(|| wrong_type(name, "true or false", value)))
}

fn flag(parameters: &Map<String, Value>, name: &str) -> Result<Option<bool>, ParameterError> {
    Ok(boolean(parameters, name)?.value().copied())
}

/// One of `all` by its name, which `plain` brings to the form that we know.
fn choice<T: Copy>(
    parameters: &Map<String, Value>,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
    plain: impl Fn(&str) -> &str,
) -> Result<Wish<T>, ParameterError> {
    wish(parameters, name, |value| {
        let given = text(value, name)?;
        let found = all.iter().copied().find(|known| name_of(*known) == plain(given));
        found.ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|known| name_of(*known)).collect();
            let reason = format!("is not known; this service knows `{}`", known.join("`, `"));
            wrong(name, given, reason)
        })
    })
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
