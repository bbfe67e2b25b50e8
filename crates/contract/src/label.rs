use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use crate::DomainName;

/// How long a label is: 130 bits, which nobody finds a second meaning for, in half of what DNS allows.
const LENGTH: usize = 26;

/// The label of the records that are set up once and for ever so that `tenant` can prove `name`: the first 26 characters
/// of the lower-case base32 (RFC 4648, section 6, without padding) of SHA-256(`TENANT LF NAME-WITHOUT-STAR`).
///
/// It is the same in every process and for all time, differs between tenants (what one has set up proves nothing for
/// another), and says nothing about either. A name and its wildcard share one.
///
/// ```
/// use contract::{DomainName, durable_label};
///
/// let name = DomainName::parse("www.example.gov")?;
/// assert_eq!(durable_label("f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0", &name), "un3xtu3cxqjvfkftcq4p5w2pdp");
/// # Ok::<(), contract::DomainNameError>(())
/// ```
pub fn durable_label(tenant: &str, name: &DomainName) -> String {
    let digest = Sha256::digest(format!("{tenant}\n{}", name.base()));
    let mut label = BASE32_NOPAD.encode(&digest).to_ascii_lowercase();
    label.truncate(LENGTH);
    label
}

/// Whether a text has the form of a [`durable_label`]; no host name with a dot has.
pub fn is_durable_label(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "f9d2a1b4-6c1e-4a55-9a50-3c5bb0b1f4f0";

    fn label(tenant: &str, name: &str) -> String {
        durable_label(tenant, &DomainName::parse(name).unwrap())
    }

    #[test]
    fn labels_never_change() {
        // Made with another implementation: users have these in their zones.
        assert_eq!(label(TENANT, "www.example.gov"), "un3xtu3cxqjvfkftcq4p5w2pdp");
        assert_eq!(label(TENANT, "example.gov"), "srznlzugw6r7rh2uf77lpeigw6");
        assert_eq!(label("", "www.example.gov"), "i5vjzhcyhsbcpyzzwt4qjveud4");
    }

    #[test]
    fn a_wildcard_has_the_label_of_its_apex_and_nobody_elses() {
        assert_eq!(label(TENANT, "*.example.gov"), label(TENANT, "example.gov"));
        assert_ne!(label(TENANT, "*.example.gov"), label(TENANT, "www.example.gov"));
    }

    #[test]
    fn every_tenant_has_its_own() {
        assert_eq!(
            label("0c5d8f0e-54ad-4b5a-8b5f-1e9a8f1f2a77", "www.example.gov"),
            "xi3p4ff7l357acxzzsecndbyvm"
        );
        assert_ne!(label("a", "b.example"), label("a\nb", "c.example"));
    }

    #[test]
    fn a_label_is_told_from_a_host_name() {
        assert!(is_durable_label(&label(TENANT, "www.example.gov")));
        for other in [
            "",
            "www.example.gov",
            "abcdefghijklmnopqrstuvwxy",
            "abcdefghijklmnopqrstuvwxy1",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        ] {
            assert!(!is_durable_label(other), "{other}");
        }
    }
}
