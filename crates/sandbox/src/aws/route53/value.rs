//! What Route 53 looks at in names and values.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::record::RecordSet;
use crate::dns;

/// The longest string inside a TXT record (RFC 1035, 3.3), and the longest value.
const LONGEST_STRING: usize = 255;
const LONGEST_VALUE: usize = 4000;

/// Checks the name and the values of a set; the refusal is a sentence of Route 53's.
pub(super) fn check(set: &RecordSet) -> Result<(), String> {
    check_name(&set.name)?;
    let mut seen = Vec::new();
    for value in set.values() {
        check_value(&set.kind, value)?;
        if seen.contains(&value) {
            return Err(format!("Duplicate Resource Record: '{value}'"));
        }
        seen.push(value);
    }
    if set.kind == "CNAME" && seen.len() > 1 {
        return Err("CNAME record sets must have exactly one value".to_owned());
    }
    Ok(())
}

fn fatal(problem: &str, value: &str) -> String {
    format!("Invalid Resource Record: FATAL problem: {problem} encountered with '{value}'")
}

fn check_name(name: &str) -> Result<(), String> {
    let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
    let problem = if labels.iter().any(|label| label.is_empty()) {
        "DomainLabelEmpty (Domain label is empty)"
    } else if labels.iter().any(|label| label.len() > 63) {
        "DomainLabelTooLong (Domain label is too long)"
    } else if name.len() > 255 {
        "DomainNameTooLong (Domain name is too long)"
    } else if labels.iter().skip(1).any(|label| label.contains('*')) || dns::parse_name(name).is_err() {
        "UnsupportedCharacter (Value contains unsupported characters)"
    } else {
        return Ok(());
    };
    Err(fatal(problem, name))
}

fn check_value(kind: &str, value: &str) -> Result<(), String> {
    if value.len() > LONGEST_VALUE {
        return Err(fatal("CharacterStringTooLong (Value is too long)", value));
    }
    let problem = match kind {
        "TXT" | "SPF" => return check_strings(value),
        "A" if value.parse::<Ipv4Addr>().is_err() => {
            "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        }
        "AAAA" if value.parse::<Ipv6Addr>().is_err() => {
            "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        }
        "CNAME" | "NS" | "PTR" => return check_name(value),
        "CAA" | "MX" | "SRV" if dns::record_type(kind).and_then(|kind| dns::parse(kind, value)).is_err() => {
            "InvalidRRData (Value is not valid for this type)"
        }
        _ => return Ok(()),
    };
    Err(fatal(problem, value))
}

/// Quoted strings with white space between them. A quotation mark inside is escaped.
fn check_strings(value: &str) -> Result<(), String> {
    let unquoted = || fatal("InvalidCharacterString (Value should be enclosed in quotation marks)", value);
    let mut rest = value.trim();
    if rest.is_empty() {
        return Err(unquoted());
    }
    while !rest.is_empty() {
        let inside = rest.strip_prefix('"').ok_or_else(unquoted)?;
        let end = closing_quote(inside).ok_or_else(unquoted)?;
        if end > LONGEST_STRING {
            return Err(fatal("CharacterStringTooLong (Value is too long)", value));
        }
        rest = inside.get(end + 1..).unwrap_or_default().trim_start();
    }
    Ok(())
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(index, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_strings_of_at_most_255_characters() {
        let long = |length| format!("\"{}\"", "x".repeat(length));
        for taken in
            ["\"one\"", "\"\"", "\"one\" \"two\"", "\"one\"\"two\"", r#""a \"quoted\" word""#, &long(255)]
        {
            assert_eq!(check_value("TXT", taken), Ok(()), "{taken}");
        }
        for (refused, problem) in [
            ("one", "InvalidCharacterString"),
            ("\"one", "InvalidCharacterString"),
            ("", "InvalidCharacterString"),
            ("\"one\" two", "InvalidCharacterString"),
            (&long(256), "CharacterStringTooLong"),
            (&long(4001), "CharacterStringTooLong"),
        ] {
            assert!(check_value("TXT", refused).unwrap_err().contains(problem), "{refused}");
        }
    }

    #[test]
    fn addresses_and_names_are_parsed() {
        for (kind, taken, refused) in [
            ("A", "192.0.2.1", "192.0.2"),
            ("AAAA", "2001:db8::1", "192.0.2.1"),
            ("CNAME", "d1.cloudfront.net", "a..b"),
            ("CAA", "0 issue \"letsencrypt.org\"", "issue letsencrypt.org"),
            ("MX", "10 mail.example.gov", "mail.example.gov"),
        ] {
            assert_eq!(check_value(kind, taken), Ok(()), "{kind}");
            assert!(check_value(kind, refused).is_err(), "{kind}");
        }
        assert!(check_name("*.example.gov.").is_ok());
        assert!(check_name("a.*.example.gov.").is_err());
        assert!(check_name(&format!("{}.example.gov.", "x".repeat(64))).unwrap_err().contains("TooLong"));
    }
}
