//! Whether a set of CAA records lets an authority issue: RFC 8659, sections 4 and 5, and RFC 8657.

use contract::CaaQuestion;
use hickory_resolver::proto::rr::rdata::CAA;

/// What a set of records has against us.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A property that nobody knows must be known.
    Critical(String),
    /// The property of this name allows nobody at all.
    Nobody(&'static str),
    /// It allows others only.
    Others(Vec<String>),
    /// It allows the authority, but only with another account (`accounturi`).
    Account,
    /// It allows the authority and the account, but only with these methods (`validationmethods`).
    Method(String),
}

/// The properties that authorities know: RFC 8659, section 4; RFC 9495; the Baseline Requirements' contact properties.
const KNOWN: [&str; 7] =
    ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];

/// The value of an `issue` or `issuewild` property.
#[derive(Debug, Default, PartialEq, Eq)]
struct Grant {
    issuer: String,
    parameters: Vec<(String, String)>,
}

/// What stands against issuing; `None` when nothing does. The records are those of one server, and may be none.
pub(super) fn obstacle(records: &[&CAA], question: &CaaQuestion) -> Option<Obstacle> {
    if let Some(tag) = records.iter().find_map(|record| unknown_critical(record)) {
        return Some(Obstacle::Critical(tag));
    }
    let wild = question.name.is_wildcard() && records.iter().any(|record| is(record, "issuewild"));
    let tag = if wild { "issuewild" } else { "issue" };
    let relevant: Vec<_> = records.iter().filter(|record| is(record, tag)).collect();
    if relevant.is_empty() {
        return None;
    }
    let grants: Vec<Grant> = relevant.iter().filter_map(|record| grant(&record.value)).collect();
    let ours: Vec<&Grant> =
        grants.iter().filter(|grant| question.issuers.iter().any(|issuer| names(grant, issuer))).collect();
    if ours.is_empty() {
        return Some(others(tag, &grants));
    }
    let account: Vec<&&Grant> = ours.iter().filter(|grant| account_matches(grant, question)).collect();
    if account.is_empty() {
        return Some(Obstacle::Account);
    }
    if account.iter().any(|grant| method_matches(grant, &question.method)) {
        return None;
    }
    let methods = account.iter().filter_map(|grant| parameter(grant, "validationmethods"));
    Some(Obstacle::Method(methods.collect::<Vec<_>>().join(",")))
}

/// Let's Encrypt also takes the lowest flag bit for the critical one: early tools wrote `1`.
fn unknown_critical(record: &CAA) -> Option<String> {
    let critical = record.issuer_critical || record.reserved_flags & 1 == 1;
    let known = KNOWN.iter().any(|known| is(record, known));
    (critical && !known).then(|| record.tag.clone())
}

fn is(record: &CAA, tag: &str) -> bool {
    record.tag.eq_ignore_ascii_case(tag)
}

fn names(grant: &Grant, issuer: &str) -> bool {
    grant.issuer.trim_end_matches('.').eq_ignore_ascii_case(issuer.trim_end_matches('.'))
}

fn others(tag: &'static str, grants: &[Grant]) -> Obstacle {
    let mut others: Vec<String> = Vec::new();
    for grant in grants.iter().filter(|grant| !grant.issuer.is_empty()) {
        if !others.contains(&grant.issuer) {
            others.push(grant.issuer.clone());
        }
    }
    if others.is_empty() { Obstacle::Nobody(tag) } else { Obstacle::Others(others) }
}

/// RFC 8657, section 3: a record with the parameter is for that account only, with two of them for nobody.
fn account_matches(grant: &Grant, question: &CaaQuestion) -> bool {
    let mut wanted = grant.parameters.iter().filter(|(tag, _)| tag == "accounturi");
    match (wanted.next(), wanted.next()) {
        (None, _) => true,
        (Some((_, url)), None) => question.account_url.as_ref() == Some(url),
        (Some(_), Some(_)) => false,
    }
}

/// RFC 8657, section 4.
fn method_matches(grant: &Grant, method: &str) -> bool {
    parameter(grant, "validationmethods")
        .is_none_or(|methods| methods.split(',').any(|one| one.trim() == method))
}

fn parameter<'a>(grant: &'a Grant, tag: &str) -> Option<&'a str> {
    grant.parameters.iter().find(|(other, _)| other == tag).map(|(_, value)| value.as_str())
}

/// RFC 8659, section 4.2. The DNS library's reader knows no white space between the parts, which the grammar allows.
/// A value that is not of this form grants nothing.
fn grant(value: &[u8]) -> Option<Grant> {
    let text = str::from_utf8(value).ok()?;
    let mut parts = text.split(';').map(|part| part.trim_matches([' ', '\t']));
    let issuer = parts.next().unwrap_or_default().to_ascii_lowercase();
    if !issuer.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        return None;
    }
    let mut parameters = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let (tag, value) = part.split_once('=')?;
        let (tag, value) = (tag.trim_end_matches([' ', '\t']), value.trim_start_matches([' ', '\t']));
        if tag.is_empty() || !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return None;
        }
        if !value.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        parameters.push((tag.to_ascii_lowercase(), value.to_owned()));
    }
    Some(Grant { issuer, parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(text: &str) -> Option<(String, usize)> {
        grant(text.as_bytes()).map(|grant| (grant.issuer, grant.parameters.len()))
    }

    #[test]
    fn values_are_read_by_the_grammar_of_rfc_8659() {
        let ca = |parameters| Some(("ca.example".to_owned(), parameters));
        assert_eq!(granted("ca.example"), ca(0));
        assert_eq!(granted("  CA.Example \t"), ca(0));
        assert_eq!(granted("ca.example;"), ca(0));
        assert_eq!(granted("ca.example; a=b"), ca(1));
        assert_eq!(granted("ca.example ; a = b ;  c=d ;"), ca(2));
        assert_eq!(granted(";"), Some((String::new(), 0)));
        assert_eq!(granted(""), Some((String::new(), 0)));
    }

    #[test]
    fn what_is_not_of_this_form_grants_nothing() {
        for text in ["ca.example a=b", "ca.example; a", "ca.example; =b", "ca.example; a=b c", "ca_example"] {
            assert_eq!(granted(text), None, "{text}");
        }
        assert_eq!(grant(&[0xff]), None);
    }
}
