use std::fmt;

use thiserror::Error;

/// The name of one asynchronous operation: the `operation` of a `202`, which the platform sends back with each poll
/// (OSB 2.17, "Asynchronous Operations"). 1 to 64 characters of `a`–`z`, `0`–`9` and `-`, so that it survives every
/// platform's encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(String);

/// The text is not 1 to 64 characters of `a`–`z`, `0`–`9` and `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an operation id is 1 to 64 characters of a-z, 0-9 and -")]
pub struct InvalidOperationId;

impl OperationId {
    /// Checks and wraps an id.
    pub fn parse(id: impl Into<String>) -> Result<Self, InvalidOperationId> {
        let id = id.into();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match id.len() {
            1..=64 if id.bytes().all(plain) => Ok(Self(id)),
            _ => Err(InvalidOperationId),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
