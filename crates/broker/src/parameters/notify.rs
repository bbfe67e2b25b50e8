//! Who is told what needs their hand.

use contract::DomainName;
use serde_json::{Map, Value};

use super::{Offer, ParameterError, present, text, wrong};

/// The longest address and the longest part before the `@` (RFC 5321, section 4.5.3.1).
const LONGEST: (usize, usize) = (254, 64);

/// The characters before the `@` that need no quotes (RFC 5322, section 3.2.3). Nothing else is taken: what goes into the
/// header of a mail must not be able to end it.
const ATOM: &str = "!#$%&'*+-/=?^_`{|}~.";

pub(super) fn read(parameters: &Map<String, Value>, offer: Offer) -> Result<Option<String>, ParameterError> {
    let Some(value) = present(parameters, "notify") else { return Ok(None) };
    let address = text(value, "notify")?;
    if !offer.letters {
        return Err(ParameterError::new(
            "The parameter `notify` cannot be used: the operator of this service has not set up e-mail.",
        ));
    }
    if !is_address(address) {
        return Err(wrong("notify", address, "is no e-mail address such as `web-team@example.gov`"));
    }
    Ok(Some(address.to_owned()))
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |c: char| c.is_ascii_alphanumeric() || ATOM.contains(c);
    let is_local = !local.is_empty()
        && local.len() <= LONGEST.1
        && local.chars().all(is_atom)
        && local.split('.').all(|part| !part.is_empty());
    let is_domain = domain.is_ascii() && DomainName::parse(domain).is_ok_and(|name| !name.is_wildcard());
    is_local && is_domain && text.len() <= LONGEST.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_and_nothing_more() {
        for good in [
            "a@example.gov",
            "web.team+cdn@mail.example.gov",
            "o'neil@example.gov",
            "x=y@xn--bcher-kva.example",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@example.gov", "a".repeat(65));
        for bad in [
            "",
            "a",
            "a@",
            "@example.gov",
            "a@b@example.gov",
            "a@localhost\r\nBcc: b@example.gov",
            "a\r\nBcc:b@example.gov",
            "a b@example.gov",
            "A <a@example.gov>",
            "a@example.gov,b@example.gov",
            "a,b@example.gov",
            ".a@example.gov",
            "a..b@example.gov",
            "\"a\"@example.gov",
            "a@*.example.gov",
            "a@[127.0.0.1]",
            "\u{e4}@example.gov",
            "a@ex\u{e4}mple.gov",
            "a@example.gov\0",
            &long,
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
