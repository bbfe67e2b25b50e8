use std::fmt::Write as _;

use contract::InstanceId;
use sha2::{Digest, Sha256};

/// Where CloudFront looks for answers, below each instance's folder (RFC 8555, section 8.3).
pub(crate) const CHALLENGE_PATH: &str = ".well-known/acme-challenge";

/// The name of an instance's folder in the challenge bucket; also the `OriginPath` of its distribution.
///
/// An instance id may hold any unreserved characters (OSB 2.17), `..` included, and up to 255 of them: too long for an
/// `OriginPath` and treacherous in a path. A GUID in lower case, which is what Cloud Foundry sends, is its own folder;
/// any other id is folded to `sha256-` and the digest of the id. No two ids share a folder.
pub fn folder(instance: &InstanceId) -> String {
    let id = instance.as_str();
    if is_guid(id) { id.to_owned() } else { format!("sha256-{}", hex(&Sha256::digest(id))) }
}

/// The key of one answer in the bucket.
pub(crate) fn key(instance: &InstanceId, token: &str) -> String {
    format!("{}{token}", key_prefix(instance))
}

/// What the keys of all answers of an instance begin with.
pub(crate) fn key_prefix(instance: &InstanceId) -> String {
    format!("{}/{CHALLENGE_PATH}/", folder(instance))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_guid(id: &str) -> bool {
    let groups: Vec<&str> = id.split('-').collect();
    let is_lower_hex = |group: &&str| group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_lower_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str) -> String {
        folder(&InstanceId::new(id))
    }

    #[test]
    fn a_guid_is_its_own_folder() {
        assert_eq!(of("9a3f2b10-0c1d-4e5f-8a9b-0123456789ab"), "9a3f2b10-0c1d-4e5f-8a9b-0123456789ab");
    }

    #[test]
    fn any_other_id_is_folded_to_something_safe() {
        let long = "x".repeat(255);
        for id in ["..", ".", "a~b", "my-instance", "9A3F2B10-0C1D-4E5F-8A9B-0123456789AB", &long] {
            let folder = of(id);
            assert!(folder.starts_with("sha256-") && folder.len() == 71, "{id} became {folder}");
        }
        assert_ne!(of("a"), of("b"));
    }

    #[test]
    fn a_key_is_the_path_that_the_authority_asks_for_below_the_folder() {
        let instance = InstanceId::new("9a3f2b10-0c1d-4e5f-8a9b-0123456789ab");
        let expected = "9a3f2b10-0c1d-4e5f-8a9b-0123456789ab/.well-known/acme-challenge/token";
        assert_eq!(key(&instance, "token"), expected);
    }
}
