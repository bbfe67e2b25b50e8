use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;

use crate::{ErrorCode, Response};

/// One pair of user and password that a platform may use (OSB 2.17, "Platform to Service Broker Authentication").
/// Kept and compared as a SHA-256; shown by nothing.
#[derive(Clone)]
pub struct Credential([u8; 32]);

/// A user and a password that Basic authentication cannot carry, or that would let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidCredential {
    /// The user is empty or contains a colon.
    #[error("the user name of a credential is empty or contains a colon")]
    User,
    /// The password is empty.
    #[error("the password of a credential is empty")]
    Password,
}

impl Credential {
    /// Keeps the hash of a user and a password. The password may contain colons.
    pub fn new(user: &str, password: &str) -> Result<Self, InvalidCredential> {
        if user.is_empty() || user.contains(':') {
            return Err(InvalidCredential::User);
        }
        if password.is_empty() {
            return Err(InvalidCredential::Password);
        }
        Ok(Self(Sha256::digest(format!("{user}:{password}")).into()))
    }

    /// Whether a request comes with this credential. For pages beside the protocol's own.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        authenticate(std::slice::from_ref(self), headers).is_ok()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// Lets a request pass whose Basic credentials are among `credentials`. Every one of them is compared, in constant time.
pub(crate) fn authenticate(credentials: &[Credential], headers: &HeaderMap) -> Result<(), Response> {
    let refused = || {
        Response::error(
            ErrorCode::Unauthorized,
            "The credentials of the platform are missing or wrong. Register the broker again with the right ones.",
        )
    };
    let sent: [u8; 32] = Sha256::digest(basic(headers).ok_or_else(refused)?).into();
    let known =
        credentials.iter().fold(Choice::from(0), |found, credential| found | credential.0.ct_eq(&sent));
    if known.into() { Ok(()) } else { Err(refused()) }
}

/// The user that a request says it comes from, whether or not that is so: to be counted, not to be believed. `None` without
/// Basic credentials that can be read.
pub fn claimed_user(headers: &HeaderMap) -> Option<Vec<u8>> {
    let mut pair = basic(headers)?;
    let colon = pair.iter().position(|&b| b == b':')?;
    pair.truncate(colon);
    Some(pair)
}

/// `user:password` as sent. The user ends at the first colon and has none, so the pair is told by the whole.
fn basic(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(token.trim()).ok()
}
