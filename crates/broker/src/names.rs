//! Names that must not repeat, computed from stored ids and never from the clock.

use contract::{Instance, InstanceId, IssuanceId, Operation, Reference, VaultName};
use sha2::{Digest, Sha256};

/// The caller reference of an instance's distribution.
pub(crate) fn distribution_reference(id: &InstanceId, incarnation: i32) -> Reference {
    Reference::new(format!("cdn-{}-{incarnation}", safe(id)))
}

/// The caller reference of the distribution that is made in the place of a lost one: `.2` behind the first, and so on. The
/// dot occurs nowhere else in a reference.
pub(crate) fn next_reference(instance: &Instance) -> Reference {
    let first = distribution_reference(&instance.id, instance.incarnation);
    let behind = instance.reference.as_str().strip_prefix(first.as_str());
    let number = behind.and_then(|rest| rest.strip_prefix('.')).and_then(|number| number.parse().ok());
    Reference::new(format!("{first}.{}", number.unwrap_or(1_u32).saturating_add(1)))
}

/// The id of the issuance behind one generation of an instance's certificate.
pub(crate) fn issuance_id(instance: &Instance, generation: i32) -> IssuanceId {
    IssuanceId::new(format!("{}.{}.{generation}", safe(&instance.id), instance.incarnation))
}

/// The vault's name for one generation of an instance's certificate (IAM: at most 128 of `[\w+=,.@-]`, and lower
/// case only, because it is not known whether IAM folds case).
pub(crate) fn vault_name(instance: &Instance, generation: i32) -> VaultName {
    VaultName::new(format!("cdn-{}-{}-{generation}", safe(&instance.id), instance.incarnation))
}

/// The reference of what an update asks the edges to fetch anew.
pub(crate) fn invalidation_reference(operation: &Operation) -> Reference {
    Reference::new(format!("cdn-{}", operation.id))
}

/// The instance id itself where every upstream takes it (a GUID, as platforms send), otherwise a digest of it.
fn safe(id: &InstanceId) -> String {
    let text = id.as_str();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if text.len() <= 64 && text.bytes().all(plain) {
        return text.to_owned();
    }
    Sha256::digest(text.as_bytes()).iter().take(16).fold("x".to_owned(), |hex, b| format!("{hex}{b:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_distribution_has_a_reference_that_nobody_has_used() {
        let mut instance = contract::testing::sample::instance("9a4b0c1e", &["www.example.gov"]);
        instance.incarnation = 3;
        instance.reference = distribution_reference(&instance.id, 3);
        for expected in ["cdn-9a4b0c1e-3.2", "cdn-9a4b0c1e-3.3", "cdn-9a4b0c1e-3.4"] {
            instance.reference = next_reference(&instance);
            assert_eq!(instance.reference.as_str(), expected);
        }
    }

    #[test]
    fn a_guid_stays_readable_and_anything_else_is_digested() {
        let guid = InstanceId::new("9a4b0c1e-0000-4000-8000-000000000001");
        assert_eq!(distribution_reference(&guid, 2).as_str(), "cdn-9a4b0c1e-0000-4000-8000-000000000001-2");
        let odd = distribution_reference(&InstanceId::new("A~b".repeat(80)), 1);
        assert_eq!(odd.as_str().len(), "cdn-x-1".len() + 32);
        assert_ne!(odd, distribution_reference(&InstanceId::new("a~b".repeat(80)), 1));
    }
}
