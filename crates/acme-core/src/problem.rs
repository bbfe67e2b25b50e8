use std::fmt;

use contract::DomainName;
use serde_json::Value;

const NAMESPACE: &str = "urn:ietf:params:acme:error:";
/// What an authority writes can be long; a user reads a sentence.
const MAX_SENTENCE: usize = 300;

/// A problem document (RFC 7807; RFC 8555, section 6.7), read leniently: what is missing or odd is left out, never
/// an error of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The type without ACME's namespace, such as `rateLimited`.
    pub(crate) kind: String,
    /// What the authority says, made fit for a terminal.
    pub(crate) detail: String,
    /// Where a person has to go (`userActionRequired`).
    pub(crate) instance: Option<String>,
    /// Where a person can lift a pause that the authority has put on the account for some names. Let's Encrypt has no
    /// other way to tell a pause from a rate limit.
    pub(crate) unpause: Option<String>,
    /// The same per name, where the authority tells (RFC 8555, section 6.7.1).
    pub(crate) parts: Vec<(Option<DomainName>, Problem)>,
}

impl Problem {
    /// Reads a problem document; `None` when this is none.
    pub(crate) fn read(json: &Value) -> Option<Self> {
        let text = |field: &str| json.get(field).and_then(Value::as_str).map(printable);
        let kind = text("type").map(|kind| kind.trim_start_matches(NAMESPACE).to_owned());
        if kind.is_none() && text("detail").is_none() {
            return None;
        }
        let parts = json.get("subproblems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(Self {
            kind: kind.unwrap_or_default(),
            detail: text("detail").unwrap_or_default(),
            instance: text("instance"),
            unpause: json.get("detail").and_then(Value::as_str).and_then(unpause_link),
            parts: parts.iter().filter_map(|part| Some((name_of(part), Self::read(part)?))).collect(),
        })
    }

    /// What the authority says about one name; the general word when it says nothing special.
    pub(crate) fn about(&self, name: &DomainName) -> &Problem {
        let special =
            self.parts.iter().find(|(about, _)| about.as_ref().is_some_and(|n| n.base() == name.base()));
        special.map_or(self, |(_, problem)| problem)
    }

    /// The names that the authority singles out.
    pub(crate) fn names(&self) -> Vec<&DomainName> {
        self.parts.iter().filter_map(|(name, _)| name.as_ref()).collect()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind.is_empty(), self.detail.is_empty()) {
            (true, _) => f.write_str(&self.detail)?,
            (false, true) => f.write_str(&self.kind)?,
            (false, false) => write!(f, "{} ({})", self.detail, self.kind)?,
        }
        if let Some(instance) = &self.instance {
            write!(f, ", see {instance}")?;
        }
        for (name, part) in &self.parts {
            let name = name.as_ref().map_or("another identifier", DomainName::as_str);
            write!(f, "; {name}: {part}")?;
        }
        Ok(())
    }
}

/// The address is longer than what is kept of the detail, so it is found before that is cut.
fn unpause_link(detail: &str) -> Option<String> {
    let is_link =
        |word: &&str| word.starts_with("https://") && word.contains("unpause") && word.len() <= 4000;
    let link = detail.split_whitespace().find(is_link)?.trim_end_matches(['.', ',', ';', ')']);
    link.bytes().all(|byte| byte.is_ascii_graphic()).then(|| link.to_owned())
}

fn name_of(part: &Value) -> Option<DomainName> {
    let identifier = part.get("identifier")?;
    if identifier.get("type").and_then(Value::as_str) != Some("dns") {
        return None;
    }
    DomainName::parse(identifier.get("value")?.as_str()?).ok()
}

/// Drops control characters and cuts what is too long for a sentence.
fn printable(text: &str) -> String {
    let mut clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some((end, _)) = clean.char_indices().nth(MAX_SENTENCE) {
        clean.truncate(end);
        clean.push_str("...");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn subproblems_are_found_by_name_and_odd_ones_do_no_harm() {
        let problem = Problem::read(&json!({
            "type": "urn:ietf:params:acme:error:malformed",
            "detail": "Some of the identifiers requested were rejected",
            "subproblems": [
                {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "forbidden",
                 "identifier": {"type": "dns", "value": "example.net"}},
                {"type": "urn:x", "detail": "odd", "identifier": {"type": "quantum", "value": 7}},
            ]
        }))
        .unwrap();
        let name = |text| DomainName::parse(text).unwrap();
        assert_eq!(problem.about(&name("*.example.net")).detail, "forbidden");
        assert_eq!(problem.about(&name("example.org")).kind, "malformed");
        assert_eq!(problem.names(), [&name("example.net")]);
        assert_eq!(
            problem.to_string(),
            "Some of the identifiers requested were rejected (malformed); \
             example.net: forbidden (rejectedIdentifier); another identifier: odd (urn:x)"
        );
    }

    #[test]
    fn the_way_out_of_a_pause_is_found_however_long_it_is() {
        let link = format!("https://portal.ca.example/sfe/v1/unpause?jwt={}", "x".repeat(900));
        let detail = format!(
            "Your account is temporarily prevented from requesting certificates for a.example and possibly others. \
             Please visit: {link}"
        );
        let problem = Problem::read(&json!({"type": "rateLimited", "detail": detail})).unwrap();
        assert_eq!(problem.unpause, Some(link));
        let limit = "too many certificates: see https://letsencrypt.org/docs/rate-limits/";
        assert_eq!(Problem::read(&json!({"detail": limit})).unwrap().unpause, None);
    }

    #[test]
    fn what_is_no_problem_document_is_none() {
        assert_eq!(Problem::read(&Value::Null), None);
        assert_eq!(Problem::read(&json!({"status": "valid"})), None);
    }

    #[test]
    fn a_detail_is_made_fit_for_a_terminal() {
        let long = format!("\u{1b}[31mred{}", "x".repeat(400));
        let problem = Problem::read(&json!({"detail": long})).unwrap();
        assert!(problem.detail.starts_with(" [31mred"));
        assert_eq!(problem.detail.chars().count(), MAX_SENTENCE + 3);
    }
}
