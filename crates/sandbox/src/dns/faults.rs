//! Name servers that misbehave.

use anyhow::{Context, ensure};
use hickory_proto::rr::{Name, RecordType};
use serde::{Deserialize, Serialize};

use super::NameServer;
use super::records::parse_name;

/// What goes wrong, where, until [`Dns::heal`](super::Dns::heal).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsFault {
    /// The name asked for: exactly this one, `*.NAME` for all below it, or `*` for every name.
    pub name: String,
    /// The type asked for, such as `CAA`; absent for all.
    #[serde(default)]
    pub kind: Option<String>,
    /// The servers that misbehave; empty for all three.
    #[serde(default)]
    pub servers: Vec<NameServer>,
    /// What they do.
    pub fault: DnsFaultKind,
}

/// What a server does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsFaultKind {
    /// It answers SERVFAIL.
    ServFail,
    /// It answers REFUSED.
    Refused,
    /// It never answers.
    Silent,
    /// It says that there is no such name.
    NxDomain,
    /// It says that the name has no such record.
    NoData,
    /// It does not have the zone: no answer, no authority, and a pointer to the root instead.
    Lame,
    /// It validates, and the signatures are wrong: SERVFAIL with the extended error 6 (RFC 8914), unless the question has
    /// checking disabled. For the resolver; authoritative servers do not validate.
    Bogus,
    /// It answers over TCP only: a datagram is answered with a truncated nothing.
    Truncated,
}

/// A fault, parsed.
#[derive(Debug)]
pub(super) struct Rule {
    fault: DnsFault,
    name: Pattern,
    kind: Option<RecordType>,
}

#[derive(Debug)]
enum Pattern {
    Every,
    Below(Name),
    Exactly(Name),
}

impl Rule {
    pub(super) fn parse(fault: DnsFault) -> anyhow::Result<Self> {
        let name = match (fault.name.as_str(), fault.name.strip_prefix("*.")) {
            ("*", _) => Pattern::Every,
            (_, Some(apex)) => Pattern::Below(parse_name(apex)?),
            (name, None) => Pattern::Exactly(parse_name(name)?),
        };
        let kind = fault.kind.as_deref().map(record_type).transpose()?;
        Ok(Self { fault, name, kind })
    }

    pub(super) fn meets(&self, server: NameServer, name: &Name, kind: RecordType) -> Option<DnsFaultKind> {
        let here = match &self.name {
            Pattern::Every => true,
            Pattern::Below(apex) => apex.zone_of(name) && apex != name,
            Pattern::Exactly(exact) => exact == name,
        };
        let servers = &self.fault.servers;
        let applies = here
            && self.kind.is_none_or(|wanted| wanted == kind)
            && (servers.is_empty() || servers.contains(&server));
        applies.then_some(self.fault.fault)
    }
}

pub(crate) fn record_type(name: &str) -> anyhow::Result<RecordType> {
    let what = || format!("`{name}` is not a type of DNS records");
    let kind: RecordType = name.parse().ok().with_context(what)?;
    ensure!(!matches!(kind, RecordType::ZERO | RecordType::Unknown(_)), what());
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, kind: Option<&str>, servers: &[NameServer]) -> Rule {
        let kind = kind.map(str::to_owned);
        let fault =
            DnsFault { name: name.to_owned(), kind, servers: servers.into(), fault: DnsFaultKind::ServFail };
        Rule::parse(fault).unwrap()
    }

    fn meets(rule: &Rule, server: NameServer, name: &str, kind: RecordType) -> bool {
        rule.meets(server, &parse_name(name).unwrap(), kind).is_some()
    }

    #[test]
    fn a_rule_is_for_a_name_or_for_all_below_it() {
        let (any, a) = (NameServer::Second, RecordType::A);
        assert!(meets(&rule("www.example.gov", None, &[]), any, "WWW.example.gov.", a));
        assert!(!meets(&rule("www.example.gov", None, &[]), any, "a.www.example.gov", a));
        assert!(meets(&rule("*.example.gov", None, &[]), any, "a.www.example.gov", a));
        assert!(!meets(&rule("*.example.gov", None, &[]), any, "example.gov", a));
        assert!(meets(&rule("*", None, &[]), any, "elsewhere.test", a));
    }

    #[test]
    fn a_rule_may_be_for_one_type_and_for_some_servers() {
        let rule = rule("example.gov", Some("CAA"), &[NameServer::First]);
        assert!(meets(&rule, NameServer::First, "example.gov", RecordType::CAA));
        assert!(!meets(&rule, NameServer::First, "example.gov", RecordType::TXT));
        assert!(!meets(&rule, NameServer::Resolver, "example.gov", RecordType::CAA));
        assert!(record_type("NONSENSE").is_err());
    }
}
