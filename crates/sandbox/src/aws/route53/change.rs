//! One change of a batch, as it is asked for.

use std::fmt;

use super::invalid_input;
use super::record::{Content, RecordSet, canonical};
use crate::aws::error::Failure;
use crate::aws::xml::Element;

/// The types that Route 53 has.
const KINDS: [&str; 16] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP",
    "SVCB", "TXT",
];

/// Members of routing policies, which this emulator does not have.
const POLICIES: [&str; 8] = [
    "SetIdentifier",
    "Weight",
    "Region",
    "Failover",
    "GeoLocation",
    "GeoProximityLocation",
    "CidrRoutingConfig",
    "TrafficPolicyInstanceId",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Delete,
    Upsert,
}

#[derive(Debug)]
pub(super) struct ChangeRequest {
    pub(super) action: Action,
    pub(super) set: RecordSet,
}

impl ChangeRequest {
    pub(super) fn read(change: &Element) -> Result<Self, Failure> {
        let action = match change.text_at("Action") {
            "CREATE" => Action::Create,
            "DELETE" => Action::Delete,
            "UPSERT" => Action::Upsert,
            other => return Err(enumeration("action", other, &["CREATE", "DELETE", "UPSERT"])),
        };
        let set = change.child("ResourceRecordSet");
        let set = set.ok_or_else(|| invalid_input("Invalid XML ; a Change needs a ResourceRecordSet"))?;
        let set = record_set(set, change.text_at("Action"))?;
        Ok(Self { action, set })
    }
}

impl fmt::Display for ChangeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = format!("{:?}", self.action).to_ascii_uppercase();
        let name = self.set.name.trim_end_matches('.');
        write!(f, "{action} {name} {}", self.set.kind)?;
        match &self.set.content {
            Content::Values { values, .. } => values.iter().try_for_each(|value| write!(f, " {value}")),
            Content::Alias { target, .. } => write!(f, " alias of {target}"),
        }
    }
}

fn record_set(set: &Element, action: &str) -> Result<RecordSet, Failure> {
    if let Some(policy) = POLICIES.iter().find(|policy| set.child(policy).is_some()) {
        return Err(invalid_input(format!("{policy}: routing policies are not emulated")));
    }
    let kind = set.text_at("Type");
    if !KINDS.contains(&kind) {
        return Err(enumeration("type", kind, &KINDS));
    }
    let name = set.text_at("Name");
    let place = format!("Change with [Action={action}, Name={name}, Type={kind}, SetIdentifier=null]");
    let content =
        content(set).map_err(|what| invalid_input(format!("Invalid request: {what} in {place}")))?;
    Ok(RecordSet { name: canonical(name), kind: kind.to_owned(), content })
}

/// Either values with a time to live, or an alias.
fn content(set: &Element) -> Result<Content, String> {
    let records = set.child("ResourceRecords").map_or(&[][..], |records| records.children.as_slice());
    let values: Vec<String> = records.iter().map(|record| record.text_at("Value").to_owned()).collect();
    match (set.child("AliasTarget"), values.is_empty(), set.child("TTL")) {
        (Some(alias), true, None) => Ok(Content::Alias {
            zone: alias.text_at("HostedZoneId").to_owned(),
            target: canonical(alias.text_at("DNSName")),
            evaluate_health: alias.text_at("EvaluateTargetHealth") == "true",
        }),
        (None, false, Some(ttl)) => {
            let ttl = ttl.text.trim().parse().ok().filter(|ttl| i32::try_from(*ttl).is_ok());
            let ttl = ttl.ok_or("Value for 'TTL' is not between 0 and 2147483647")?;
            Ok(Content::Values { ttl, values })
        }
        (None, false, None) => Err("Missing field 'TTL'".to_owned()),
        (alias, empty, _) => {
            let found = if alias.is_some() && !empty { "more than one" } else { "none" };
            Err(format!(
                "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
                 TrafficPolicyInstanceId], but found {found}"
            ))
        }
    }
}

fn enumeration(member: &str, value: &str, allowed: &[&str]) -> Failure {
    invalid_input(format!(
        "1 validation error detected: Value '{value}' at 'changeBatch.changes.1.member.{member}' failed to satisfy \
         constraint: Member must satisfy enum value set: [{}]",
        allowed.join(", ")
    ))
}
