use std::fmt;

use serde::{Deserialize, Serialize};

/// A domain name as it goes into a certificate and an alias: A-labels, lower case, no trailing dot, at least two
/// labels, optionally a leading `*.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// Why a text is not a domain name. The message is a clause that goes behind the offending value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    /// Nothing, or nothing but white space.
    #[error("is empty")]
    Empty,
    /// White space inside or around the name.
    #[error("contains white space")]
    WhiteSpace,
    /// An IPv4 or IPv6 literal.
    #[error("is an IP address, not a domain name")]
    IpAddress,
    /// RFC 1035, section 2.3.4: a name has at most 253 characters in text form.
    #[error("is longer than the 253 characters that DNS allows")]
    TooLong,
    /// RFC 1035, section 2.3.4: a label has at most 63 octets.
    #[error("has a label longer than the 63 characters that DNS allows")]
    LabelTooLong,
    /// A single label can be neither delegated nor certified.
    #[error("is not a full domain name: it has no dot")]
    SingleLabel,
    /// Anything that is not a host name: a URL, a path, a port, an underscore, a misplaced hyphen or star.
    #[error("is not a valid host name")]
    NotAHostName,
}

impl DomainName {
    /// Folds upper case, one trailing dot and internationalised labels (IDNA, UTS #46), and checks the rest
    /// (RFC 1123, section 2.1; RFC 5890).
    pub fn parse(text: &str) -> Result<Self, DomainNameError> {
        if text.trim().is_empty() {
            return Err(DomainNameError::Empty);
        }
        if text.contains(char::is_whitespace) {
            return Err(DomainNameError::WhiteSpace);
        }
        if text.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
            return Err(DomainNameError::IpAddress);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let (star, host) = match text.strip_prefix("*.") {
            Some(host) => ("*.", host),
            None => ("", text),
        };
        check_lengths(host)?;
        let ascii = idna::domain_to_ascii_strict(host).map_err(|_| DomainNameError::NotAHostName)?;
        check_lengths(&ascii)?;
        check_host(&ascii)?;
        let name = format!("{star}{ascii}");
        if name.len() > 253 { Err(DomainNameError::TooLong) } else { Ok(Self(name)) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name stands for all names one label below it.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without a leading `*.`: what an authorization is about (RFC 8555, section 7.1.3).
    pub fn base(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }
}

fn check_lengths(host: &str) -> Result<(), DomainNameError> {
    if host.is_ascii() && host.len() > 253 {
        return Err(DomainNameError::TooLong);
    }
    if host.split('.').any(|label| label.is_ascii() && label.len() > 63) {
        return Err(DomainNameError::LabelTooLong);
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), DomainNameError> {
    let labels: Vec<&str> = host.split('.').collect();
    if !labels.iter().all(|label| is_host_label(label)) {
        return Err(DomainNameError::NotAHostName);
    }
    if labels.len() < 2 {
        return Err(DomainNameError::SingleLabel);
    }
    // No top-level domain is numeric (RFC 1123, section 2.1), and `1.2.3.4.5` is nobody's name.
    let top = labels[labels.len() - 1];
    if top.len() < 2 || top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DomainNameError::NotAHostName);
    }
    Ok(())
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0
    }
}

impl TryFrom<String> for DomainName {
    type Error = DomainNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, DomainNameError> {
        DomainName::parse(text).map(Into::into)
    }

    #[test]
    fn case_trailing_dot_and_idn_are_folded() {
        assert_eq!(parsed("WWW.Example.GOV."), Ok("www.example.gov".into()));
        assert_eq!(parsed("bücher.example"), Ok("xn--bcher-kva.example".into()));
        assert_eq!(parsed("*.Example.gov"), Ok("*.example.gov".into()));
    }

    #[test]
    fn each_fault_has_its_own_reason() {
        use DomainNameError as E;
        let long_label = format!("{}.gov", "a".repeat(64));
        let long_name = format!("{}gov", "abcdefghi.".repeat(26));
        for (text, reason) in [
            ("", E::Empty),
            ("  ", E::Empty),
            ("a b.gov", E::WhiteSpace),
            (" a.gov", E::WhiteSpace),
            ("192.0.2.1", E::IpAddress),
            ("2001:db8::1", E::IpAddress),
            ("[2001:db8::1]", E::IpAddress),
            (&long_label, E::LabelTooLong),
            (&long_name, E::TooLong),
            ("localhost", E::SingleLabel),
            ("https://a.gov", E::NotAHostName),
            ("a.gov/path", E::NotAHostName),
            ("a.gov:443", E::NotAHostName),
            ("a_b.gov", E::NotAHostName),
            ("-a.gov", E::NotAHostName),
            ("a-.gov", E::NotAHostName),
            ("a..gov", E::NotAHostName),
            (".gov", E::NotAHostName),
            ("a.*.gov", E::NotAHostName),
            ("*", E::NotAHostName),
            ("1.2.3.4.5", E::NotAHostName),
            ("a.g", E::NotAHostName),
        ] {
            assert_eq!(parsed(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn the_longest_label_is_allowed() {
        assert!(parsed(&format!("{}.gov", "a".repeat(63))).is_ok());
    }
}
