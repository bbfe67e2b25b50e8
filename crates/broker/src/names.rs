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

/// The issuance that stands for the one by which an earlier broker has obtained the first certificate of an instance. The
/// issuer does not know it.
pub(crate) fn first_issuance_id(instance: &InstanceId) -> IssuanceId {
    IssuanceId::new(format!("{}.1.1", safe(instance)))
}

/// The vault's name for a first certificate that is not in the vault.
pub(crate) fn first_vault_name(instance: &InstanceId) -> VaultName {
    VaultName::new(format!("cdn-{}-1-1", safe(instance)))
}

/// The reference of what an update asks the edges to fetch anew.
pub(crate) fn invalidation_reference(operation: &Operation) -> Reference {
    Reference::new(format!("cdn-{}", operation.id))
}

/// Whether a reference is one that this store has given to a distribution of this instance: in an earlier life of it, or in
/// this one up to the present reference. A store that was brought back from a backup has not given what came later.
pub(crate) fn is_distribution_of(reference: &Reference, instance: &Instance) -> bool {
    let given = place(reference, &instance.id);
    let last = place(&instance.reference, &instance.id);
    let has_passed = given.is_some_and(|(life, _)| life < instance.incarnation);
    has_passed || (given.is_some() && given <= last)
}

/// The life, and which distribution in it: those that were made in the place of lost ones have a number behind a dot.
fn place(reference: &Reference, id: &InstanceId) -> Option<(i32, i32)> {
    let rest = reference.as_str().strip_prefix(&format!("cdn-{}-", safe(id)))?;
    let (life, replacement) = rest.split_once('.').unwrap_or((rest, "1"));
    let number = |text: &str| {
        let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_plain)
    };
    Some((number(life)?, number(replacement)?))
}

/// Whether a name in the vault is one that some broker gives.
pub(crate) fn has_our_form(name: &VaultName) -> bool {
    let mut parts = name.as_str().rsplitn(3, '-');
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<u32>().is_ok());
    is_number() && is_number() && name.as_str().starts_with("cdn-")
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
    fn a_reference_is_known_for_ones_own() {
        let mut instance = contract::testing::sample::instance("9a4b0c1e", &["www.example.gov"]);
        instance.incarnation = 3;
        instance.reference = Reference::new("cdn-9a4b0c1e-3.2");
        let is_own = |text: &str| is_distribution_of(&Reference::new(text), &instance);
        for own in ["cdn-9a4b0c1e-1", "cdn-9a4b0c1e-2.7", "cdn-9a4b0c1e-3", "cdn-9a4b0c1e-3.2"] {
            assert!(is_own(own), "{own}");
        }
        for other in [
            "cdn-9a4b0c1e-3.3",
            "cdn-9a4b0c1e-4",
            "cdn-9a4b0c1e-0",
            "cdn-9a4b0c1e-03",
            "cdn-9a4b0c1e-",
            "cdn-9a4b0c1e-1-1",
            "cdn-9a4b0c1e-1.",
            "cdn-9a4b0c1e-+1",
            "cdn-9a4b0c1e",
            "cdn-other-1",
            "9a4b0c1e",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn a_name_in_the_vault_is_told_by_its_form() {
        let instance = contract::testing::sample::instance("9a4b0c1e", &["www.example.gov"]);
        assert!(has_our_form(&vault_name(&instance, 12)));
        for other in ["cdn-9a4b0c1e-x-1", "cdn-1", "www-1-1", "letsencrypt"] {
            assert!(!has_our_form(&VaultName::new(other)), "{other}");
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
