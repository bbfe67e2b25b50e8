use std::collections::HashSet;

use contract::DomainName;
use serde_json::{Map, Value};

use super::{ParameterError, present, text, texts, wrong};

/// A certificate of Let's Encrypt and a distribution of CloudFront both take a hundred names.
pub(crate) const MOST: usize = 100;

/// The domains: `domain`, a text with commas, or `domains`, a list.
pub(super) fn read(parameters: &Map<String, Value>) -> Result<Vec<DomainName>, ParameterError> {
    let (name, texts) = match (present(parameters, "domain"), present(parameters, "domains")) {
        (Some(_), Some(_)) => {
            return Err(ParameterError::new("Give either the parameter `domain` or `domains`, not both."));
        }
        (Some(one), None) => ("domain", commas(one)?),
        (None, Some(list)) => ("domains", texts(list, "domains", "a list of domain names")?),
        (None, None) => {
            return Err(ParameterError::new(
                "The parameter `domain` is missing: say which domain to serve, such as \
                 {\"domain\": \"www.example.gov\"}.",
            ));
        }
    };
    if texts.iter().all(|text| text.trim().is_empty()) {
        return Err(ParameterError::new(format!(
            "The parameter `{name}` is empty: say which domain to serve, such as `www.example.gov`."
        )));
    }
    if texts.len() > MOST {
        return Err(ParameterError::new(format!(
            "The parameter `{name}` has {} domains, but one service instance can serve at most {MOST}.",
            texts.len()
        )));
    }
    parse_all(name, &texts)
}

fn commas(value: &Value) -> Result<Vec<&str>, ParameterError> {
    if value.is_array() {
        return Err(ParameterError::new(
            "The parameter `domain` must be a string; a list of domains goes under `domains`.",
        ));
    }
    Ok(text(value, "domain")?.split(',').collect())
}

/// Spaces around a name are a habit of writing lists; spaces inside one are a mistake.
fn parse_all(parameter: &str, texts: &[&str]) -> Result<Vec<DomainName>, ParameterError> {
    let mut seen = HashSet::new();
    let mut names = Vec::with_capacity(texts.len());
    for text in texts.iter().map(|text| text.trim()) {
        let name = DomainName::parse(text).map_err(|reason| wrong(parameter, text, reason))?;
        if !seen.insert(name.clone()) {
            return Err(wrong(parameter, name.as_str(), "is given twice"));
        }
        names.push(name);
    }
    Ok(names)
}
