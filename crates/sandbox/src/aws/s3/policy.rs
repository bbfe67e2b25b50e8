//! Bucket policies: who else may read, as far as CloudFront's origin access control and public buckets need it.

use serde_json::{Map, Value};

use crate::aws::error::Failure;
use crate::aws::glob::glob;
use crate::aws::world::ACCOUNT;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The account that owns the bucket.
    Owner,
    /// Nobody in particular.
    Anonymous,
    /// CloudFront, signing for the distribution of this ARN.
    CloudFront(String),
}

/// A policy document that was accepted.
#[derive(Debug)]
pub(super) struct Policy {
    text: String,
    statements: Vec<Map<String, Value>>,
}

const OPERATORS: [&str; 4] = ["StringEquals", "StringLike", "ArnEquals", "ArnLike"];

impl Policy {
    /// Accepts a document of statements whose conditions this emulator understands; everything else is
    /// `MalformedPolicy`, so that no test passes on a condition that was silently ignored.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Failure> {
        let malformed = |why: &str| Failure::bad("MalformedPolicy", why);
        let text = std::str::from_utf8(body).map_err(|_| malformed("Policies must be valid JSON"))?;
        let document: Value =
            serde_json::from_str(text).map_err(|_| malformed("Policies must be valid JSON"))?;
        let statements: Option<Vec<_>> =
            listed(document.get("Statement")).map(|statement| statement.as_object().cloned()).collect();
        let statements = statements.filter(|statements| !statements.is_empty());
        let statements = statements.ok_or_else(|| malformed("Missing required field Statement"))?;
        match statements.iter().find_map(unacceptable) {
            Some(why) => Err(malformed(why)),
            None => Ok(Self { text: text.to_owned(), statements }),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether some statement allows this and none denies it.
    pub(super) fn allows(&self, caller: &Caller, action: &str, resource: &str) -> bool {
        let applies = |effect: &str| {
            self.statements.iter().any(|statement| {
                statement.get("Effect").and_then(Value::as_str) == Some(effect)
                    && is_principal(statement.get("Principal"), caller)
                    && any_like(statement.get("Action"), action)
                    && any_like(statement.get("Resource"), resource)
                    && conditions_hold(statement.get("Condition"), caller)
            })
        };
        applies("Allow") && !applies("Deny")
    }
}

fn unacceptable(statement: &Map<String, Value>) -> Option<&'static str> {
    let effect = statement.get("Effect").and_then(Value::as_str);
    if !matches!(effect, Some("Allow" | "Deny")) {
        return Some("Invalid effect");
    }
    for required in ["Principal", "Action", "Resource"] {
        if !statement.contains_key(required) {
            return Some("Missing required field: Principal, Action or Resource");
        }
    }
    let conditions = statement.get("Condition").and_then(Value::as_object);
    let unknown = conditions.is_some_and(|all| all.keys().any(|name| !OPERATORS.contains(&name.as_str())));
    unknown.then_some("Invalid condition type")
}

fn is_principal(principal: Option<&Value>, caller: &Caller) -> bool {
    let named = |kind: &str, name: &str| {
        let names = principal.and_then(|principal| principal.get(kind));
        listed(names).any(|value| value.as_str() == Some(name))
    };
    let everybody = principal.and_then(Value::as_str) == Some("*") || named("AWS", "*");
    everybody || (matches!(caller, Caller::CloudFront(_)) && named("Service", "cloudfront.amazonaws.com"))
}

fn conditions_hold(conditions: Option<&Value>, caller: &Caller) -> bool {
    let Some(conditions) = conditions.and_then(Value::as_object) else { return true };
    let tests = conditions.iter().filter_map(|(operator, tests)| Some((operator, tests.as_object()?)));
    let mut tests = tests.flat_map(|(operator, tests)| tests.iter().map(move |test| (operator, test)));
    tests.all(|(operator, (key, allowed))| {
        let actual = context(key, caller);
        actual.is_some_and(|actual| match operator.as_str() {
            "StringEquals" => listed(Some(allowed)).any(|value| value.as_str() == Some(&actual)),
            _ => any_like(Some(allowed), &actual),
        })
    })
}

/// What is known about the caller under a condition key. An absent key makes a condition fail.
fn context(key: &str, caller: &Caller) -> Option<String> {
    match (key.to_ascii_lowercase().as_str(), caller) {
        ("aws:sourcearn", Caller::CloudFront(arn)) => Some(arn.clone()),
        ("aws:sourceaccount", Caller::CloudFront(_)) => Some(ACCOUNT.to_owned()),
        _ => None,
    }
}

fn any_like(patterns: Option<&Value>, text: &str) -> bool {
    listed(patterns).filter_map(Value::as_str).any(|pattern| glob(pattern, text))
}

/// One value or a list of values.
fn listed(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let values = match value {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    values.iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:s3:::bucket/a/key";

    fn cloudfront(id: &str) -> Caller {
        Caller::CloudFront(format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{id}"))
    }

    fn with_condition(condition: &str) -> Policy {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",
                "Principal":{{"Service":"cloudfront.amazonaws.com"}},"Action":"s3:GetObject",
                "Resource":"arn:aws:s3:::bucket/*","Condition":{condition}}}}}"#
        );
        Policy::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn cloudfront_is_allowed_for_the_distributions_the_condition_names() {
        let one = r#"{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::111111111111:distribution/E1"}}"#;
        let any = r#"{"ArnLike":{"aws:SourceArn":["arn:aws:cloudfront::111111111111:distribution/*"]}}"#;
        let account = r#"{"StringEquals":{"AWS:SourceAccount":"111111111111"}}"#;
        let other = r#"{"StringEquals":{"AWS:SourceAccount":"222222222222"}}"#;
        let allows = |condition, id| with_condition(condition).allows(&cloudfront(id), "s3:GetObject", KEY);
        assert!(allows(one, "E1") && !allows(one, "E2"));
        assert!(allows(any, "E1") && allows(account, "E1") && !allows(other, "E1"));
        assert!(!with_condition(any).allows(&Caller::Anonymous, "s3:GetObject", KEY));
        assert!(!with_condition(any).allows(&cloudfront("E1"), "s3:ListBucket", KEY));
    }

    #[test]
    fn a_denial_wins_over_a_permission() {
        let text = r#"{"Statement":[
            {"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"},
            {"Effect":"Deny","Principal":{"AWS":"*"},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::bucket/a/*"]}]}"#;
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert!(!policy.allows(&Caller::Anonymous, "s3:GetObject", KEY));
        assert!(policy.allows(&Caller::Anonymous, "s3:GetObject", "arn:aws:s3:::bucket/b"));
    }

    #[test]
    fn refuses_documents_it_would_have_to_guess_at() {
        let unknown = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",
            "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}}"#;
        for broken in ["", "{}", r#"{"Statement":[]}"#, r#"{"Statement":{"Effect":"Maybe"}}"#, unknown] {
            assert_eq!(Policy::parse(broken.as_bytes()).unwrap_err().code, "MalformedPolicy", "{broken}");
        }
    }
}
