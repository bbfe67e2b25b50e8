use std::fmt;

use aes_gcm::aead::{Aead, Generate, KeyInit, Nonce, Payload};
use aes_gcm::{Aes256Gcm, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use contract::Secret;
use zeroize::Zeroizing;

use crate::cell::Cell;
use crate::error::StoreError;

/// The version of the format `v1:KEY NAME:BASE64(nonce, ciphertext, tag)`.
const VERSION: &str = "v1";
/// The length of a nonce of AES-GCM, in bytes (NIST SP 800-38D, section 5.2.1.1).
const NONCE: usize = 12;

/// A key under which private keys are sealed at rest, with the name that sealed values carry.
#[derive(Clone)]
pub struct SealingKey {
    name: String,
    key: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// Names a key of AES-256. A name never changes its key: values sealed under it could not be opened any more.
    ///
    /// Errors: [`StoreError::Settings`] when the name is empty or contains a colon or white space.
    pub fn new(name: impl Into<String>, key: [u8; 32]) -> Result<Self, StoreError> {
        let name = name.into();
        if name.is_empty() || name.contains(|c: char| c == ':' || c.is_whitespace()) {
            return Err(StoreError::Settings(format!(
                "the name of an encryption key must not be empty or contain a colon or white space: {name:?}"
            )));
        }
        Ok(Self { name, key: Zeroizing::new(key) })
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Seals and opens values with AES-256-GCM. A sealed value is bound to its table, column and row: moved elsewhere,
/// it does not open.
pub(crate) struct Sealer {
    first: (String, Aes256Gcm),
    others: Vec<(String, Aes256Gcm)>,
}

impl Sealer {
    /// The first key seals, all open.
    pub(crate) fn new(keys: &[SealingKey]) -> Result<Self, StoreError> {
        let (first, others) = keys
            .split_first()
            .ok_or_else(|| StoreError::Settings("at least one encryption key is needed".to_owned()))?;
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].iter().any(|earlier| earlier.name == key.name) {
                let message = format!("two encryption keys have the name {:?}", key.name);
                return Err(StoreError::Settings(message));
            }
        }
        Ok(Self { first: named_cipher(first), others: others.iter().map(named_cipher).collect() })
    }

    /// Seals a secret for one place.
    pub(crate) fn seal(&self, cell: Cell<'_>, secret: &Secret) -> Result<String, StoreError> {
        let (name, cipher) = &self.first;
        let nonce = Nonce::<Aes256Gcm>::try_generate()
            .map_err(|error| cell.inconsistent(format!("no nonce to seal it with: {error}")))?;
        let place = place(cell);
        let sealed = cipher
            .encrypt(&nonce, Payload { msg: secret.expose(), aad: place.as_bytes() })
            .map_err(|_| cell.inconsistent("it is too long to be sealed"))?;
        Ok(format!("{VERSION}:{name}:{}", BASE64.encode([nonce.as_slice(), &sealed].concat())))
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open(&self, cell: Cell<'_>, text: &str) -> Result<Secret, StoreError> {
        let (name, bytes) = parse(text).ok_or_else(|| cell.inconsistent("it is not a sealed value"))?;
        let cipher = self.cipher(name).ok_or_else(|| cell.sealed_with_missing(name))?;
        let (nonce, sealed) = bytes.split_at(NONCE);
        let nonce = cell.parsed(Nonce::<Aes256Gcm>::try_from(nonce))?;
        let place = place(cell);
        let opened =
            cipher.decrypt(&nonce, Payload { msg: sealed, aad: place.as_bytes() }).map_err(|_| {
                cell.inconsistent(format!(
                    "it does not open with the key {name:?}: the key is another one, or the value was changed"
                ))
            })?;
        Ok(Secret::new(opened))
    }

    /// Seals a value of this place under the first key; `None` when it is already.
    pub(crate) fn reseal(&self, cell: Cell<'_>, text: &str) -> Result<Option<String>, StoreError> {
        if key_name(text) == Some(&self.first.0) {
            return Ok(None);
        }
        self.seal(cell, &self.open(cell, text)?).map(Some)
    }

    /// The names of the keys, the first one first.
    pub(crate) fn names(&self) -> Vec<String> {
        std::iter::once(&self.first).chain(&self.others).map(|(name, _)| name.clone()).collect()
    }

    fn cipher(&self, name: &str) -> Option<&Aes256Gcm> {
        let mut all = std::iter::once(&self.first).chain(&self.others);
        all.find(|(known, _)| known == name).map(|(_, cipher)| cipher)
    }
}

fn named_cipher(key: &SealingKey) -> (String, Aes256Gcm) {
    (key.name.clone(), Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key.key)))
}

/// The associated data. Neither tables nor columns contain line breaks, so no two places read the same.
fn place(cell: Cell<'_>) -> String {
    format!("{}\n{}\n{}", cell.table, cell.column, cell.row)
}

/// The name of the key that a value is sealed under; `None` when it is not a sealed value.
pub(crate) fn key_name(text: &str) -> Option<&str> {
    let (version, rest) = text.split_once(':')?;
    let (name, _) = rest.split_once(':')?;
    (version == VERSION).then_some(name)
}

/// The key's name, and nonce and ciphertext together, which are longer than a nonce alone.
fn parse(text: &str) -> Option<(&str, Vec<u8>)> {
    let (version, rest) = text.split_once(':')?;
    let (name, encoded) = rest.split_once(':')?;
    let bytes = BASE64.decode(encoded).ok()?;
    (version == VERSION && bytes.len() > NONCE).then_some((name, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell<'static> =
        Cell { table: "accounts", column: "key", row: "https://ca.example/directory" };

    fn key(name: &str, byte: u8) -> SealingKey {
        SealingKey::new(name, [byte; 32]).unwrap()
    }

    fn sealed(sealer: &Sealer) -> String {
        sealer.seal(CELL, &Secret::new("the secret")).unwrap()
    }

    fn refusal(outcome: Result<Secret, StoreError>) -> String {
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn what_is_sealed_opens_and_does_not_show() {
        let sealer = Sealer::new(&[key("one", 1)]).unwrap();
        let text = sealed(&sealer);
        assert!(text.starts_with("v1:one:"), "{text}");
        assert_eq!(sealer.open(CELL, &text).unwrap(), Secret::new("the secret"));
        assert_ne!(text, sealed(&sealer), "each sealing takes a fresh nonce");
    }

    #[test]
    fn after_a_rotation_the_first_key_seals_and_the_older_one_still_opens() {
        let old = sealed(&Sealer::new(&[key("old", 1)]).unwrap());
        let rotated = Sealer::new(&[key("new", 2), key("old", 1)]).unwrap();
        assert_eq!(rotated.open(CELL, &old).unwrap(), Secret::new("the secret"));
        assert!(sealed(&rotated).starts_with("v1:new:"));
    }

    #[test]
    fn a_missing_key_is_named() {
        let text = sealed(&Sealer::new(&[key("lost", 1)]).unwrap());
        let message = refusal(Sealer::new(&[key("other", 1)]).unwrap().open(CELL, &text));
        assert!(message.contains("\"lost\"") && message.contains("accounts"), "{message}");
    }

    #[test]
    fn another_key_under_the_same_name_does_not_open() {
        let text = sealed(&Sealer::new(&[key("one", 1)]).unwrap());
        let message = refusal(Sealer::new(&[key("one", 2)]).unwrap().open(CELL, &text));
        assert!(message.contains("does not open"), "{message}");
    }

    #[test]
    fn a_value_that_was_changed_or_moved_does_not_open() {
        let sealer = Sealer::new(&[key("one", 1)]).unwrap();
        let text = sealed(&sealer);
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            assert!(sealer.open(CELL, &String::from_utf8(bytes).unwrap()).is_err(), "position {position}");
        }
        assert!(sealer.open(Cell { row: "https://other.example/", ..CELL }, &text).is_err());
        assert!(sealer.open(Cell { column: "url", ..CELL }, &text).is_err());
        assert!(sealer.open(Cell { table: "issuances", ..CELL }, &text).is_err());
        assert!(sealer.open(CELL, "v1:one:").is_err());
        assert!(sealer.open(CELL, "plain text").is_err());
    }

    #[test]
    fn keys_without_a_usable_name_are_refused() {
        assert!(SealingKey::new("", [0; 32]).is_err());
        assert!(SealingKey::new("a:b", [0; 32]).is_err());
        assert!(Sealer::new(&[]).is_err());
        assert!(Sealer::new(&[key("one", 1), key("one", 2)]).is_err());
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", key("one", 7)), "SealingKey { name: \"one\", .. }");
    }
}
