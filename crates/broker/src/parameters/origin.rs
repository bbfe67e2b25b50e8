use contract::{DomainName, Origin};
use serde_json::{Map, Value};

use super::{ParameterError, flag, path, present, text, wrong};

/// The origin, and whether it is the platform's own: the platform's router needs the `Host` header of the user's domain.
pub(super) fn read(
    parameters: &Map<String, Value>,
    default: &DomainName,
) -> Result<(Origin, bool), ParameterError> {
    let (domain, is_default) = domain(parameters, default)?;
    let insecure = flag(parameters, "insecure_origin")?.unwrap_or(false);
    if insecure && is_default {
        return Err(ParameterError::new(
            "The parameter `insecure_origin` cannot be true with the default origin, which is fetched from over HTTPS; it \
             is for an `origin` of your own.",
        ));
    }
    Ok((Origin { domain, path: prefix(parameters)?, insecure }, is_default))
}

fn domain(
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
fn prefix(parameters: &Map<String, Value>) -> Result<String, ParameterError> {
    let Some(value) = present(parameters, "path") else { return Ok(String::new()) };
    let text = text(value, "path")?;
    let prefix = text.strip_suffix('/').unwrap_or(text);
    match path::fault(prefix) {
        Some(reason) if !prefix.is_empty() => Err(wrong("path", text, reason)),
        _ => Ok(prefix.to_owned()),
    }
}
